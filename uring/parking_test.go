package uring

import "testing"

// parkingRun is one moment of a shard and three senders around a Parking. The parking's own methods run in it; mailbox, signal and the
// sequence of steps are the model.
type parkingRun struct {
	parking uint32
	sent    int // work stored by senders
	taken   int // work the shard has seen
	signals int
	shard   int // next step
	senders [3]int
}

// parkingSteps are the programs: what a shard does at each of its steps, and what a sender does.
type parkingSteps struct {
	shard  []func(r *parkingRun, p *Parking) bool // false: cannot go on now
	sender []func(r *parkingRun, p *Parking, sender int)
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

func announce(r *parkingRun, p *Parking) bool {
	p.Announce()
	r.shard++
	return true
}

const (
	stepSleep = 2
	stepLeave = 3
)

func look(r *parkingRun, _ *Parking) bool {
	r.shard++
	if r.sent != r.taken {
		r.shard = stepLeave
	}
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

func claim(r *parkingRun, p *Parking, sender int) {
	if !p.Claim() {
		r.senders[sender] = parkingDone
	}
}

func claimFirst(r *parkingRun, p *Parking, sender int) {
	if !p.Claim() {
		r.senders[sender]++ // store, but no signal
	}
}

func ask(r *parkingRun, p *Parking, sender int) {
	if !p.Parked() {
		r.senders[sender] = parkingDone
	}
}

func signal(r *parkingRun, _ *Parking, _ int) { r.signals++ }

func TestParkingLosesNoWakeInAnyInterleaving(t *testing.T) {
	type (
		shardSteps  = []func(*parkingRun, *Parking) bool
		senderSteps = []func(*parkingRun, *Parking, int)
	)
	shard := shardSteps{announce, look, stepSleep: sleep, stepLeave: leave, take}
	for name, sender := range map[string]senderSteps{
		"host wakes": {store, claim, signal},
		"peer wakes": {store, ask, signal},
	} {
		lost, seen := lostWakes(parkingSteps{shard, sender})
		if lost != 0 || seen < 100 {
			t.Errorf("%s: got %d lost wakes in %d moments, want 0 in more than 100", name, lost, seen)
		}
	}
	// The order is what matters: looking before announcing, or asking before storing, loses wakes, and this test would see it.
	early := shardSteps{
		func(r *parkingRun, _ *Parking) bool {
			r.shard++
			if r.sent != r.taken {
				r.shard = stepLeave
			}
			return true
		}, announce, stepSleep: sleep, stepLeave: leave, take,
	}
	if lost, _ := lostWakes(parkingSteps{early, senderSteps{store, claim, signal}}); lost == 0 {
		t.Error("got no lost wake with the shard's steps swapped, want some")
	}
	if lost, _ := lostWakes(parkingSteps{shard, senderSteps{claimFirst, store, signal}}); lost == 0 {
		t.Error("got no lost wake with the sender's steps swapped, want some")
	}
}
