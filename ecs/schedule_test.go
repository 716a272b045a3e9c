package ecs

import (
	"slices"
	"testing"
)

const (
	apply Stage = iota
	decide
	drive
)

func TestScheduleRunsInTheOrderWritten(t *testing.T) {
	type tick struct{ ran []string }
	s := NewSchedule[tick]("apply", "decide", "drive")
	s.Add(apply, "a", func(t *tick) { t.ran = append(t.ran, "a") })
	s.Add(decide, "c", func(t *tick) { t.ran = append(t.ran, "c") })
	s.Add(decide, "b", func(t *tick) { t.ran = append(t.ran, "b") })
	s.Add(drive, "d", func(t *tick) { t.ran = append(t.ran, "d") })
	var ran tick
	s.Run(&ran)
	s.Run(&ran)
	if want := []string{"a", "c", "b", "d", "a", "c", "b", "d"}; !slices.Equal(ran.ran, want) {
		t.Errorf("got %v, want %v", ran.ran, want)
	}
	if got, want := s.Names(), []string{"apply/a", "decide/c", "decide/b", "drive/d"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestScheduleRefusesMistakes(t *testing.T) {
	s := NewSchedule[int]("apply", "decide")
	run := func(*int) {}
	s.Add(decide, "late", run)
	wantPanic(t, `"early" in stage apply is added after "late" in stage decide`, func() { s.Add(apply, "early", run) })
	wantPanic(t, `"late" is added twice`, func() { s.Add(decide, "late", run) })
	wantPanic(t, `"far" in stage 2 of 2`, func() { s.Add(drive, "far", run) })
	wantPanic(t, "lacks its name", func() { s.Add(decide, "", run) })
	wantPanic(t, "lacks its name or its function", func() { s.Add(decide, "none", nil) })
}

func TestScheduleRunDoesNotAllocate(t *testing.T) {
	s := NewSchedule[int]("apply")
	s.Add(apply, "count", func(n *int) { *n++ })
	n := 0
	wantNoAllocs(t, func() { s.Run(&n) })
}
