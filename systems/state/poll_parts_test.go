package state

import (
	"testing"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// pollParts polls a log of 3,000 messages from the start, and returns how many came, from which offset, and in how many reads.
func (e *engine) pollParts(partition ecs.Entity, from uint64, count uint32, between func()) (first uint64, messages, reads int) {
	e.t.Helper()
	conn := e.poll(partition, wire.Strategy{Kind: wire.PollOffset, Value: from}, count, true)
	for {
		e.tick()
		if r, ok := e.replies[conn]; ok {
			delete(e.replies, conn)
			offset, list, _ := e.messages(e.body(r))
			return offset, len(list), reads
		}
		for e.s.Out.Cold.Len() > 0 {
			e.s.In.ColdReads.Push(e.coldRead(e.s.Out.Cold.Pop()))
			if reads++; reads == 1 {
				between()
			}
		}
		e.writeOffsets()
	}
}

// A poll of old messages gets as many as it asks for, over the ends of segments, in one answer; what a read did not bring is read behind it, and nothing
// twice.
func TestColdPollGoesOverSegments(t *testing.T) {
	e, partition := coldLog(t, 300)
	if n := e.s.Partitions.Segments[e.row(partition)].Len(); n < 3 {
		t.Fatalf("segments: got %d, want some", n)
	}
	first, messages, reads := e.pollParts(partition, 15, 2500, func() {})
	if first != 15 || messages != 2500 || reads < 3 || reads > 6 {
		t.Errorf("poll of 2,500 from 15: got %d from %d in %d reads, want all in a few", messages, first, reads)
	}
	if first, messages, _ = e.pollParts(partition, 0, 1<<20, func() {}); first != 0 || messages != 3000 {
		t.Errorf("poll of everything: got %d from %d, want 3,000", messages, first)
	}
	e.run(2)
	e.s.Now.MonoMicros += aheadMicros
	e.run(3)
	if e.reads.InUse() != 0 || e.s.Polls.Live != 0 {
		t.Errorf("afterwards: got %d bytes of reads, %d polls, want none", e.reads.InUse(), e.s.Polls.Live)
	}
}

// A poll that has something does not wait for memory: it is answered with that.
func TestColdPollTakesWhatItHas(t *testing.T) {
	e, partition := coldLog(t, 300)
	e.noSpare = true
	if first, messages, reads := e.pollParts(partition, 0, 3000, func() {}); first != 0 || messages == 0 || messages == 3000 || reads != 2 {
		t.Errorf("poll without memory for more: got %d from %d in %d reads, want what the first brought", messages, first, reads)
	}
}

// What was read of a segment that is removed before the answer is not served.
func TestColdPollMeetsRemoval(t *testing.T) {
	e, partition := coldLog(t, 300)
	row := e.row(partition)
	second := e.s.Segments.Base[e.s.Partitions.Segments[row].At(1)]
	remove := func() { removeHead(e.s, row, second) }
	if first, messages, _ := e.pollParts(partition, 0, 3000, remove); first != second || messages != int(3000-second) {
		t.Errorf("poll across a removal in the first segment: got %d from %d, want those from %d on", messages, first, second)
	}

	e, partition = coldLog(t, 300)
	row = e.row(partition)
	list := &e.s.Partitions.Segments[row]
	second = e.s.Segments.Base[list.At(1)]
	conn := e.poll(partition, wire.Strategy{Kind: wire.PollOffset}, 3000, false)
	for e.s.Out.Cold.Len() == 0 || e.s.Out.Cold.Front().File.SegmentID == e.s.Segments.ID[list.At(0)] {
		e.tick()
		if e.s.Out.Cold.Len() > 0 && e.s.Out.Cold.Front().File.SegmentID == e.s.Segments.ID[list.At(0)] {
			e.read()
		}
	}
	removeHead(e.s, row, second) // what was read lies in the first segment, what is being read in the second
	first, messages, _ := e.messages(e.body(e.settle(conn)))
	if first != second || len(messages) != int(3000-second) {
		t.Errorf("poll across a removal behind it: got %d from %d, want those from %d on", len(messages), first, second)
	}
	e.run(3)
	DoomPartition(e.s, partition)
	e.run(10)
	e.empty()
}

// A deletion ends a poll that has parts, and gives their memory back.
func TestColdPollMeetsDeletion(t *testing.T) {
	e, partition := coldLog(t, 300)
	conn := e.poll(partition, wire.Strategy{Kind: wire.PollOffset}, 3000, false)
	for reads := 0; reads < 2; {
		e.tick()
		if e.s.Out.Cold.Len() > 0 {
			e.read()
			reads++
		}
	}
	if slot := e.s.In.ColdReads.Front().Slot; len(e.s.Polls.Parts[slot]) == 0 {
		t.Fatal("before the deletion: got a poll without parts, want some")
	}
	DoomPartition(e.s, partition)
	e.tick()
	e.want(conn, wire.StatusPartitionNotFound)
	e.run(10)
	e.empty()
}

// heard counts what is logged.
type heard struct{ lines int }

func (h *heard) Log(components.LogLevel, string, ...components.LogField) { h.lines++ }

// A bit that flips in a record's header is found with few reads, whatever it says then: the poll is refused, and the log says where.
func TestColdPollMeetsRot(t *testing.T) {
	e, partition := coldLog(t, 300)
	log := &heard{}
	e.s.Log = log
	row := e.row(partition)
	list := &e.s.Partitions.Segments[row]
	for _, segment := range []uint32{list.At(1), list.Last()} {
		file, base := e.files[e.s.Segments.ID[segment]], e.s.Segments.Base[segment]
		first, _ := wire.DecodeBatchHeader(file[wire.SegmentHeadSize:])
		for bit := range 8 * wire.BatchHeaderSize {
			at := wire.SegmentHeadSize + first.Length + uint64(bit/8) // the second record
			file[at] ^= 1 << (bit % 8)
			log.lines = 0
			conn, reads := e.poll(partition, wire.Strategy{Kind: wire.PollOffset, Value: base + 10}, 5, false), 0
			for {
				e.tick()
				if _, ok := e.replies[conn]; ok {
					break
				}
				reads += e.s.Out.Cold.Len()
				e.read()
				e.freeReads()
			}
			e.want(conn, wire.StatusCannotReadMessage)
			if log.lines != 1 || reads > 3 {
				t.Errorf("bit %d of a header: got %d lines and %d reads, want one line and a few", bit, log.lines, reads)
			}
			file[at] ^= 1 << (bit % 8)
		}
	}
}
