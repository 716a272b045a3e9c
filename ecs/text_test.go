package ecs

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestTextKeepsCopies(t *testing.T) {
	var text Text
	name := []byte("orders")
	span := text.Add(name)
	empty := text.Add(nil)
	name[0] = 'X'
	if got := string(text.Get(span)); got != "orders" {
		t.Errorf("got %q, want \"orders\"", got)
	}
	if got := text.Get(empty); len(got) != 0 || empty != (Span{}) {
		t.Errorf("got %q at %v, want an empty string at the zero span", got, empty)
	}
	if got := text.Get(span); cap(got) != len(got) {
		t.Errorf("got capacity %d, want %d: an append must not reach the next string", cap(got), len(got))
	}
}

func TestTextRemoveEmptiesTheSpan(t *testing.T) {
	var text Text
	span := text.Add([]byte("orders"))
	text.Remove(&span)
	text.Remove(&span)
	if span != (Span{}) || text.Len() != 0 {
		t.Errorf("got span %v and %d bytes in use, want the zero span and 0", span, text.Len())
	}
}

// A text is compacted for the sake of more than half of it, and not for little.
func TestTextIsWastefulFromHalfOn(t *testing.T) {
	var text Text
	spans := []Span{text.Add(make([]byte, 2*textWasteMin)), text.Add(make([]byte, textWasteMin)), text.Add(make([]byte, 2*textWasteMin))}
	for i, want := range []bool{false, true, true} {
		text.Remove(&spans[i])
		if got := text.Wasteful(); got != want {
			t.Errorf("%d strings of 3 removed, %d bytes left: got wasteful %v, want %v", i+1, text.Len(), got, want)
		}
	}
	var small Text
	span := small.Add(make([]byte, textWasteMin))
	if small.Remove(&span); small.Wasteful() {
		t.Error("a small text, all removed: got wasteful, want not")
	}
}

func TestTextCompactWantsEveryString(t *testing.T) {
	var text Text
	column := []Span{text.Add([]byte("orders"))}
	text.Add([]byte("lost"))
	wantPanic(t, "hold 6 bytes of a text of 10", func() { text.Compact(column) })
}

func TestTextAgreesWithStrings(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 1))
	var text Text
	columns := [2][]Span{make([]Span, 50), make([]Span, 70)}
	model := [2][70]string{}
	compactions := 0
	for step := range 20_000 {
		c := random.IntN(2)
		row := random.IntN(len(columns[c]))
		text.Remove(&columns[c][row])
		model[c][row] = ""
		if random.IntN(3) > 0 {
			model[c][row] = fmt.Sprintf("%0*d", random.IntN(200), step)
			columns[c][row] = text.Add([]byte(model[c][row]))
		}
		if text.Wasteful() {
			held := text.Get(columns[c][row])
			text.Compact(columns[0], columns[1])
			text.Add(make([]byte, 0))
			compactions++
			if string(held) != model[c][row] {
				t.Fatalf("step %d: got %q for a string held over Compact, want %q", step, held, model[c][row])
			}
		}
		size := 0
		for c := range columns {
			for row := range columns[c] {
				size += len(model[c][row])
				if step%100 == 0 && string(text.Get(columns[c][row])) != model[c][row] {
					t.Fatalf("step %d: got %q, want %q", step, text.Get(columns[c][row]), model[c][row])
				}
			}
		}
		if text.Len() != size {
			t.Fatalf("step %d: got %d bytes in use, want %d", step, text.Len(), size)
		}
		if len(text.bytes) > 2*(size+textWasteMin)+200 {
			t.Fatalf("step %d: got %d bytes held for %d in use", step, len(text.bytes), size)
		}
	}
	if compactions == 0 {
		t.Error("got no compaction, want some")
	}
}
