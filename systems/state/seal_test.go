package state

import (
	"testing"

	"galgo/components"
	"galgo/ecs"
)

// A tick seals as much as its budget has, and the next one goes on: every partition has its turn.
func TestSealingIsBounded(t *testing.T) {
	const partitions, each = 5, 7
	before := sealBudget
	sealBudget.Rows = 10
	defer func() { sealBudget = before }()
	e := newEngine(t, 32<<20)
	var all []ecs.Entity
	for range partitions {
		partition := e.partition(components.LevelWritten, 1<<20)
		e.settle(e.send(partition, plain(1, 100)))
		all = append(all, partition)
	}
	for range each {
		for _, partition := range all {
			e.send(partition, plain(1, 100))
		}
	}
	sealed := 0
	for tick := 1; tick <= partitions*each/10+2; tick++ { // those of which a part was sealed wait for its write
		e.tick()
		now, waits := 0, false
		for _, partition := range all {
			row := e.row(partition)
			if e.s.Partitions.Writing(row) {
				now += int(e.s.Partitions.SealedNext[row] - e.s.Partitions.OffsetWritten[row])
			} else if e.s.Unsealed.Has(row) {
				waits = true
			}
		}
		if now > 10 {
			t.Fatalf("tick %d: got %d records sealed, want 10 at most", tick, now)
		}
		if waits && e.s.Deadline != e.s.Now.MonoMicros {
			t.Fatalf("tick %d: got the next tick at %d, want it at once: some wait", tick, e.s.Deadline)
		}
		sealed += now
		e.write()
	}
	if sealed != partitions*each {
		t.Fatalf("got %d records sealed, want all %d", sealed, partitions*each)
	}
	e.tick()
	for _, partition := range all {
		if row := e.row(partition); e.s.Partitions.OffsetWritten[row] != each+1 {
			t.Errorf("partition %v: got %d messages written, want %d", partition, e.s.Partitions.OffsetWritten[row], each+1)
		}
	}
}
