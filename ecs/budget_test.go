package ecs

import "testing"

func TestBudgetLetsTheLastOneExceedIt(t *testing.T) {
	b := Budget{Rows: 2, Bytes: 100}
	for i, step := range []struct {
		rows, bytes int
		want        bool
	}{
		{1, 60, true},
		{0, 60, true}, // more than there is, but something is left
		{1, 1, false}, // no bytes left, and nothing is taken
		{1, 0, true},  // the row is still there
		{1, 0, false}, // no rows left
		{0, 0, true},  // nothing is always there
	} {
		if got := b.Spend(step.rows, step.bytes); got != step.want {
			t.Errorf("step %d: got %t, want %t", i, got, step.want)
		}
	}
	if want := (Budget{Rows: 0, Bytes: -20}); b != want {
		t.Errorf("got %+v left, want %+v", b, want)
	}
	if b.Left() {
		t.Error("got something left, want nothing")
	}
}
