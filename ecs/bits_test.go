package ecs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestBitsSetAndClearSayWhatChanged(t *testing.T) {
	var b Bits
	if !b.Set(70) || b.Set(70) {
		t.Error("got other than new, then not new, for row 70")
	}
	if !b.Clear(70) || b.Clear(70) || b.Clear(1_000_000) || b.Clear(-1) {
		t.Error("got other than cleared once for row 70 and never for others")
	}
	wantPanic(t, "set bit -1", func() { b.Set(-1) })
}

func TestBitsEmptyHasNothing(t *testing.T) {
	var b Bits
	if row, ok := b.Next(0); ok {
		t.Errorf("got row %d, want none", row)
	}
	b.Grow(100_000)
	if row, ok := b.Next(-5); ok {
		t.Errorf("got row %d, want none", row)
	}
	if b.Has(99_999) || b.Has(5_000_000) || b.Has(-1) {
		t.Error("got a row in an empty set, want none")
	}
}

func TestBitsAgreeWithMap(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 1))
	for _, rows := range []int{1, 64, 200, 20_000} {
		var b Bits
		model := map[int]bool{}
		for range 5_000 {
			row := random.IntN(rows)
			if random.IntN(3) == 0 {
				b.Set(row)
				model[row] = true
			} else {
				b.Clear(row)
				delete(model, row)
			}
			if probe := random.IntN(rows); b.Has(probe) != model[probe] {
				t.Fatalf("got row %d in the set %t, want %t", probe, b.Has(probe), model[probe])
			}
		}
		want := sortedRows(model)
		if got := slices.Collect(b.All); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if b.Len() != len(want) {
			t.Fatalf("got %d rows, want %d", b.Len(), len(want))
		}
		for range 500 {
			from := random.IntN(rows + 100)
			at, _ := slices.BinarySearch(want, from)
			row, ok := b.Next(from)
			if ok != (at < len(want)) || ok && row != want[at] {
				t.Fatalf("got next row %d %t from %d among %v", row, ok, from, want)
			}
		}
		cursor := random.IntN(rows + 1)
		at, _ := slices.BinarySearch(want, cursor)
		rotated := slices.Concat(want[at:], want[:at])
		if got := slices.Collect(b.Rotate(&cursor)); !slices.Equal(got, rotated) {
			t.Fatalf("got rotated %v, want %v", got, rotated)
		}
		if got := slices.Collect(b.TakeAll); !slices.Equal(got, want) || b.Len() != 0 {
			t.Fatalf("got taken %v and %d left, want %v and 0", got, b.Len(), want)
		}
		if row, ok := b.Next(0); ok {
			t.Fatalf("got row %d after all were taken, want none", row)
		}
	}
}

func sortedRows(set map[int]bool) []int {
	rows := make([]int, 0, len(set))
	for row := range set {
		rows = append(rows, row)
	}
	slices.Sort(rows)
	return rows
}

func TestBitsWalkSeesChangesAheadOnly(t *testing.T) {
	var b Bits
	for _, row := range []int{1, 5, 300} {
		b.Set(row)
	}
	var got []int
	for row := range b.All {
		got = append(got, row)
		if row == 5 {
			b.Set(0)     // behind
			b.Set(6)     // ahead
			b.Clear(300) // ahead
		}
	}
	if want := []int{1, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBitsTakeAllKeepsWhatIsSetAgain(t *testing.T) {
	var b Bits
	b.Set(3)
	b.Set(9)
	for row := range b.TakeAll {
		b.Set(row)
	}
	if got, want := slices.Collect(b.All), []int{3, 9}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for range b.TakeAll {
		break
	}
	if got, want := slices.Collect(b.All), []int{9}; !slices.Equal(got, want) {
		t.Errorf("got %v after a walk broken off, want %v", got, want)
	}
}

func TestBitsRotateGoesOnWhereItWasBrokenOff(t *testing.T) {
	var b Bits
	for _, row := range []int{0, 2, 64, 5000} {
		b.Set(row)
	}
	var got []int
	cursor := 0
	for range 6 {
		for row := range b.Rotate(&cursor) {
			got = append(got, row)
			break
		}
	}
	if want := []int{0, 2, 64, 5000, 0, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBitsDoNotAllocate(t *testing.T) {
	var b Bits
	b.Grow(100_000)
	cursor, sum := 0, 0
	wantNoAllocs(t, func() {
		for row := 0; row < 100_000; row += 997 {
			b.Set(row)
		}
		for row := range b.All {
			sum += row
		}
		for row := range b.Rotate(&cursor) {
			sum += row
		}
		for row := range b.TakeAll {
			sum += row
		}
	})
}

func BenchmarkBits100kRows30Set(b *testing.B) {
	var set Bits
	set.Grow(100_000)
	sum := 0
	for b.Loop() {
		for row := 0; row < 100_000; row += 3333 {
			set.Set(row)
		}
		for row := range set.TakeAll {
			sum += row
		}
	}
}

func BenchmarkBits100kRowsAllSet(b *testing.B) {
	var set Bits
	for row := range 100_000 {
		set.Set(row)
	}
	sum := 0
	for b.Loop() {
		for row := range set.All {
			sum += row
		}
	}
}
