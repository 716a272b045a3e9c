package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/zeebo/xxh3"
)

// buildBatch makes a batch of count messages of size bytes each.
func buildBatch(count, size int) []byte {
	var b BatchBuilder
	b.Reset(1_000_000)
	payload := bytes.Repeat([]byte("x"), size)
	for i := range count {
		b.Add(U128{Lo: uint64(i) + 1}, uint32(i), payload, nil)
	}
	return b.Bytes()
}

// slowVerify says what a BatchVerifier should, in the obvious way. It does not tell statuses apart where a batch is wrong
// in several ways, since those may be found in any order.
func slowVerify(batch []byte, count uint32) bool {
	h, err := DecodeBatchHeader(batch)
	if err != nil || h.Length != uint64(len(batch)) || h.MessageCount != count || count == 0 {
		return false
	}
	if !bytes.Equal(batch[52:256], make([]byte, 204)) {
		return false
	}
	hashed := append(bytes.Clone(batch[:40]), batch[48:52]...)
	walked := uint32(0)
	for rest := batch[256:]; len(rest) > 0; walked++ {
		if len(rest) < 48 {
			return false
		}
		size := 48 + uint64(binary.LittleEndian.Uint32(rest[32:])) + uint64(binary.LittleEndian.Uint32(rest[36:]))
		if uint64(len(rest)) < size || binary.LittleEndian.Uint64(rest[40:]) != 0 ||
			xxh3.Hash(rest[8:size]) != binary.LittleEndian.Uint64(rest) {
			return false
		}
		hashed = append(hashed, rest[:8]...)
		rest = rest[size:]
	}
	return walked == count && xxh3.Hash(hashed) == h.Checksum
}

// fitChecksum makes a spoilt batch's checksum fit again.
func fitChecksum(batch []byte) {
	hashed := append(bytes.Clone(batch[:40]), batch[48:52]...)
	it := MessagesIn(batch)
	for m, ok := it.Next(); ok; m, ok = it.Next() {
		hashed = append(hashed, m.Bytes[:8]...)
	}
	binary.LittleEndian.PutUint64(batch[40:], xxh3.Hash(hashed))
}

func TestVerifyBatch(t *testing.T) {
	good := vectorBatch(t)
	second := BatchHeaderSize + 53
	for _, c := range []struct {
		name  string
		count uint32
		spoil func([]byte) []byte
		want  Status
	}{
		{"as it is", 2, func(b []byte) []byte { return b }, StatusOK},
		{"nothing", 2, func(b []byte) []byte { return nil }, StatusInvalidCommand},
		{"header alone", 2, func(b []byte) []byte { b = b[:256]; b[32], b[33] = 0, 1; fitChecksum(b); return b }, StatusInvalidMessagesCount},
		{"no messages", 0, func(b []byte) []byte { b = b[:256]; b[32], b[33], b[48] = 0, 1, 0; fitChecksum(b); return b }, StatusInvalidCommand},
		{"request says 3", 3, func(b []byte) []byte { return b }, StatusInvalidMessagesCount},
		{"both say 3", 3, func(b []byte) []byte { b[48] = 3; fitChecksum(b); return b }, StatusInvalidMessagesCount},
		{"both say 1", 1, func(b []byte) []byte { b[48] = 1; fitChecksum(b); return b }, StatusInvalidMessagesCount},
		{"both say 1, the other is spoiled", 1, func(b []byte) []byte { b[48] = 1; b[second+48]++; fitChecksum(b); return b }, StatusInvalidMessagesCount},
		{"cut", 2, func(b []byte) []byte { return b[:len(b)-1] }, StatusInvalidCommand},
		{"cut and length fits", 2, func(b []byte) []byte { b[32]--; return b[:len(b)-1] }, StatusInvalidCommand},
		{"bytes left over", 2, func(b []byte) []byte { b[32]++; b = append(b, 0); fitChecksum(b); return b }, StatusInvalidCommand},
		{"header reserved", 2, func(b []byte) []byte { b[255] = 1; return b }, StatusInvalidCommand},
		{"message reserved", 2, func(b []byte) []byte { b[second+47] = 1; return b }, StatusInvalidCommand},
		{"message too long", 2, func(b []byte) []byte { b[second+36]++; return b }, StatusInvalidCommand},
		{"message length wraps", 2, func(b []byte) []byte { copy(b[second+32:], "\xff\xff\xff\xff\xff\xff\xff\xff"); return b }, StatusInvalidCommand},
		{"payload", 2, func(b []byte) []byte { b[second+48]++; return b }, StatusInvalidMessageChecksum},
		{"user headers", 2, func(b []byte) []byte { b[len(b)-1]++; return b }, StatusInvalidMessageChecksum},
		{"message checksum", 2, func(b []byte) []byte { b[second]++; fitChecksum(b); return b }, StatusInvalidMessageChecksum},
		{"batch checksum", 2, func(b []byte) []byte { b[40]++; return b }, StatusInvalidBatchChecksum},
		{"partition", 2, func(b []byte) []byte { b[0]++; return b }, StatusInvalidBatchChecksum},
		{"partition, checksum fits", 2, func(b []byte) []byte { b[0]++; fitChecksum(b); return b }, StatusOK},
		{"origin timestamp", 2, func(b []byte) []byte { b[24]++; return b }, StatusInvalidBatchChecksum},
	} {
		batch := c.spoil(bytes.Clone(good))
		var v BatchVerifier
		if got := VerifyBatch(batch, c.count, &v); got != c.want || slowVerify(batch, c.count) != (c.want == StatusOK) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		for _, budget := range []int{0, 1, 60, 1 << 20} {
			if got := verifyInSteps(&v, batch, c.count, budget); got != c.want {
				t.Errorf("%s in steps of %d: got %v, want %v", c.name, budget, got, c.want)
			}
		}
	}
	for size := range good {
		var v BatchVerifier
		if got := VerifyBatch(good[:size], 2, &v); got != StatusInvalidCommand {
			t.Errorf("cut to %d bytes: got %v, want %v", size, got, StatusInvalidCommand)
		}
	}
}

func verifyInSteps(v *BatchVerifier, batch []byte, count uint32, budget int) Status {
	v.Reset(batch, count)
	done, status := v.Step(budget)
	for !done {
		done, status = v.Step(budget)
	}
	return status
}

// A message longer than a step is hashed in parts, and a step spends little more than its budget.
func TestVerifyLongMessageInSteps(t *testing.T) {
	batch := buildBatch(3, 100_000)
	var v BatchVerifier
	v.Reset(batch, 3)
	steps := 1
	done, status := v.Step(10_000)
	for ; !done; steps++ {
		done, status = v.Step(10_000)
	}
	if status != StatusOK || steps < 30 || steps > 40 {
		t.Errorf("got %v in %d steps, want ok in 30 to 40", status, steps)
	}
	batch[len(batch)-1]++
	if got := verifyInSteps(&v, batch, 3, 10_000); got != StatusInvalidMessageChecksum {
		t.Errorf("spoilt: got %v, want %v", got, StatusInvalidMessageChecksum)
	}
	if done, status := v.Step(1); !done || status != StatusInvalidMessageChecksum {
		t.Errorf("after the end: got %v, %v, want the same status", done, status)
	}
}

func TestVerifyAtRest(t *testing.T) {
	batch := vectorBatch(t)
	batch[200] = 1 // a seal
	var v BatchVerifier
	v.reset(batch)
	if done, status := v.Step(len(batch)); !done || status != StatusOK || v.header.MessageCount != 2 {
		t.Errorf("got %v, %v, want ok", done, status)
	}
}

// The hasher takes messages in pieces, of any number, like in one.
func TestBatchHasherPieces(t *testing.T) {
	for _, count := range []int{1, 63, 64, 65, 1000} {
		batch := buildBatch(count, 10)
		h, _ := DecodeBatchHeader(batch)
		size := MessageHeaderSize + 10
		var hasher BatchHasher
		for _, piece := range []int{1, 7, count} {
			hasher.Begin(h)
			for rest := batch[BatchHeaderSize:]; len(rest) > 0; {
				n := min(piece*size, len(rest))
				if !hasher.AddMessages(rest[:n]) {
					t.Fatalf("%d messages: whole messages refused", count)
				}
				rest = rest[n:]
			}
			if got := hasher.Sum(); got != h.Checksum {
				t.Errorf("%d messages by %d: got %x, want %x", count, piece, got, h.Checksum)
			}
		}
		if hasher.AddMessages(batch[BatchHeaderSize : len(batch)-1]) {
			t.Errorf("%d messages: half a message accepted", count)
		}
	}
}

func TestStampKeepsSeal(t *testing.T) {
	batch := buildBatch(100, 10)
	batch[100] = 7
	var hasher BatchHasher
	stamped := hasher.StampBatch(batch, 1, 2, 3)
	if h, _ := DecodeBatchHeader(batch); h != stamped || batch[100] != 7 {
		t.Errorf("got %+v and reserved byte %d, want %+v and 7", h, batch[100], stamped)
	}
	var v BatchVerifier
	v.reset(batch)
	if _, status := v.Step(len(batch)); status != StatusOK {
		t.Errorf("stamped batch: got %v, want ok", status)
	}
}

// Every slice of a batch is a batch that verifies and holds the messages asked for.
func TestSliceBatch(t *testing.T) {
	const count = 7
	batch := buildBatch(count, 10)
	var hasher BatchHasher
	hasher.StampBatch(batch, 3, 100, 5)
	batch[255] = 1 // a seal, which no slice carries
	for from := range uint32(count) {
		for to := from + 1; to <= count; to++ {
			slice := make([]byte, BatchHeaderSize)
			begin, end, ok := hasher.SliceBatch(slice, batch, from, to)
			slice = append(slice, batch[begin:end]...)
			var v BatchVerifier
			if status := VerifyBatch(slice, to-from, &v); !ok || status != StatusOK {
				t.Errorf("[%d, %d): got %v, %v, want ok", from, to, ok, status)
			}
			it := MessagesIn(slice)
			for want := from; want < to; want++ {
				if m, ok := it.Next(); !ok || m.OffsetDelta != want {
					t.Errorf("[%d, %d): got message %d (%v), want %d", from, to, m.OffsetDelta, ok, want)
				}
			}
			if h := v.header; h.BaseOffset != 100 || h.PartitionID != 3 || h.BaseTimestamp != 5 || len(it.src) != 0 {
				t.Errorf("[%d, %d): got header %+v, %d bytes over", from, to, h, len(it.src))
			}
		}
	}
	if _, _, ok := hasher.SliceBatch(make([]byte, 256), batch[:len(batch)-1], 0, count); ok {
		t.Error("slice of a cut batch: got ok")
	}
	for _, r := range [][2]uint32{{1, 1}, {2, 1}, {0, count + 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("slice [%d, %d): got no panic", r[0], r[1])
				}
			}()
			hasher.SliceBatch(make([]byte, 256), batch, r[0], r[1])
		}()
	}
}

func TestMessages(t *testing.T) {
	batch := vectorBatch(t)
	it := MessagesIn(batch)
	a, _ := it.Next()
	b, _ := it.Next()
	if string(a.Payload) != "hello" || len(a.UserHeaders) != 0 || a.ID != (U128{Lo: 1}) {
		t.Errorf("first: got %+v", a)
	}
	if string(b.Payload) != "world" || len(b.UserHeaders) == 0 || b.TimestampDelta != 10 || b.OffsetDelta != 1 {
		t.Errorf("second: got %+v", b)
	}
	if m, ok := it.Next(); ok || len(it.src) != 0 {
		t.Errorf("end: got %+v, %d bytes over", m, len(it.src))
	}
	it = MessagesIn(batch[:len(batch)-1])
	it.Next()
	if m, ok := it.Next(); ok || len(it.src) != 64 {
		t.Errorf("cut message: got %+v, %d bytes over, want none and 64", m, len(it.src))
	}
	it = MessagesIn(nil)
	if m, ok := it.Next(); ok {
		t.Errorf("no batch: got %+v", m)
	}
}

func TestNextBatch(t *testing.T) {
	first, second := buildBatch(2, 10), buildBatch(1, 5)
	batch, rest, err := NextBatch(append(bytes.Clone(first), second...))
	if !bytes.Equal(batch, first) || !bytes.Equal(rest, second) || err != nil {
		t.Errorf("got %d bytes, %d left and %v, want %d and %d", len(batch), len(rest), err, len(first), len(second))
	}
	for size := range first {
		if _, _, err := NextBatch(first[:size]); err != ErrShort {
			t.Errorf("cut to %d bytes: got %v, want %v", size, err, ErrShort)
		}
	}
	binary.LittleEndian.PutUint64(first[32:], BatchHeaderSize-1)
	if _, _, err := NextBatch(first); err != ErrMalformed {
		t.Errorf("length below the header: got %v, want %v", err, ErrMalformed)
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	batch := buildBatch(1000, 100)
	send := AppendSendMessages(nil, SendMessages{IdentNamed([]byte("orders")), IdentOf(1), Partitioning{Kind: PartitionKeyed, Key: []byte("k")}, 1000, batch})
	poll := AppendPollMessages(nil, PollMessages{Consumer: Consumer{ConsumerSingle, IdentNamed([]byte("c"))}, Stream: IdentOf(1), Topic: IdentOf(1), Strategy: Strategy{Kind: PollNext}})
	request := AppendRequestHeader(nil, sampleRequest())
	options := DefaultTopicOptions()
	block := options.AppendDerived(nil)
	frame := make([]byte, FrameHeaderSize)
	var verifier BatchVerifier
	var hasher BatchHasher
	for name, run := range map[string]func(){
		"headers": func() {
			h, _ := DecodeRequestHeader(request)
			CheckRequestHeader(h, FrameSizeMax)
			PutReplyHeader(frame, ReplyTo(h))
			PutEviction(frame, EvictionOf(h.Client, EvictNoSession))
			PutBatchHeader(frame, BatchHeader{})
		},
		"verify":  func() { VerifyBatch(batch, 1000, &verifier) },
		"steps":   func() { verifyInSteps(&verifier, batch, 1000, 1) },
		"stamp":   func() { hasher.StampBatch(batch, 0, 0, 0) },
		"slice":   func() { hasher.SliceBatch(frame, batch, 10, 990) },
		"send":    func() { m, _ := DecodeSendMessages(send); KeyPartition(m.Partitioning.Key, 3) },
		"poll":    func() { p, _ := DecodePollMessages(poll); p.Consumer.FoldID() },
		"replies": func() { PutSendReply(frame, SendConfirmation{}); PutPollPrefix(frame, PollPrefix{}) },
		"options": func() { CheckOptions(block) },
		"messages": func() {
			it := MessagesIn(batch)
			for _, ok := it.Next(); ok; _, ok = it.Next() {
			}
		},
	} {
		if got := testing.AllocsPerRun(100, run); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func FuzzVerifyBatch(f *testing.F) {
	f.Add(vectorBatch(f), uint32(2), 1)
	f.Add(buildBatch(3, 5000), uint32(3), 100)
	f.Add(buildBatch(70, 1), uint32(70), 0)
	f.Fuzz(func(t *testing.T, batch []byte, count uint32, budget int) {
		var v BatchVerifier
		var hasher BatchHasher
		for _, fit := range []bool{false, true} {
			if fit && len(batch) >= BatchHeaderSize { // else hardly anything passes the checksums
				batch = bytes.Clone(batch)
				binary.LittleEndian.PutUint64(batch[32:], uint64(len(batch)))
				it := MessagesIn(batch)
				for m, ok := it.Next(); ok; m, ok = it.Next() {
					binary.LittleEndian.PutUint64(m.Bytes, ChecksumMessage(m.Bytes))
				}
				fitChecksum(batch)
			}
			whole, stepped := VerifyBatch(batch, count, &v), verifyInSteps(&v, batch, count, budget)
			if want := slowVerify(batch, count); (whole == StatusOK) != want || whole != stepped {
				t.Fatalf("got %v at once and %v in steps of %d, want ok %v", whole, stepped, budget, want)
			}
			if whole != StatusOK {
				continue
			}
			slice := make([]byte, BatchHeaderSize)
			begin, end, ok := hasher.SliceBatch(slice, batch, count/2, count)
			if slice = append(slice, batch[begin:end]...); !ok || !slowVerify(slice, count-count/2) {
				t.Errorf("the later half of a good batch of %d is none", count)
			}
			hasher.StampBatch(batch, 1, 2, 3)
			if !slowVerify(batch, count) {
				t.Errorf("a stamped batch of %d does not verify", count)
			}
		}
	})
}

func BenchmarkVerifyBatch(b *testing.B) {
	for _, c := range []struct{ count, size int }{{1000, 1000}, {1, 100}} {
		batch := buildBatch(c.count, c.size)
		b.Run(fmt.Sprintf("%dx%dB", c.count, c.size), func(b *testing.B) {
			var v BatchVerifier
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			for b.Loop() {
				if VerifyBatch(batch, uint32(c.count), &v) != StatusOK {
					b.Fatal("batch does not verify")
				}
			}
		})
	}
}

func BenchmarkStampBatch(b *testing.B) {
	for _, c := range []struct{ count, size int }{{1000, 1000}, {1, 100}} {
		batch := buildBatch(c.count, c.size)
		b.Run(fmt.Sprintf("%dx%dB", c.count, c.size), func(b *testing.B) {
			var hasher BatchHasher
			b.ReportAllocs()
			for b.Loop() {
				hasher.StampBatch(batch, 1, 2, 3)
			}
		})
	}
}
