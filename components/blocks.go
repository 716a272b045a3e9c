package components

import (
	"encoding/binary"
	"fmt"

	"galgo/ecs"
	"galgo/wire"
)

// The layout of a reply block:
//
//	0           64                 Frame
//	| msghdr    | vectors, 16 each | frame header and what else is copied ...
//
// The home shard that sends the block fills in the msghdr and the frame header. Vectors are address and length, as the kernel's
// iovec: u64 each, little-endian.
const (
	msghdrSize = 64
	vectorSize = 16
	// VectorsMax is the most vectors of one operation (the kernel's UIO_MAXIOV).
	VectorsMax = 1024
)

// Blocks is the State component of replies that are ready to be sent or being sent: memory of their own, and what they refer to.
type Blocks struct {
	slots ecs.Slots
	Span  []Span
	Runs  [][]uint32 // journal runs that the vectors point into; counted in Runs.Refs
	Cold  [][]Span   // memory of cold reads that the vectors point into
	Row   []ecs.Entity
}

// Block is the block being filled.
type Block struct {
	s       *State
	row     uint32
	span    Span
	vectors uint32
	max     uint32
	fill    uint32 // next free byte
	bytes   uint64
	open    uint32 // where the copied piece that is not in a vector yet begins
}

// NewBlock takes memory for a reply of up to vectors vectors and so many copied bytes (the frame header not counted). It
// returns false when there is no memory now. With vectors = 0 the reply is one piece.
func (s *State) NewBlock(partition ecs.Entity, vectors uint32, copied uint32) (Block, bool) {
	size := frameAt(vectors) + wire.FrameHeaderSize + copied
	span, ok := s.AllocHot(size)
	if !ok {
		return Block{}, false
	}
	b := &s.Blocks
	row, n := b.slots.Take(), b.slots.Cap()
	b.Span = ecs.Grow(b.Span, n)
	b.Runs = ecs.Grow(b.Runs, n)
	b.Cold = ecs.Grow(b.Cold, n)
	b.Row = ecs.Grow(b.Row, n)
	b.Span[row], b.Runs[row], b.Cold[row], b.Row[row] = span, b.Runs[row][:0], b.Cold[row][:0], partition
	if partition, ok := s.Partitions.Row(partition); ok {
		s.Partitions.InFlight[partition]++
	}
	at := frameAt(vectors)
	return Block{s: s, row: row, span: span, max: vectors, fill: at + wire.FrameHeaderSize, open: at, bytes: wire.FrameHeaderSize}, true
}

func frameAt(vectors uint32) uint32 { return msghdrSize + vectorSize*vectors }

// FrameHeader is the place of the reply header in a block.
func (r BlockRef) FrameHeader() Span { return r.Span.Slice(r.Frame, wire.FrameHeaderSize) }

// Vector is the place of vector i in a block.
func (r BlockRef) Vector(i uint32) Span { return r.Span.Slice(msghdrSize+vectorSize*i, vectorSize) }

// Whole is what is sent of a block without vectors.
func (r BlockRef) Whole() Span { return r.Span.Slice(r.Frame, uint32(r.Bytes)) }

// Room returns the next n bytes of the block to be filled with a copied piece of the reply.
func (b *Block) Room(n uint32) []byte {
	if b.fill+n > b.span.Len {
		panic(fmt.Sprintf("components: block of %d bytes overfilled by %d", b.span.Len, b.fill+n-b.span.Len))
	}
	piece := b.s.Memory.Bytes(b.span.Slice(b.fill, n))
	b.fill += n
	b.bytes += uint64(n)
	return piece
}

// Body is the first copied piece of the body: from behind the frame header to what is filled.
func (b *Block) Body() []byte {
	from := frameAt(b.max) + wire.FrameHeaderSize
	return b.s.Memory.Bytes(b.span.Slice(from, b.fill-from))
}

// Refer makes memory outside the block the next piece of the reply. The block must have been made with vectors.
func (b *Block) Refer(piece Span) {
	b.flush()
	b.vector(piece)
	b.bytes += uint64(piece.Len)
}

// ReferRun is Refer for a piece of a journal run, which stays until the reply is sent.
func (b *Block) ReferRun(run uint32, piece Span) {
	b.Refer(piece)
	runs := &b.s.Blocks.Runs[b.row]
	if n := len(*runs); n == 0 || (*runs)[n-1] != run {
		*runs = append(*runs, run)
		b.s.Journal.Runs.Refs[run]++
	}
}

// KeepCold makes a cold read's memory stay until the reply is sent.
func (b *Block) KeepCold(span Span) { b.s.Blocks.Cold[b.row] = append(b.s.Blocks.Cold[b.row], span) }

func (b *Block) flush() {
	if b.max > 0 && b.open < b.fill {
		b.vector(b.span.Slice(b.open, b.fill-b.open))
		b.open = b.fill
	}
}

func (b *Block) vector(piece Span) {
	if b.vectors == b.max {
		panic(fmt.Sprintf("components: more than %d vectors in a block", b.max))
	}
	at := b.s.Memory.Bytes(b.span.Slice(msghdrSize+vectorSize*b.vectors, vectorSize))
	binary.LittleEndian.PutUint64(at, b.s.Memory.Addr(piece))
	binary.LittleEndian.PutUint64(at[8:], uint64(piece.Len))
	b.vectors++
}

// Finish closes the block.
func (b *Block) Finish() BlockRef {
	b.flush()
	return BlockRef{Shard: uint8(b.s.Shard), Row: b.row, Span: b.span, Vectors: b.vectors, Frame: frameAt(b.max), Bytes: b.bytes}
}

// FreeBlock takes back a block that was sent, or will not be.
func (s *State) FreeBlock(row uint32) {
	b := &s.Blocks
	for _, run := range b.Runs[row] {
		s.releaseRun(run)
	}
	for _, memory := range b.Cold[row] {
		s.Out.FreeCold.Push(memory)
	}
	if partition, ok := s.Partitions.Row(b.Row[row]); ok {
		s.Partitions.InFlight[partition]--
	}
	s.Arena.Free(b.Span[row])
	b.Span[row], b.Cold[row], b.Row[row] = Span{}, b.Cold[row][:0], ecs.None
	b.slots.Put(row)
}
