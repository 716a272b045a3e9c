package uring

import "testing"

// parkingRun is one moment of a shard and three senders around a Parking. The parking's own methods run in it; mailbox, signal and the
// sequence of steps are the model.
type parkingRun struct {
	parking uint32
	sent    int // work stored by senders
	taken   int // work the shard has seen
	signals int
	shard   int    // next step
	senders [3]int // next steps
}

// parkingSteps are the programs: what a shard does at each of its steps, and what a sender does. What else holds that order in the hosts is
// in their conformance suite (ready_is_asked_parked, wake_after_the_look).
type parkingSteps struct {
	shard  shardSteps // false: cannot go on now
	sender senderSteps
}

const parkingDone = 99

// lostWakes explores every interleaving and returns how many end with the shard asleep and everyone else done.
func lostWakes(steps parkingSteps) (lost, seen int) {
	visited := map[parkingRun]bool{}
	var explore func(r parkingRun)
	explore = func(r parkingRun) {
		if visited[r] {
			return
		}
		visited[r] = true
		moved := false
		move := func(step func(r *parkingRun, p *Parking) bool) {
			next := r
			var p Parking
			p.state.Store(r.parking)
			if step(&next, &p) {
				next.parking = p.state.Load()
				moved = true
				explore(next)
			}
		}
		if r.shard != parkingDone {
			move(steps.shard[r.shard])
		}
		for i, step := range r.senders {
			if step != parkingDone {
				move(func(r *parkingRun, p *Parking) bool {
					r.senders[i] = step + 1
					if step+1 == len(steps.sender) {
						r.senders[i] = parkingDone
					}
					steps.sender[step](r, p, i)
					return true
				})
			}
		}
		if !moved && r.shard != parkingDone {
			lost++
		}
	}
	explore(parkingRun{})
	return lost, len(visited)
}

type (
	shardSteps  = []func(*parkingRun, *Parking) bool
	senderSteps = []func(*parkingRun, *Parking, int)
)

// The shard's steps stand in this order, so that a look that finds work knows where to go on.
const (
	stepSleep = 2
	stepLeave = 3
)

func announce(r *parkingRun, p *Parking) bool {
	p.Announce()
	r.shard++
	return true
}

func look(r *parkingRun, _ *Parking) bool {
	r.shard++
	if r.sent != r.taken {
		r.shard = stepLeave
	}
	return true
}

// pass is a step of a program that forgets one.
func pass(r *parkingRun, _ *Parking) bool {
	r.shard++
	return true
}

func sleep(r *parkingRun, _ *Parking) bool {
	if r.signals == 0 {
		return false
	}
	r.signals = 0
	r.shard++
	return true
}

func leave(r *parkingRun, p *Parking) bool {
	p.Leave()
	r.shard++
	return true
}

func take(r *parkingRun, _ *Parking) bool {
	r.taken = r.sent
	r.shard = 0
	if r.taken == len(r.senders) {
		r.shard = parkingDone
	}
	return true
}

func store(r *parkingRun, _ *Parking, _ int) { r.sent++ }

// ask and claim are the two steps of Claim, and ask is all that a peer does.
func ask(r *parkingRun, p *Parking, sender int) {
	if !p.Parked() {
		r.senders[sender] = parkingDone
	}
}

func claim(r *parkingRun, p *Parking, sender int) {
	if !p.Claim() {
		r.senders[sender] = parkingDone
	}
}

// askFirst asks before it stores: who finds the shard awake stores, and sends no signal.
func askFirst(r *parkingRun, p *Parking, sender int) {
	if !p.Parked() {
		r.senders[sender] = stepStoreOnly
	}
}

const stepStoreOnly = 3

// storeOnly is the last step of a sender that asked first.
func storeOnly(r *parkingRun, _ *Parking, sender int) {
	r.sent++
	r.senders[sender] = parkingDone
}

func signal(r *parkingRun, _ *Parking, sender int) {
	r.signals++
	r.senders[sender] = parkingDone
}

// signalSleeper is a signal that only a shard that already sleeps hears.
func signalSleeper(r *parkingRun, _ *Parking, sender int) {
	if r.shard == stepSleep {
		r.signals++
	}
	r.senders[sender] = parkingDone
}

// The shard takes what is in its mailbox, announces itself, looks, and sleeps; three senders store, ask and signal. No interleaving ends with
// the shard asleep beside work. Each wrong program does, so this test would see it.
func TestParkingLosesNoWakeInAnyInterleaving(t *testing.T) {
	right := shardSteps{announce, look, stepSleep: sleep, stepLeave: leave, take}
	for name, c := range map[string]struct {
		shard  shardSteps
		sender senderSteps
		loses  bool
	}{
		"host wakes":                  {right, senderSteps{store, ask, claim, signal}, false},
		"peer wakes":                  {right, senderSteps{store, ask, signal}, false},
		"shard looks, then announces": {shardSteps{look, announce, stepSleep: sleep, stepLeave: leave, take}, senderSteps{store, ask, claim, signal}, true},
		"shard does not look":         {shardSteps{announce, pass, stepSleep: sleep, stepLeave: leave, take}, senderSteps{store, ask, claim, signal}, true},
		"shard does not announce":     {shardSteps{pass, look, stepSleep: sleep, stepLeave: leave, take}, senderSteps{store, ask, claim, signal}, true},
		"sender asks, then stores":    {right, senderSteps{askFirst, store, signal, stepStoreOnly: storeOnly}, true},
		"sender does not signal":      {right, senderSteps{store, ask, claim}, true},
		"signal is not kept":          {right, senderSteps{store, ask, claim, signalSleeper}, true},
	} {
		lost, seen := lostWakes(parkingSteps{c.shard, c.sender})
		if (lost > 0) != c.loses || seen < 100 {
			t.Errorf("%s: got %d lost wakes in %d moments, want some: %v, in more than 100", name, lost, seen, c.loses)
		}
	}
}
