package ecs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// nameTable is the least table that Names can serve.
type nameTable struct {
	parents []uint64
	names   [][]byte
	index   Names
}

func newNameTable(rows int) *nameTable {
	t := &nameTable{parents: make([]uint64, rows), names: make([][]byte, rows)}
	t.index = NewNames(func(row uint32) (uint64, []byte) { return t.parents[row], t.names[row] })
	return t
}

func (t *nameTable) put(parent uint64, name string, row uint32) {
	t.parents[row], t.names[row] = parent, []byte(name)
	t.index.Put(parent, []byte(name), row)
}

func TestNamesAreApartByParent(t *testing.T) {
	table := newNameTable(3)
	table.put(1, "orders", 0)
	table.put(2, "orders", 1)
	table.put(1, "", 2)
	for _, want := range []struct {
		parent uint64
		name   string
		row    uint32
		ok     bool
	}{{1, "orders", 0, true}, {2, "orders", 1, true}, {1, "", 2, true}, {3, "orders", 0, false}, {2, "", 0, false}} {
		row, ok := table.index.Get(want.parent, []byte(want.name))
		if row != want.row || ok != want.ok {
			t.Errorf("got row %d %t for %d/%q, want %d %t", row, ok, want.parent, want.name, want.row, want.ok)
		}
	}
}

func TestNamesRefuseWhatIsNotSo(t *testing.T) {
	table := newNameTable(2)
	table.put(1, "orders", 0)
	wantPanic(t, `put name "orders" of parent 1, which row 0 has`, func() { table.put(1, "orders", 1) })
	wantPanic(t, `delete name "orders" of parent 2`, func() { table.index.Delete(2, []byte("orders")) })
	wantPanic(t, "stands for none", func() { table.index.Put(1, []byte("x"), 1<<32-1) })
}

// Names whose hashes want the same slots are told apart, and a deletion leaves the others where they are found.
func TestNamesCloseGaps(t *testing.T) {
	table := newNameTable(nameSlotsMin)
	var crowd []string // all want one of the last two slots, so their run wraps around
	for i := 0; len(crowd) < nameSlotsMin*3/4; i++ {
		name := fmt.Sprint(i)
		if nameHash(0, []byte(name))%nameSlotsMin >= nameSlotsMin-2 {
			crowd = append(crowd, name)
		}
	}
	random := rand.New(rand.NewPCG(8, 1))
	for range 200 {
		for row, name := range crowd {
			table.put(0, name, uint32(row))
		}
		for left, at := range random.Perm(len(crowd)) {
			if row := table.index.Delete(0, []byte(crowd[at])); int(row) != at {
				t.Fatalf("got row %d, want %d", row, at)
			}
			table.names[at] = nil
			found := 0
			for row, name := range crowd {
				if got, ok := table.index.Get(0, []byte(name)); ok && int(got) == row {
					found++
				}
			}
			if want := len(crowd) - left - 1; found != want || table.index.count != want {
				t.Fatalf("got %d names found and %d in the index, want %d", found, table.index.count, want)
			}
		}
	}
	if len(table.index.slots) != nameSlotsMin {
		t.Errorf("got %d slots, want %d", len(table.index.slots), nameSlotsMin)
	}
}

func TestNamesAgreeWithMap(t *testing.T) {
	type key struct {
		parent uint64
		name   string
	}
	random := rand.New(rand.NewPCG(9, 1))
	const rows = 3000
	table := newNameTable(rows)
	model := map[key]uint32{}
	keys := make([]key, rows)
	for step := range 60_000 {
		row := random.Uint32N(rows)
		k := key{random.Uint64N(3), fmt.Sprint(random.IntN(2000))}
		if held := keys[row]; held != (key{}) {
			if got := table.index.Delete(held.parent, []byte(held.name)); got != row {
				t.Fatalf("step %d: got row %d, want %d", step, got, row)
			}
			delete(model, held)
			keys[row] = key{}
		} else if _, taken := model[k]; !taken {
			table.put(k.parent, k.name, row)
			model[k], keys[row] = row, k
		}
		got, ok := table.index.Get(k.parent, []byte(k.name))
		if want, wantOK := model[k]; got != want || ok != wantOK {
			t.Fatalf("step %d: got row %d %t for %v, want %d %t", step, got, ok, k, want, wantOK)
		}
		if table.index.count != len(model) {
			t.Fatalf("step %d: got %d names, want %d", step, table.index.count, len(model))
		}
	}
}

func TestNamesDoNotAllocateOnceGrown(t *testing.T) {
	table := newNameTable(1001)
	for row := range uint32(1000) {
		table.put(1, fmt.Sprint(row), row)
	}
	long := strings.Repeat("n", 255)
	table.put(1, long, 1000)
	for want, name := range map[uint32][]byte{777: []byte("777"), 1000: []byte(long)} {
		wantNoAllocs(t, func() {
			row, ok := table.index.Get(1, name)
			if !ok || row != want {
				t.Errorf("got row %d %t, want %d true", row, ok, want)
			}
			table.index.Delete(1, name)
			table.index.Put(1, name, row)
		})
	}
}
