package components

import (
	"galgo/ecs"
	"galgo/wire"
)

// StateView is what storage systems and plugins see of a State: values by row, never a slice, so that nothing of State can be
// changed through it.
type StateView struct{ s *State }

// View is the read-only face of the State.
func (s *State) View() StateView { return StateView{s} }

// Now is the time of the tick.
func (v StateView) Now() ecs.Time { return v.s.Now }

// Shard is the number of the shard.
func (v StateView) Shard() int { return v.s.Shard }

// Config is what the engine was told at start.
func (v StateView) Config() Config { return *v.s.Config }

// Partition finds a partition's row.
func (v StateView) Partition(e ecs.Entity) (row int, ok bool) { return v.s.Partitions.Row(e) }

// PartitionAt is the partition in a row.
func (v StateView) PartitionAt(row int) ecs.Entity { return v.s.Partitions.Entity(row) }

// Level is the ack level of a partition's sends.
func (v StateView) Level(row int) Level { return v.s.Partitions.Level[row] }

// AppendFile names the log file that takes a partition's appends, and says how many bytes it is to have blocks for.
func (v StateView) AppendFile(row int) (file wire.SegmentFile, growTo uint64) {
	p := &v.s.Partitions
	return v.segmentFile(row, p.AppendSegment(row)), p.GrowTo[row]
}

// AheadFile names the log file of the segment that comes after the last one, and says how many bytes it is to have blocks for. Rolls is
// false for a partition's first segment.
func (v StateView) AheadFile(row int) (file wire.SegmentFile, makeTo uint64, rolls bool) {
	p := &v.s.Partitions
	return v.segmentFile(row, p.Ahead[row]), p.MakeTo[row], p.Segments[row].Len() > 0
}

// SegmentSize is the roll limit of a partition, in bytes.
func (v StateView) SegmentSize(row int) uint64 { return v.s.Partitions.SegmentSize[row] }

// WriteFile names the log file that a partition's sealed bytes go to.
func (v StateView) WriteFile(row int) wire.SegmentFile {
	return v.segmentFile(row, v.s.Partitions.Write[row])
}

func (v StateView) segmentFile(row int, segment uint32) wire.SegmentFile {
	p := &v.s.Partitions
	return wire.SegmentFile{CreatedSeq: p.Created[row], PartitionID: p.ID[row], SegmentID: v.s.Segments.ID[segment], Kind: wire.SegmentLog}
}

// Allocated is how many bytes the append segment's file has blocks for.
func (v StateView) Allocated(row int) uint64 {
	return v.s.Segments.Allocated[v.s.Partitions.AppendSegment(row)]
}

// WriteAllocated is how many bytes the file has blocks for that a partition's sealed bytes go to.
func (v StateView) WriteAllocated(row int) uint64 {
	return v.s.Segments.Allocated[v.s.Partitions.Write[row]]
}

// SegmentFileOf names the log of a segment of a partition.
func (v StateView) SegmentFileOf(row int, segmentID uint64) wire.SegmentFile {
	p := &v.s.Partitions
	return wire.SegmentFile{CreatedSeq: p.Created[row], PartitionID: p.ID[row], SegmentID: segmentID, Kind: wire.SegmentLog}
}

// SegmentGone says whether a segment is not part of a partition's log any more. Segment ids ascend along a log.
func (v StateView) SegmentGone(row int, segmentID uint64) bool {
	list := &v.s.Partitions.Segments[row]
	return list.Len() == 0 || segmentID < v.s.Segments.ID[list.At(0)]
}

// BulkMax is what the engine was told of how many bytes of bulk writes are in flight before the next one waits.
func (v StateView) BulkMax() uint64 { return uint64(v.s.Config.BulkMax) }

// Secret seeds the checksums of the data directory.
func (v StateView) Secret() uint64 { return v.s.Config.Secret }

// Sealed is the range of the file that a write is to cover: whole blocks from the one in which the last write ended.
func (v StateView) Sealed(row int) (from, to, sealed uint64) {
	p := &v.s.Partitions
	return AlignDown(p.Written[row]), AlignUp(p.Sealed[row]), p.Sealed[row]
}

// SealedVectors yields the memory of the blocks [from, to) of the segment being written, in order; neighbours in memory come
// as one. They end with the extent that was the last one when they were sealed: what was appended since begins with a copy of the last block, and
// goes on to change.
func (v StateView) SealedVectors(row int, yield func(Span) bool) {
	s := v.s
	p, x := &s.Partitions, &s.Journal.Extents
	from, to, _ := v.Sealed(row)
	list, segment := &p.Extents[row], p.Write[row]
	var last Span
	for i := s.sealedIndex(row, from); i < list.Len() && from < to; i++ {
		e := list.At(i)
		if x.Segment[e] != segment {
			break
		}
		end := min(AlignUp(x.end(e)), to)
		if e != p.SealedExtent[row] && i+1 < list.Len() && x.Segment[list.At(i+1)] == segment {
			end = min(end, x.File[list.At(i+1)]) // the next one holds a copy of this one's last block
		}
		if end <= from {
			continue
		}
		room := s.extentRoom(e)
		piece := room.Slice(uint32(from-x.File[e]), uint32(end-from))
		from = end
		if last.Len > 0 && last.Slab == piece.Slab && last.Off+uint64(last.Len) == piece.Off {
			last.Len += piece.Len
			continue
		}
		if last.Len > 0 && !yield(last) {
			return
		}
		last = piece
	}
	if last.Len > 0 {
		yield(last)
	}
}

// Padded says whether nothing lies behind a partition's sealed bytes that was there when they were sealed: the rest of their last block is zero.
func (v StateView) Padded(row int) bool {
	p := &v.s.Partitions
	return v.s.Journal.Extents.end(p.SealedExtent[row]) == p.Sealed[row]
}

// sealedIndex is the number of the extent that holds the byte at position from of the segment being written, as it was sealed.
func (s *State) sealedIndex(row int, from uint64) int {
	p, x := &s.Partitions, &s.Journal.Extents
	list, segment := &p.Extents[row], p.Write[row]
	i := list.Len() - 1
	for i > 0 && list.At(i) != p.SealedExtent[row] {
		i--
	}
	for i > 0 {
		e := list.At(i)
		if x.Segment[e] == segment && x.File[e] <= from {
			break
		}
		i--
	}
	return i
}

// LastBlock says where the last, partly filled block of a partition's log lies.
func (v StateView) LastBlock(row int) (file wire.SegmentFile, position uint64) {
	segment := v.s.Partitions.AppendSegment(row)
	return v.segmentFile(row, segment), AlignDown(v.s.Segments.End[segment])
}

// ConnRow finds a connection's row.
func (v StateView) ConnRow(e ecs.Entity) (row int, ok bool) { return v.s.Conns.Row(e) }

// FrameMax is the largest frame that a connection may send now.
func (v StateView) FrameMax(row int) uint32 {
	if v.s.Conns.Session[row] == 0 {
		return v.s.LoginMax
	}
	return v.s.Config.FrameMax
}

// Lead is how many bytes to leave before a connection's next frame of so many bytes, so that its batch lies as the log's next blocks would; none where it
// would be too small to be left there.
func (v StateView) Lead(row int, size uint32) uint32 {
	if size < v.s.adoptLeast() {
		return 0
	}
	return uint32(v.s.Conns.Lead[row])
}

// Kept says whether the journal has the memory of the frame that a connection's request came in.
func (v StateView) Kept(row int) bool { return v.s.Conns.Kept[row] }

// Stopping says that the shard is being stopped.
func (v StateView) Stopping() bool { return v.s.Stopping }
