package ecs

import "fmt"

// Stage is the number of a stage; stages run in ascending order. The engine defines what each stands for.
type Stage uint8

// Schedule is a list of systems in the order they run. The order is written down by the calls of Add: by
// stage, and within a stage as added. T is what every system gets a pointer to.
type Schedule[T any] struct {
	stageNames []string
	systems    []system[T]
}

type system[T any] struct {
	stage Stage
	name  string
	run   func(*T)
}

// SystemInfo is what a dump or a test prints about one system.
type SystemInfo struct {
	Stage string
	Name  string
}

// NewSchedule makes an empty schedule with stages 0, 1, … of these names.
func NewSchedule[T any](stageNames ...string) *Schedule[T] {
	return &Schedule[T]{stageNames: stageNames}
}

// Add puts a system last. It panics if the stage has no name or comes before the stage of the system added
// last, or if the name is empty or taken: a schedule that does not read like it runs is a mistake.
func (s *Schedule[T]) Add(stage Stage, name string, run func(*T)) {
	if int(stage) >= len(s.stageNames) {
		panic(fmt.Sprintf("ecs: system %q in stage %d of %d", name, stage, len(s.stageNames)))
	}
	if name == "" || run == nil {
		panic(fmt.Sprintf("ecs: system %q in stage %s lacks its name or its function", name, s.stageNames[stage]))
	}
	for i := range s.systems {
		if s.systems[i].name == name {
			panic(fmt.Sprintf("ecs: system %q is added twice", name))
		}
	}
	if last := len(s.systems) - 1; last >= 0 && stage < s.systems[last].stage {
		panic(fmt.Sprintf("ecs: system %q in stage %s is added after %q in stage %s",
			name, s.stageNames[stage], s.systems[last].name, s.stageNames[s.systems[last].stage]))
	}
	s.systems = append(s.systems, system[T]{stage: stage, name: name, run: run})
}

// Run runs every system once, in order, with t.
func (s *Schedule[T]) Run(t *T) {
	for i := range s.systems {
		s.systems[i].run(t)
	}
}

// All visits the systems in the order they run.
func (s *Schedule[T]) All(yield func(SystemInfo) bool) {
	for _, system := range s.systems {
		if !yield(SystemInfo{Stage: s.stageNames[system.stage], Name: system.name}) {
			return
		}
	}
}

// Names lists the systems in the order they run, as "stage/name".
func (s *Schedule[T]) Names() []string {
	names := make([]string, 0, len(s.systems))
	for info := range s.All {
		names = append(names, info.Stage+"/"+info.Name)
	}
	return names
}
