package logging

import (
	"fmt"
	"sync/atomic"

	"github.com/rs/zerolog"
)

// RingSize is a size for NewRing that holds the burst of lines of a bad second.
const RingSize = 4096

// Ring is a bounded queue of log records with many producers, the shards, and one consumer, its writer goroutine.
//
// Each slot has a turn that says whose it is: of a slot at position p, turn == p means free for the producer that takes p, and
// turn == p+1 filled for the writer, which makes it p+size, the producer's next round. A producer owns a slot from the moment it
// has advanced tail past it. This is Dmitry Vyukov's bounded MPMC queue.
type Ring struct {
	level   zerolog.Level
	out     zerolog.Logger
	slots   []slot
	mask    uint64
	tail    atomic.Uint64 // next position to fill
	head    uint64        // next position to write; the writer's alone
	dropped atomic.Uint64
	told    uint64        // of dropped, how many the writer has reported
	wake    chan struct{} // holds one token when there may be something to write
	stop    chan struct{}
	stopped chan struct{}
}

type slot struct {
	turn atomic.Uint64
	record
}

// NewRing starts the writer of a ring of size records, a power of two, that writes to log.
func NewRing(size int, log *Log) *Ring {
	r := newRing(size, log)
	go r.run()
	return r
}

func newRing(size int, log *Log) *Ring {
	if size < 2 || size&(size-1) != 0 {
		panic(fmt.Sprintf("logging: ring of %d records, want a power of two from 2 on", size))
	}
	r := &Ring{
		level:   log.GetLevel(),
		out:     log.bare,
		slots:   make([]slot, size),
		mask:    uint64(size - 1),
		wake:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	for i := range r.slots {
		r.slots[i].turn.Store(uint64(i))
	}
	return r
}

// Enabled says whether lines of level are written. A caller that has to prepare fields asks it first.
func (r *Ring) Enabled(level zerolog.Level) bool { return level >= r.level }

// Log queues a line and reports whether it was taken: not when its level is off, and not when the ring is full. It does not
// block or allocate and may be called from any goroutine. A shard passes the tick's wall time in µs; 0 stands for the time at
// which the line is written. It panics on more than FieldsMax fields.
func (r *Ring) Log(wallMicros uint64, level zerolog.Level, message string, fields ...Field) bool {
	if !r.Enabled(level) {
		return false
	}
	if len(fields) > FieldsMax {
		panic(fmt.Sprintf("logging: %d fields in %q, %d fit", len(fields), message, FieldsMax))
	}
	for {
		position := r.tail.Load()
		s := &r.slots[position&r.mask]
		switch turn := s.turn.Load(); {
		case turn == position:
			if !r.tail.CompareAndSwap(position, position+1) {
				continue // another producer took it
			}
			s.set(wallMicros, level, message, fields)
			s.turn.Store(position + 1)
			r.signal()
			return true
		case turn < position:
			r.dropped.Add(1)
			r.signal() // so that the drop is told soon, even if nothing is logged any more
			return false
		}
		// Another producer took and filled it since tail was read.
	}
}

func (r *Ring) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Dropped returns how many lines were lost since the start because the ring was full.
func (r *Ring) Dropped() uint64 { return r.dropped.Load() }

// Close writes what was queued before it and ends the writer. Lines logged later stay unwritten. It is called once, before the
// Log is closed.
func (r *Ring) Close() {
	close(r.stop)
	<-r.stopped
}

func (r *Ring) run() {
	defer close(r.stopped)
	for {
		select {
		case <-r.wake:
			r.drain()
		case <-r.stop:
			r.drain()
			return
		}
	}
}

// drain writes every filled slot, and then how many lines were dropped since it was last told.
func (r *Ring) drain() {
	for {
		s := &r.slots[r.head&r.mask]
		if s.turn.Load() != r.head+1 {
			break
		}
		s.write(&r.out)
		s.record = record{} // let go of texts
		s.turn.Store(r.head + uint64(len(r.slots)))
		r.head++
	}
	if dropped := r.dropped.Load(); dropped != r.told {
		lost := record{level: zerolog.WarnLevel, message: "log lines were dropped, the ring was full", count: 1}
		lost.fields[0] = Uint("count", dropped-r.told)
		lost.write(&r.out)
		r.told = dropped
	}
}
