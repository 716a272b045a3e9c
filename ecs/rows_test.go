package ecs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRowsStayAndTheLowestIsReused(t *testing.T) {
	r := NewRows(10)
	for index := range uint32(4) {
		if got := r.Insert(MakeEntity(index, 1)); got != int(index) {
			t.Fatalf("got row %d, want %d", got, index)
		}
	}
	r.Remove(MakeEntity(2, 1))
	r.Remove(MakeEntity(0, 1))
	if got := r.MustRow(MakeEntity(3, 1)); got != 3 {
		t.Errorf("got row %d, want 3", got)
	}
	for _, want := range []int{0, 2, 4} {
		if got := r.Insert(MakeEntity(uint32(want)+100, 1)); got != want {
			t.Errorf("got row %d, want %d", got, want)
		}
	}
	if r.Cap() != 5 || r.Len() != 5 || r.Free() != 5 || r.Max() != 10 {
		t.Errorf("got cap %d len %d free %d max %d, want 5, 5, 5, 10", r.Cap(), r.Len(), r.Free(), r.Max())
	}
}

func TestRowsDoNotFindAnotherGeneration(t *testing.T) {
	r := NewRows(10)
	r.Insert(MakeEntity(7, 2))
	for _, e := range []Entity{None, MakeEntity(7, 1), MakeEntity(7, 3), MakeEntity(6, 2), MakeEntity(4_000_000_000, 1)} {
		if row, ok := r.Row(e); ok {
			t.Errorf("got row %d for %v, want none", row, e)
		}
	}
	wantPanic(t, "entity 7v1 is not in the table", func() { r.MustRow(MakeEntity(7, 1)) })
	wantPanic(t, "remove entity 7v1", func() { r.Remove(MakeEntity(7, 1)) })
	wantPanic(t, "insert entity 7v3, while 7v2", func() { r.Insert(MakeEntity(7, 3)) })
}

func TestRowsRefuseMoreThanMax(t *testing.T) {
	r := NewRows(1)
	wantPanic(t, "generation 0", func() { r.Insert(None) })
	r.Insert(MakeEntity(0, 1))
	wantPanic(t, "insert entity 1v1 into a table that has its 1 rows", func() { r.Insert(MakeEntity(1, 1)) })
}

func TestRowsMayBeRemovedInAWalk(t *testing.T) {
	r := NewRows(10)
	for index := range uint32(4) {
		r.Insert(MakeEntity(index, 1))
	}
	var got []int
	for row := range r.All {
		got = append(got, row)
		r.Remove(r.Entity(row))
		if row == 0 {
			r.Remove(MakeEntity(2, 1))
		}
	}
	if want := []int{0, 1, 3}; !slices.Equal(got, want) || r.Len() != 0 {
		t.Errorf("got rows %v and %d left, want %v and 0", got, r.Len(), want)
	}
}

func TestRowsAgreeWithMap(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 1))
	const rowsMax, indexes = 100, 150
	r := NewRows(rowsMax)
	var values []uint64 // a column
	model := map[Entity]int{}
	taken := map[int]Entity{}
	generations := [indexes]uint32{}
	for step := range 50_000 {
		index := random.Uint32N(indexes)
		e := MakeEntity(index, generations[index])
		if row, ok := model[e]; ok {
			if got := r.Remove(e); got != row {
				t.Fatalf("step %d: got row %d, want %d", step, got, row)
			}
			delete(model, e)
			delete(taken, row)
		} else if len(model) < rowsMax {
			generations[index]++
			e = MakeEntity(index, generations[index])
			want := 0
			for taken[want] != None {
				want++
			}
			got := r.Insert(e)
			if got != want {
				t.Fatalf("step %d: got row %d, want %d", step, got, want)
			}
			values = Grow(values, r.Cap())
			values[got] = uint64(e)
			model[e], taken[got] = got, e
		}
		probe := MakeEntity(random.Uint32N(indexes), 0)
		probe = MakeEntity(probe.Index(), generations[probe.Index()]-random.Uint32N(2))
		row, ok := r.Row(probe)
		if want, wantOK := model[probe]; ok != wantOK || row != want {
			t.Fatalf("step %d: got row %d %t for %v, want %d %t", step, row, ok, probe, want, wantOK)
		}
		if ok && values[row] != uint64(probe) {
			t.Fatalf("step %d: got column value of %v, want that of %v", step, Entity(values[row]), probe)
		}
		if r.Len() != len(model) || r.Free() != rowsMax-len(model) {
			t.Fatalf("step %d: got len %d free %d, want %d %d", step, r.Len(), r.Free(), len(model), rowsMax-len(model))
		}
	}
	var want []int
	for row := range r.Cap() {
		if r.Entity(row) != taken[row] {
			t.Errorf("got %v in row %d, want %v", r.Entity(row), row, taken[row])
		}
		if taken[row] != None {
			want = append(want, row)
		}
	}
	if got := slices.Collect(r.All); !slices.Equal(got, want) {
		t.Errorf("got rows %v, want %v", got, want)
	}
}

func TestRowsDoNotAllocateOnceGrown(t *testing.T) {
	r := NewRows(1000)
	var sizes []int64
	turn := func() {
		for index := range uint32(1000) {
			row := r.Insert(MakeEntity(index, 1))
			sizes = Grow(sizes, r.Cap())
			sizes[row]++
		}
		for row := range r.All {
			r.Remove(r.Entity(row))
		}
	}
	turn()
	wantNoAllocs(t, turn)
}

func TestGrowKeepsValuesAndDoubles(t *testing.T) {
	column := Grow([]int(nil), 3)
	column[2] = 7
	if same := Grow(column, 2); len(same) != 3 {
		t.Errorf("got %d rows after growing to fewer, want 3", len(same))
	}
	allocs := 0
	for rows := range 10_000 {
		before := cap(column)
		column = Grow(column, rows)
		if cap(column) != before {
			allocs++
		}
	}
	if column[2] != 7 || len(column) != 9_999 || allocs > 12 {
		t.Errorf("got value %d, %d rows, %d allocations, want 7, 9999 and at most 12", column[2], len(column), allocs)
	}
}
