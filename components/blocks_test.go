package components

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"galgo/ecs"
	"galgo/wire"
)

// gathered is what a block sends, as the kernel would put it together.
func gathered(s *State, ref BlockRef) []byte {
	if ref.Vectors == 0 {
		return bytes.Clone(s.Memory.Bytes(ref.Whole()))
	}
	var b []byte
	for i := range ref.Vectors {
		vector := s.Memory.Bytes(ref.Vector(i))
		at, n := binary.LittleEndian.Uint64(vector), binary.LittleEndian.Uint64(vector[8:])
		b = append(b, s.Memory.Bytes(Span{Off: at - s.Memory.Addr(Span{}), Len: uint32(n)})...)
	}
	return b
}

// A block of copied and referred pieces in any order sends them in that order.
func TestBlockModel(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	s, _ := memoryWorld(4 << 20)
	outside, _ := s.Arena.Alloc(ChunkSize)
	for i := range s.Memory.Bytes(outside) {
		s.Memory.Bytes(outside)[i] = byte(random.Uint32())
	}
	run := s.Journal.Runs.add(outside)
	s.Journal.Runs.Extents[run] = 1 // of a log that goes on
	before := s.Arena.InUse()
	for range 300 {
		type piece struct {
			refer bool
			span  Span
			bytes []byte
		}
		var pieces []piece
		vectors, copied := uint32(0), uint32(0)
		want := make([]byte, wire.FrameHeaderSize)
		for i := range want {
			want[i] = byte(random.Uint32())
		}
		head := bytes.Clone(want)
		for range random.IntN(20) {
			n := uint32(1 + random.IntN(500))
			if random.IntN(2) == 0 {
				from := uint32(random.IntN(ChunkSize - 500))
				span := outside.Slice(from, n)
				pieces = append(pieces, piece{refer: true, span: span})
				vectors += 2
				want = append(want, s.Memory.Bytes(span)...)
				continue
			}
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			pieces = append(pieces, piece{bytes: b})
			copied += n
			want = append(want, b...)
		}
		if vectors > 0 {
			vectors++
		}
		block, ok := s.NewBlock(ecs.None, vectors, copied)
		if !ok {
			t.Fatal("block: got no memory")
		}
		for _, p := range pieces {
			if p.refer {
				block.ReferRun(run, p.span)
			} else {
				copy(block.Room(uint32(len(p.bytes))), p.bytes)
			}
		}
		ref := block.Finish()
		copy(s.Memory.Bytes(ref.FrameHeader()), head)
		if ref.Bytes != uint64(len(want)) {
			t.Fatalf("bytes to send: got %d, want %d", ref.Bytes, len(want))
		}
		if got := gathered(s, ref); !bytes.Equal(got, want) {
			t.Fatalf("block of %d pieces: got other bytes than were put in", len(pieces))
		}
		if vectors > 0 && s.Journal.Runs.Refs[run] != 1 {
			t.Fatalf("references to the run: got %d, want 1", s.Journal.Runs.Refs[run])
		}
		s.FreeBlock(ref.Row)
		if s.Journal.Runs.Refs[run] != 0 || s.Arena.InUse() != before {
			t.Fatalf("after the block: got %d references and %d bytes, want 0 and %d", s.Journal.Runs.Refs[run], s.Arena.InUse(), before)
		}
	}
}

func TestBlockKeepsPartitionAndColdMemory(t *testing.T) {
	s, _ := memoryWorld(4 << 20)
	var entities ecs.Entities
	partition := entities.Take()
	row := s.Partitions.Insert(partition)
	block, _ := s.NewBlock(partition, 2, 16)
	block.KeepCold(Span{Slab: 9, Len: 5})
	if s.Partitions.InFlight[row] != 1 {
		t.Fatalf("in flight: got %d, want 1", s.Partitions.InFlight[row])
	}
	s.FreeBlock(block.Finish().Row)
	if s.Partitions.InFlight[row] != 0 || s.Out.FreeCold.Len() != 1 || s.Out.FreeCold.Pop() != (Span{Slab: 9, Len: 5}) {
		t.Fatalf("after the block: got %d in flight, %d reads to free", s.Partitions.InFlight[row], s.Out.FreeCold.Len())
	}
}
