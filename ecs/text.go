package ecs

import (
	"fmt"
	"math"
)

// Text keeps immutable strings of a table in one piece of memory, so that a column of names is a column of
// Spans without a pointer in it. The zero value is empty. At most 4 GiB fit.
//
// Bytes of removed strings stay until Compact; the table that owns the columns calls it when Wasteful says so.
type Text struct {
	bytes   []byte
	garbage int // bytes that no span refers to
}

// Span is the place of one string in a Text. The zero Span is the empty string, and belongs to any Text.
type Span struct {
	Start, Size uint32 // bytes
}

// textWasteMin keeps small texts from being compacted over and over.
const textWasteMin = 4096

// Add keeps a copy of s. It panics when 4 GiB are exceeded.
func (t *Text) Add(s []byte) Span {
	if len(s) == 0 {
		return Span{}
	}
	if len(t.bytes)+len(s) > math.MaxUint32 {
		panic(fmt.Sprintf("ecs: add %d bytes to a text of %d", len(s), len(t.bytes)))
	}
	span := Span{Start: uint32(len(t.bytes)), Size: uint32(len(s))}
	t.bytes = append(t.bytes, s...)
	return span
}

// Get returns the string. It belongs to the text and must not be written to; it does not change, even when
// the text does, but it keeps the memory of an old text alive: use it and let it go.
func (t *Text) Get(span Span) []byte {
	end := span.Start + span.Size
	return t.bytes[span.Start:end:end]
}

// Remove lets the string go and makes the span empty, so that it is neither removed nor compacted again.
func (t *Text) Remove(span *Span) {
	t.garbage += int(span.Size)
	*span = Span{}
}

// Len is how many bytes are in use.
func (t *Text) Len() int { return len(t.bytes) - t.garbage }

// Wasteful says whether more than half of the memory holds removed strings, and enough for Compact to pay.
func (t *Text) Wasteful() bool { return t.garbage > textWasteMin && t.garbage > len(t.bytes)/2 }

// Compact moves the strings of these columns together and drops everything else; the spans are changed in
// place. All columns with spans of this text must be given, each string in exactly one span, rows
// without a string empty, as Remove leaves them. It panics if the strings do not add up to Len.
func (t *Text) Compact(columns ...[]Span) {
	moved := make([]byte, 0, t.Len()+t.Len()/4) // new memory, because Get promises that old strings stay
	for _, column := range columns {
		for row, span := range column {
			if span.Size > 0 {
				column[row].Start = uint32(len(moved))
				moved = append(moved, t.Get(span)...)
			}
		}
	}
	if len(moved) != t.Len() {
		panic(fmt.Sprintf("ecs: compacted columns hold %d bytes of a text of %d", len(moved), t.Len()))
	}
	t.bytes, t.garbage = moved, 0
}
