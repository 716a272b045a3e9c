package components

import (
	"slices"
	"testing"

	"galgo/ecs"
)

// Jobs of one kind are taken in order, the others keep their order, and a taker that stops leaves the rest.
func TestJobsOf(t *testing.T) {
	f := Facts{Jobs: ecs.NewQueue[JobDone](8)}
	for i, kind := range []JobKind{JobHash, JobStats, JobHash, JobVerify, JobHash} {
		f.Jobs.Push(JobDone{Kind: kind, Res: int32(i)})
	}
	take := func(kind JobKind, atMost int) (results []int32) {
		for done := range f.JobsOf(kind) {
			if results = append(results, done.Res); len(results) == atMost {
				break
			}
		}
		return results
	}
	for _, c := range []struct {
		kind   JobKind
		atMost int
		want   []int32
	}{{JobHash, 2, []int32{0, 2}}, {JobStats, 9, []int32{1}}, {JobCollect, 9, nil}, {JobHash, 9, []int32{4}}, {JobVerify, 9, []int32{3}}} {
		if got := take(c.kind, c.atMost); !slices.Equal(got, c.want) {
			t.Errorf("jobs of kind %d: got %v, want %v", c.kind, got, c.want)
		}
	}
	if left := f.Jobs.Len(); left != 0 {
		t.Errorf("got %d jobs left, want none", left)
	}
}
