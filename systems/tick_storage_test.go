package systems

import (
	"bytes"
	"io"
	"slices"
	"syscall"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// tickKinds are the kinds of what can be in flight, as scripts name them.
var tickKinds = []string{"control", "grow", "write", "offsets", "sync", "tail", "cold", "unlink"}

// tickDisk is the files, and the operations that have not returned.
type tickDisk struct {
	files    map[uint64]*tickFile // by segment id
	inFlight []tickOperation      // oldest first
}

// tickFile is the log of a segment.
type tickFile struct {
	bytes     []byte
	allocated uint64
}

// tickOperation is an order that storage has taken. Finish makes the fact of it.
type tickOperation struct {
	kind      string
	partition ecs.Entity
	text      string
	finish    func(err syscall.Errno)
}

func (w *tickWorld) order(kind string, partition ecs.Entity, text string, finish func(syscall.Errno)) {
	w.print.Line(0, "%s", text)
	w.disk.inFlight = append(w.disk.inFlight, tickOperation{kind, partition, text, finish})
}

// complete lets the operations of a kind return, of one partition unless that is None, and says whether there were any.
func (w *tickWorld) complete(kind string, partition ecs.Entity, err syscall.Errno) bool {
	done := slices.Clone(w.disk.inFlight)
	w.disk.inFlight = w.disk.inFlight[:0]
	for _, o := range done {
		if o.kind != kind || partition != ecs.None && o.partition != partition {
			w.disk.inFlight = append(w.disk.inFlight, o)
		}
	}
	found := len(w.disk.inFlight) < len(done)
	for _, o := range done {
		if o.kind == kind && (partition == ecs.None || o.partition == partition) {
			o.finish(err)
		}
	}
	return found
}

// takeOrders is what the storage systems do in Drive.
func (w *tickWorld) takeOrders() {
	w.printAppended()
	out := w.state.Out
	for out.FreeCold.Len() > 0 {
		w.buffers.Free(out.FreeCold.Pop())
	}
	for row := range out.Make.TakeAll {
		w.make(row)
	}
	for row := range out.Grow.TakeAll {
		w.grow(row)
	}
	w.control()
	for row := range out.Write.TakeAll {
		w.write(row)
	}
	w.offsets()
	for out.Index.Len() > 0 {
		mark := out.Index.Pop()
		w.print.Line(0, "index %s %s entry @%d offset=%d%s", w.name(mark.Partition), components.RunCounter(mark.SegmentID), mark.Entry.Position,
			mark.Entry.Offset, map[bool]string{true: " synced"}[mark.Entry.Synced])
	}
	for out.Vouch.Len() > 0 {
		w.vouch(out.Vouch.Pop())
	}
	for row := range out.ReadTail.TakeAll {
		w.readTail(row)
	}
	for out.Cold.Len() > 0 {
		w.readCold(out.Cold.Pop())
	}
	for out.Unlink.Len() > 0 {
		w.unlink(out.Unlink.Pop())
	}
	w.takeReplies()
	for w.works && out.Jobs.Len() > 0 {
		job := out.Jobs.Pop()
		w.state.In.Jobs.Push(components.JobDone{Kind: job.Kind, Conn: job.Conn, Res: job.Run()})
	}
	if out.Jobs.Len()+out.Adopt.Len()+out.Refuse.Len() > 0 {
		w.t.Fatalf("orders: got %d jobs, %d adoptions, %d refusals, want none in a script", out.Jobs.Len(), out.Adopt.Len(), out.Refuse.Len())
	}
}

func (w *tickWorld) line(format string, args ...any) string {
	var b bytes.Buffer
	components.NewPrinter(&b).Line(0, format, args...)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// make makes the file of the segment that comes next: it grows from nothing.
func (w *tickWorld) make(row int) {
	v := w.state.View()
	file, to, _ := v.AheadFile(row)
	partition := v.PartitionAt(row)
	w.order("grow", partition, w.line("grow %s %s [0,%d)", w.name(partition), components.RunCounter(file.SegmentID), to), func(err syscall.Errno) {
		made := components.Grown{Partition: partition, SegmentID: file.SegmentID, Err: err}
		if err == 0 {
			made.Allocated = to
			w.disk.files[file.SegmentID] = &tickFile{allocated: to}
		}
		w.state.In.Grown.Push(made)
	})
}

func (w *tickWorld) grow(row int) {
	v := w.state.View()
	file, to := v.AppendFile(row)
	partition, have := v.PartitionAt(row), v.Allocated(row)
	w.order("grow", partition, w.line("grow %s %s [%d,%d)", w.name(partition), components.RunCounter(file.SegmentID), have, to), func(err syscall.Errno) {
		allocated := have
		if err == 0 {
			allocated = to
			w.disk.files[file.SegmentID].allocated = to
		}
		w.state.In.Grown.Push(components.Grown{Partition: partition, SegmentID: file.SegmentID, Allocated: allocated, Err: err})
	})
}

// write takes what is sealed. What is handed to a write must be the same when it returns.
func (w *tickWorld) write(row int) {
	v := w.state.View()
	file, partition := v.WriteFile(row), v.PartitionAt(row)
	from, to, sealed := v.Sealed(row)
	var spans []components.Span
	var content []byte
	v.SealedVectors(row, func(span components.Span) bool {
		spans = append(spans, span)
		content = append(content, w.state.Memory.Bytes(span)...)
		return true
	})
	f := w.disk.files[file.SegmentID]
	if f == nil || to > f.allocated || uint64(len(content)) != to-from {
		w.t.Fatalf("write of %s: got [%d,%d) with %d bytes, want blocks that the file has and as many bytes", w.name(partition), from, to, len(content))
	}
	durable := ""
	if v.Level(row) == components.LevelDurable {
		durable = " durable"
	}
	w.order("write", partition, w.line("write %s %s [%d,%d)%s", w.name(partition), components.RunCounter(file.SegmentID), from, sealed, durable), func(err syscall.Errno) {
		var now []byte
		for _, span := range spans {
			now = append(now, w.state.Memory.Bytes(span)...)
		}
		if !bytes.Equal(now, content) {
			w.t.Errorf("write of %s: got blocks that changed in flight, want them frozen", w.name(partition))
		}
		if err == 0 {
			f.bytes = append(f.bytes[:min(uint64(len(f.bytes)), from)], content...)
		}
		w.state.In.Wrote.Push(components.Wrote{Partition: partition, SegmentID: file.SegmentID, To: sealed, Err: err})
	})
}

// control takes the control log write that is ordered, and reads it as recovery would.
func (w *tickWorld) control() {
	order := w.state.Out.Control
	if len(order.Bytes) == 0 {
		return
	}
	w.state.Out.Control = components.ControlOrder{}
	w.order("control", ecs.None, w.line("control below record %d", order.Number), func(err syscall.Errno) {
		w.state.In.Control.Push(components.ControlWritten{Number: order.Number, Err: err})
	})
	first := order.Number
	for at := 0; at < len(order.Bytes); first-- {
		_, size, err := wire.DecodeEvent(order.Bytes[at:])
		if err != nil {
			w.t.Fatalf("control record: got %v, want an event", err)
		}
		at += size + 24 // the number, safe below, checksum
	}
	reader, err := wire.NewControlReader(append(wire.AppendControlLogHead(nil, first, tickSecret), order.Bytes...), tickSecret)
	for err == nil {
		var number uint64
		var event wire.Event
		if number, event, err = reader.Next(); err == nil {
			w.print.Event(number, &event)
		}
	}
	if err != io.EOF {
		w.t.Fatalf("control records: got %v, want them to be read", err)
	}
}

func (w *tickWorld) offsets() {
	order := w.state.Out.Offsets
	if len(order.Records) == 0 {
		return
	}
	w.state.Out.Offsets = components.OffsetsOrder{}
	text := w.line("offsets %d records", len(order.Records)/wire.OffsetRecordSize)
	if order.Durable {
		text += " durable"
	}
	w.order("offsets", ecs.None, text, func(err syscall.Errno) {
		w.state.In.OffsetsDone.Push(components.OffsetsWritten{Order: order.Order, Err: err})
	})
}

func (w *tickWorld) vouch(o components.VouchOrder) {
	text := w.line("vouch %s %s end=%d next=%d", w.name(o.Partition), components.RunCounter(o.File.SegmentID), o.Entry.Position, o.Entry.Offset)
	w.order("sync", o.Partition, text, func(err syscall.Errno) {
		w.state.In.Vouched.Push(components.Vouched{Partition: o.Partition, Segment: o.Segment, SegmentID: o.File.SegmentID, Position: o.Entry.Position, Err: err})
	})
}

// read brings bytes of a file into memory, zeros behind its end.
func (w *tickWorld) read(segment, from, size uint64) components.Span {
	span, ok := w.buffers.Alloc(uint32(size))
	if !ok {
		w.t.Fatalf("buffers: got no memory for %d bytes, want some", size)
	}
	b := w.state.Memory.Bytes(span)
	clear(b)
	content := w.disk.files[segment].bytes
	copy(b, content[min(from, uint64(len(content))):])
	return span
}

func (w *tickWorld) readTail(row int) {
	v := w.state.View()
	partition := v.PartitionAt(row)
	file, position := v.LastBlock(row)
	w.order("tail", partition, w.line("read-tail %s %s @%d", w.name(partition), components.RunCounter(file.SegmentID), position), func(err syscall.Errno) {
		tail := components.TailRead{Partition: partition, Err: err}
		if err == 0 {
			tail.Span = w.read(file.SegmentID, position, components.UnitSize)
		}
		w.state.In.Tails.Push(tail)
	})
}

// readCold reads from the position that is asked for, or, having no index, from the first record.
func (w *tickWorld) readCold(o components.ColdOrder) {
	place := "by index"
	if o.Position != components.NoPosition {
		place = w.line("@%d", o.Position)
	} else {
		o.Position = wire.SegmentHeadSize
	}
	partition := w.state.Polls.Request[o.Slot].Partition
	text := w.line("read-cold %s %s %s below %d", w.name(partition), components.RunCounter(o.File.SegmentID), place, o.End)
	w.order("cold", partition, text, func(err syscall.Errno) {
		read := components.ColdRead{Slot: o.Slot, Position: o.Position, Err: err}
		if err == 0 {
			from := components.AlignDown(o.Position)
			size := min(components.AlignUp(o.Position-from+uint64(o.Size)), components.AlignUp(o.End)-from)
			read.Memory = w.read(o.File.SegmentID, from, size)
			begin, end := o.Position-from, min(size, o.End-from)
			read.Span = read.Memory.Slice(uint32(begin), uint32(end-begin))
		}
		w.state.In.ColdReads.Push(read)
	})
}

// unlink removes a file; the last order of a partition is what completes.
func (w *tickWorld) unlink(o components.Unlink) {
	if o.Last {
		w.order("unlink", o.Partition, w.line("unlink %v done", o.Partition), func(syscall.Errno) { w.state.In.Removed.Push(o.Partition) })
		return
	}
	w.print.Line(0, "unlink %v %s", o.Partition, wire.SegmentName(o.File.CreatedSeq, o.File.PartitionID, o.File.SegmentID, wire.SegmentLog))
	delete(w.disk.files, o.File.SegmentID)
}
