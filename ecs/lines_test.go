package ecs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

var plenty = Budget{Rows: 1 << 30, Bytes: 1 << 30}

func TestLinesShareOnePool(t *testing.T) {
	l := NewLines[string](2, 3)
	for _, push := range []struct {
		row  int
		v    string
		want bool
	}{{0, "a", true}, {1, "b", true}, {0, "c", true}, {1, "d", false}} {
		if got := l.Push(push.row, push.v); got != push.want {
			t.Errorf("got %q pushed %t, want %t", push.v, got, push.want)
		}
	}
	if got := l.Pop(0); got != "a" {
		t.Errorf("got %q, want \"a\"", got)
	}
	if !l.Push(1, "d") || l.Free() != 0 || l.Total() != 3 {
		t.Errorf("got %d free, %d in all, want 0 and 3", l.Free(), l.Total())
	}
	if l.Front(0) == nil || *l.Front(0) != "c" || l.Len(1) != 2 {
		t.Errorf("got front %v, want \"c\", and line 1 of %d, want 2", l.Front(0), l.Len(1))
	}
}

func TestLinesEmptyLine(t *testing.T) {
	l := NewLines[int](1, 1)
	if l.Front(0) != nil {
		t.Errorf("got front %d, want none", *l.Front(0))
	}
	wantPanic(t, "empty line of row 0", func() { l.Pop(0) })
}

func TestLinesGrowKeepsWhatWaits(t *testing.T) {
	l := NewLines[int](1, 4)
	l.Push(0, 1)
	l.Grow(1000)
	l.Push(999, 2)
	if got, want := slices.Collect(l.Ready(new(plenty))), []int{0, 999}; !slices.Equal(got, want) {
		t.Errorf("got ready rows %v, want %v", got, want)
	}
}

func TestLinesDropHandsOverInOrder(t *testing.T) {
	l := NewLines[int](2, 5)
	for v := range 3 {
		l.Push(1, v)
	}
	l.Push(0, 9)
	var dropped []int
	l.Drop(1, func(v int) { dropped = append(dropped, v) })
	if want := []int{0, 1, 2}; !slices.Equal(dropped, want) {
		t.Errorf("got dropped %v, want %v", dropped, want)
	}
	if l.Len(1) != 0 || l.Free() != 4 || l.ready.Len() != 1 {
		t.Errorf("got %d in line, %d free, %d ready, want 0, 4, 1", l.Len(1), l.Free(), l.ready.Len())
	}
}

func TestLinesReadyTakesTurnsUnderABudget(t *testing.T) {
	l := NewLines[int](5, 10)
	for _, row := range []int{0, 1, 2, 4} {
		l.Push(row, row)
	}
	var got []int
	for range 3 {
		budget := Budget{Rows: 3, Bytes: 1}
		for row := range l.Ready(&budget) { // nothing is popped
			got = append(got, row)
		}
		if budget.Rows != 0 {
			t.Errorf("got %d rows left in the budget, want 0", budget.Rows)
		}
	}
	if want := []int{0, 1, 2, 4, 0, 1, 2, 4, 0}; !slices.Equal(got, want) {
		t.Errorf("got rows %v, want %v", got, want)
	}
}

func TestLinesReadyEndsWithTheBytes(t *testing.T) {
	l := NewLines[int](3, 3)
	for row := range 3 {
		l.Push(row, 10)
	}
	var got []int
	for range 2 {
		budget := Budget{Rows: 10, Bytes: 15}
		for row := range l.Ready(&budget) {
			got = append(got, row)
			budget.Spend(0, *l.Front(row))
		}
	}
	if want := []int{0, 1, 2, 0}; !slices.Equal(got, want) {
		t.Errorf("got rows %v, want %v", got, want)
	}
	if rows := slices.Collect(l.Ready(&Budget{Rows: 1})); rows != nil {
		t.Errorf("got rows %v without bytes, want none", rows)
	}
}

func TestLinesAgreeWithSlices(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 1))
	const rows, nodesMax = 200, 64
	l := NewLines[int](rows, nodesMax)
	model := make([][]int, rows)
	total := 0
	for step := range 50_000 {
		row := random.IntN(rows)
		switch op := random.IntN(40); {
		case op == 0:
			var got []int
			l.Drop(row, func(v int) { got = append(got, v) })
			if !slices.Equal(got, model[row]) {
				t.Fatalf("step %d: got dropped %v, want %v", step, got, model[row])
			}
			total -= len(got)
			model[row] = nil
		case op < 22:
			if got, want := l.Push(row, step), total < nodesMax; got != want {
				t.Fatalf("step %d: got pushed %t, want %t", step, got, want)
			} else if got {
				model[row] = append(model[row], step)
				total++
			}
		default: // one value from each of a few ready rows
			budget := Budget{Rows: random.IntN(3), Bytes: 1}
			for row := range l.Ready(&budget) {
				if got := l.Pop(row); got != model[row][0] {
					t.Fatalf("step %d: got %d, want %d", step, got, model[row][0])
				}
				model[row] = model[row][1:]
				total--
			}
		}
		if l.Len(row) != len(model[row]) || l.Total() != total || l.Free() != nodesMax-total {
			t.Fatalf("step %d: got len %d total %d free %d, want %d %d %d",
				step, l.Len(row), l.Total(), l.Free(), len(model[row]), total, nodesMax-total)
		}
	}
	var want []int
	for row := range model {
		if len(model[row]) > 0 {
			want = append(want, row)
		}
	}
	got := slices.Sorted(l.Ready(new(plenty)))
	if !slices.Equal(got, want) || l.ready.Len() != len(want) {
		t.Errorf("got ready rows %v, want %v", got, want)
	}
}

func TestLinesDoNotAllocate(t *testing.T) {
	l := NewLines[[4]uint64](1000, 100)
	sum := uint64(0)
	wantNoAllocs(t, func() {
		for row := 0; l.Push(row%1000, [4]uint64{1}); row += 7 {
		}
		budget := plenty
		for row := range l.Ready(&budget) {
			for l.Front(row) != nil {
				sum += l.Front(row)[0]
				l.Pop(row)
			}
		}
		l.Push(3, [4]uint64{})
		l.Drop(3, func(v [4]uint64) { sum += v[0] })
	})
}

func BenchmarkLines100kRows30Ready(b *testing.B) {
	l := NewLines[[4]uint64](100_000, 1000)
	for b.Loop() {
		for row := 0; row < 100_000; row += 3333 {
			l.Push(row, [4]uint64{})
		}
		budget := plenty
		for row := range l.Ready(&budget) {
			l.Pop(row)
		}
	}
}
