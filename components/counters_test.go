package components

import (
	"sync"
	"testing"

	"galgo/ecs"
)

func TestCountersOfGenerations(t *testing.T) {
	c := NewCounters()
	var entities ecs.Entities
	first := entities.Take()
	if got := c.Of(first); got != (PartitionCounts{}) {
		t.Fatalf("counts before there is a block: got %+v, want zeros", got)
	}
	c.Reach(first)
	counts := PartitionCounts{Segments: 1, First: 2, Next: 12, Size: 300}
	c.Set(first, counts)
	if got := c.Of(first); got != counts || got.Messages() != 10 || got.Current() != 11 {
		t.Fatalf("counts: got %+v, want %+v", got, counts)
	}
	entities.Put(first)
	second := entities.Take()
	if second.Index() != first.Index() {
		t.Fatalf("entity: got index %d, want %d again", second.Index(), first.Index())
	}
	if got := c.Of(second); got != (PartitionCounts{}) {
		t.Fatalf("counts of the next generation: got %+v, want zeros", got)
	}
	c.Set(second, counts)
	if got := c.Of(first); got != (PartitionCounts{}) {
		t.Fatalf("counts of the last generation: got %+v, want zeros", got)
	}
}

func TestRoundsAreCountedOnce(t *testing.T) {
	c := NewCounters()
	var entities ecs.Entities
	topic := entities.Take()
	seen := make([][]uint32, 4)
	var group sync.WaitGroup
	for i := range seen {
		group.Go(func() {
			for range 1000 {
				seen[i] = append(seen[i], c.NextRound(topic))
			}
		})
	}
	group.Wait()
	var counted [4000]bool
	for _, rounds := range seen {
		for _, round := range rounds {
			if counted[round] {
				t.Fatalf("round %d: got it twice", round)
			}
			counted[round] = true
		}
	}
	entities.Put(topic)
	if got := c.NextRound(entities.Take()); got != 0 {
		t.Fatalf("first round of the next topic: got %d, want 0", got)
	}
}
