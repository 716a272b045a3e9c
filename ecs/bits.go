package ecs

import (
	"fmt"
	"iter"
	"math/bits"
)

// Bits is a set of rows. The zero value is empty. It has two levels: a bit per row, and a bit per word of 64
// rows that is not zero, so that finding the few members among 100,000 rows reads some thirty words.
//
// A walk over the set may change it: a row that is cleared before the walk comes to it is not visited, one
// that is set ahead of the walk is, and no row is visited twice in one walk.
//
// Invariant: bit w of summary is set if and only if words[w] is not zero.
type Bits struct {
	words   []uint64
	summary []uint64
	count   int
}

// Grow makes room for rows, so that Set does not allocate below.
func (b *Bits) Grow(rows int) {
	b.words = Grow(b.words, (rows+63)/64)
	b.summary = Grow(b.summary, (len(b.words)+63)/64)
}

// Set adds the row, making room if it must, and says whether it was new. It panics if row is negative.
func (b *Bits) Set(row int) bool {
	if row < 0 {
		panic(fmt.Sprintf("ecs: set bit %d", row))
	}
	word, bit := row/64, uint64(1)<<(row%64)
	if word >= len(b.words) {
		b.Grow(row + 1)
	}
	if b.words[word]&bit != 0 {
		return false
	}
	b.words[word] |= bit
	b.summary[word/64] |= 1 << (word % 64)
	b.count++
	return true
}

// Clear removes the row and says whether it was there.
func (b *Bits) Clear(row int) bool {
	if !b.Has(row) {
		return false
	}
	word := row / 64
	b.words[word] &^= 1 << (row % 64)
	if b.words[word] == 0 {
		b.summary[word/64] &^= 1 << (word % 64)
	}
	b.count--
	return true
}

// Has says whether the row is in the set.
func (b *Bits) Has(row int) bool {
	return uint(row) < uint(len(b.words))*64 && b.words[row/64]&(1<<(row%64)) != 0
}

// Len is how many rows are in the set.
func (b *Bits) Len() int { return b.count }

// Next finds the lowest row that is not below from.
func (b *Bits) Next(from int) (row int, ok bool) {
	from = max(from, 0)
	word := from / 64
	if word >= len(b.words) {
		return 0, false
	}
	if rest := b.words[word] >> (from % 64); rest != 0 {
		return from + bits.TrailingZeros64(rest), true
	}
	return b.nextWord(word + 1)
}

// nextWord finds the lowest row in the words from this one on.
func (b *Bits) nextWord(word int) (row int, ok bool) {
	top := word / 64
	if top >= len(b.summary) {
		return 0, false
	}
	filled := b.summary[top] >> (word % 64) << (word % 64)
	for filled == 0 {
		if top++; top >= len(b.summary) {
			return 0, false
		}
		filled = b.summary[top]
	}
	word = top*64 + bits.TrailingZeros64(filled)
	if Invariants && b.words[word] == 0 {
		panic(fmt.Sprintf("ecs: word %d is marked as filled and is zero", word))
	}
	return word*64 + bits.TrailingZeros64(b.words[word]), true
}

// All visits the rows, ascending: for row := range b.All.
func (b *Bits) All(yield func(row int) bool) {
	for row, ok := b.Next(0); ok; row, ok = b.Next(row + 1) {
		if !yield(row) {
			return
		}
	}
}

// TakeAll visits the rows, ascending, and clears each before its visit. A row that its own visit, or a later
// one, sets again waits for the next walk; where the walk is broken off the rest stays.
func (b *Bits) TakeAll(yield func(row int) bool) {
	for row, ok := b.Next(0); ok; row, ok = b.Next(row + 1) {
		b.Clear(row)
		if !yield(row) {
			return
		}
	}
}

// Rotate visits each row once, from *cursor up and then from 0 up to it, and leaves *cursor behind the row
// it visited last. A walk that is broken off there is so taken up there, and no row is always last. A cursor
// begins at 0.
func (b *Bits) Rotate(cursor *int) iter.Seq[int] {
	return func(yield func(row int) bool) { b.rotate(cursor, yield) }
}

func (b *Bits) rotate(cursor *int, yield func(row int) bool) {
	start := *cursor
	for row, ok := b.Next(start); ok; row, ok = b.Next(row + 1) {
		*cursor = row + 1
		if !yield(row) {
			return
		}
	}
	for row, ok := b.Next(0); ok && row < start; row, ok = b.Next(row + 1) {
		*cursor = row + 1
		if !yield(row) {
			return
		}
	}
}
