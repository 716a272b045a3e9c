package sim

import (
	"syscall"

	"github.com/zeebo/xxh3"
)

// pipe is one direction of a connection: bytes on their way, and bytes that have arrived and were not taken.
type pipe struct {
	w        *World
	from, to *socket
	transit  []segment
	flying   int    // bytes in transit
	inbox    []byte // arrived
	taken    int    // bytes that were read, and the sender does not know yet
	window   int    // bytes in transit, in inbox and taken together, at most
	last     uint64 // when the last segment arrives: they do not overtake each other
	ended    bool   // the end of the stream has arrived
	cut      bool   // nothing arrives any more
}

// segment is what travels as one.
type segment struct {
	kind segmentKind
	data []byte
}

type segmentKind uint8

const (
	segmentData segmentKind = iota
	segmentEnd
	segmentReset
)

// room returns how many bytes the sender may still send.
func (p *pipe) room() int { return max(p.window-p.flying-len(p.inbox)-p.taken, 0) }

// send puts bytes on their way.
func (p *pipe) send(data []byte) {
	f := &p.w.o.Faults
	p.flying += len(data)
	if len(data) > 1 && p.w.fault(FaultSplit, f.Split) {
		at := 1 + p.w.below(uint64(len(data))-1)
		p.put(segment{segmentData, data[:at]})
		data = data[at:]
	}
	p.put(segment{segmentData, data})
	if p.w.fault(FaultReset, f.Reset) {
		p.w.after(p.w.delay(p.w.o.Wire), p.from.reset) // not in the middle of a send
	}
}

func (p *pipe) put(s segment) {
	w, f := p.w, &p.w.o.Faults
	at := w.mono + w.delay(w.o.Wire)
	if w.fault(FaultStall, f.Stall) {
		at += w.below(f.StallMicros)
	}
	p.last = max(p.last, at)
	p.transit = append(p.transit, s)
	w.at(p.last, p.arrive)
}

// arrive takes the first segment out of transit.
func (p *pipe) arrive() {
	s := p.transit[0]
	p.transit = p.transit[1:]
	if !p.to.silent { // nobody says that it came, so it keeps its room
		p.flying -= len(s.data)
	}
	p.w.note(traceArrive, uint64(p.to.local.Port()), uint64(s.kind), xxh3.Hash(s.data))
	switch {
	case p.cut || p.to.silent:
	case p.to.closed:
		if s.kind == segmentData {
			p.to.out.put(segment{kind: segmentReset}) // nobody is there
		}
	case s.kind == segmentReset:
		p.cut = true
		p.to.wasReset()
	case s.kind == segmentEnd:
		p.ended = true
		p.to.serve(pollIn)
	default:
		if len(p.inbox) == 0 {
			p.inbox = s.data[:len(s.data):len(s.data)] // behind it may lie what was split off
		} else {
			p.inbox = append(p.inbox, s.data...)
		}
		p.to.serve(pollIn)
	}
}

// take moves arrived bytes to b, and lets the sender know of the room a moment later.
func (p *pipe) take(b []byte, peek bool) int {
	n := copy(b, p.inbox)
	if peek || n == 0 {
		return n
	}
	if p.inbox = p.inbox[n:]; len(p.inbox) == 0 {
		p.inbox = nil
	}
	p.taken += n
	micros := p.w.delay(p.w.o.Wire)
	if f := &p.w.o.Faults; p.w.fault(FaultSlowRead, f.SlowRead) {
		micros += p.w.below(f.StallMicros)
	}
	p.w.after(micros, func() {
		p.taken -= n
		if !p.from.closed {
			p.from.serve(pollOut)
		}
	})
	return n
}

// wasReset takes the other side's reset: what has arrived may still be read.
func (s *socket) wasReset() {
	s.broken = true
	s.err = syscall.ECONNRESET
	s.serve(pollIn | pollOut)
}

// reset ends a connection without order, at both ends.
func (s *socket) reset() {
	if s.out == nil || s.broken || s.closed {
		return
	}
	s.out.put(segment{kind: segmentReset})
	s.in.cut = true
	s.wasReset()
}
