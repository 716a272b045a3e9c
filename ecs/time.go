package ecs

// Time is the time of one tick, sampled once. Both count microseconds.
type Time struct {
	WallMicros uint64 // since the Unix epoch; may jump: for stamps and ages
	MonoMicros uint64 // since some start of its own; never goes back: for timers
}
