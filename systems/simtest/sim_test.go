package simtest

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"iter"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"galgo/uring/sim"
)

var (
	firstSeed = flag.Uint64("seed", 1, "the first seed to play; 0: one that nobody has played")
	seedCount = flag.Uint64("seeds", 3, "how many seeds to play")
	duration  = flag.Duration("for", 0, "how long to play, instead of a number of seeds")
	tells     = flag.Bool("tell", true, "make a seed that fails small, and tell its story")
	storyFile = flag.String("story", "", "a file for everything that happened in the first seed that fails")
)

// What a seed has to have been through to count.
const (
	requestsLeast = 2000
	crashesLeast  = 1
)

// counts reports whether a seed has been through enough to say something.
func (r *result) counts() bool {
	return r.requests >= requestsLeast && r.crashes >= crashesLeast && r.faults.Total() > 0
}

// TestSim plays seeds: `just sim` does.
func TestSim(t *testing.T) {
	seed := *firstSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixMicro())
	}
	begin := time.Now()
	var played, requests uint64
	reached := map[string]int{}
	for r := range results(seed, func(n uint64) bool {
		return *duration > 0 && time.Since(begin) < *duration || *duration == 0 && n < *seedCount
	}) {
		if r.failure != "" {
			report(t, r)
		}
		if !r.counts() && !r.broken {
			t.Errorf("seed %d: got %d requests, %d crashes, %d faults, want %d requests, %d crash and a fault at least", r.seed, r.requests, r.crashes, r.faults.Total(), requestsLeast, crashesLeast)
		}
		if *duration == 0 {
			t.Logf("seed %d: %d requests, %.3f s simulated, %d crashes\n  faults: %s\n  reached: %s\n  asked: %s", r.seed, r.requests, float64(r.micros)/1e6, r.crashes, r.faults, listed(r.reached), listed(r.done))
		}
		played, requests = played+1, requests+uint64(r.requests)
		for state, count := range r.reached {
			reached[state] += count
		}
	}
	took := time.Since(begin).Seconds()
	t.Logf("%d seeds from %d in %.1f s: %.1f seeds/s, %.0f requests/s\n  reached: %s", played, seed, took, float64(played)/took, float64(requests)/took, listed(reached))
}

// results plays the seeds from first on, as many at a time as there are cores, while more says so of the next number. They come in order.
func results(first uint64, more func(n uint64) bool) iter.Seq[result] {
	return func(yield func(result) bool) {
		var playing []chan result // in order
		next := uint64(0)
		for {
			for len(playing) < runtime.GOMAXPROCS(0) && more(next) {
				playing = append(playing, make(chan result, 1))
				go func(seed uint64, to chan<- result) { to <- run(seed, setting{}) }(first+next, playing[len(playing)-1])
				next++
			}
			if len(playing) == 0 || !yield(<-playing[0]) {
				return
			}
			playing = playing[1:]
		}
	}
}

// listed prints counts by name.
func listed(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

// report makes a failing seed as small as it gets, and tells its story.
func report(t *testing.T, r result) {
	t.Helper()
	if !*tells {
		t.Fatal(r.failure)
	}
	small := shrink(r.seed)
	told := run(r.seed, setting{limits: small, tell: true})
	if *storyFile != "" {
		if err := os.WriteFile(*storyFile, []byte(told.story.tail(storyMax)+"\n"), 0o600); err != nil {
			t.Error(err)
		}
	}
	t.Fatalf("%s\n\nsmallest: lives %d, actors %d, requests %d\n%s\n\n%s\n\nagain: just sim %d 1; the line for testdata/sim/seeds: %d %d %d %d", r.failure,
		small.Lives, small.Actors, small.Requests, told.story.tail(60), told.failure, r.seed, r.seed, small.Lives, small.Actors, small.Requests)
}

// shrink finds small limits within which a seed still fails, in a minute at most.
func shrink(seed uint64) limits {
	begin := time.Now()
	small := full
	try := func(change func(*limits)) bool {
		l := small
		change(&l)
		if l == small || l.Lives < 1 || l.Actors < 1 || l.Requests < 4 || time.Since(begin) > time.Minute || run(seed, setting{limits: l}).failure == "" {
			return false
		}
		small = l
		return true
	}
	for again := true; again; {
		again = try(func(l *limits) { l.Requests /= 2 }) || try(func(l *limits) { l.Actors-- }) || try(func(l *limits) { l.Lives-- }) || try(func(l *limits) { l.Requests -= l.Requests / 4 })
	}
	return small
}

// TestKeptSeeds plays the seeds that once failed. A line of testdata/sim/seeds is a seed, its limits, and what it found.
func TestKeptSeeds(t *testing.T) {
	file, err := os.ReadFile("../../testdata/sim/seeds")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(file))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		var seed uint64
		var l limits
		if _, err := fmt.Sscan(line, &seed, &l.Lives, &l.Actors, &l.Requests); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if r := run(seed, setting{limits: l}); r.failure != "" {
			t.Errorf("%s", r.failure)
		}
	}
}

// Twice the same seed is twice the same history, also at the same time: plays share nothing. On a difference the test shows the first step that differs.
func TestSeedDecides(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+min(*seedCount, 2); seed++ {
		other := make(chan result, 1)
		go func() { other <- run(seed, setting{}) }()
		first, second := run(seed, setting{}), <-other
		if first.hash == second.hash {
			continue
		}
		var a, b bytes.Buffer
		run(seed, setting{world: func(w *sim.World) { w.Trace = &a }})
		run(seed, setting{world: func(w *sim.World) { w.Trace = &b }})
		t.Fatalf("seed %d: got hash %x the second time, want %x; the first step that differs (time, what, values):\n%s", seed, second.hash, first.hash, firstDifference(a.Bytes(), b.Bytes()))
	}
}
