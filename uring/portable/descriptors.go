package portable

import (
	"golang.org/x/sys/unix"

	"galgo/uring"
)

// descriptor is what a shard remembers of one descriptor. Its zero value is one that was never seen.
//
// A socket that a call found not ready is registered in the epoll set, edge-triggered and once for both directions, and stays there until
// it is closed. From then on the drained and full marks say what is known: set when a call moved less than it could have, cleared by
// the next event. Bytes that come after such a call make an event, so nothing is missed, and no call is tried in vain.
type descriptor struct {
	generation uint32 // of the table when this was learned
	registered bool
	drained    bool // nothing to read, as far as is known
	full       bool // no room to write, as far as is known
	hangup     bool // an end or error was announced, and is not announced again: fewer bytes than asked for prove nothing any more

	reads, writes, polls line
	jobs                 int32 // in the pool
	closing              int32 // the close that lets them end
}

// line holds operations that wait, in order.
type line struct{ first, last int32 }

const descriptorChunk = 512

// descriptor returns what is known of a number in [0, descriptorsMax). If it has changed hands, what waited for its predecessor completes
// with ECANCELED and it is a new one. The pointer holds as long as the shard.
func (s *shard) descriptor(fd int32) *descriptor {
	d := s.remembered(fd)
	if generation := s.kernel.table.entry(fd).generation.Load(); generation != d.generation {
		s.forget(d, generation)
	}
	return d
}

// remembered returns what is remembered of a number, whoever has it now.
func (s *shard) remembered(fd int32) *descriptor {
	chunk := int(fd / descriptorChunk)
	for chunk >= len(s.descriptors) {
		s.descriptors = append(s.descriptors, nil)
	}
	if s.descriptors[chunk] == nil {
		s.descriptors[chunk] = new([descriptorChunk]descriptor)
	}
	return &s.descriptors[chunk][fd%descriptorChunk]
}

// forget makes d a descriptor of this generation of which nothing is known. Its epoll registration went with the old file.
func (s *shard) forget(d *descriptor, generation uint32) {
	d.generation = generation
	d.registered, d.drained, d.full, d.hangup = false, false, false, false
	s.cancelWaiting(d)
}

// cancelWaiting completes all that waits on a descriptor, and returns how many that were. Each is looked up anew, since a chain may go on.
func (s *shard) cancelWaiting(d *descriptor) (n int32) {
	for _, l := range []*line{&d.reads, &d.writes, &d.polls} {
		for l.first != none {
			i := l.first
			s.leave(l, i)
			s.run(s.finish(i, s.ops.slots[i].stopped(), 0))
			n++
		}
	}
	return n
}

// line returns where an operation of this opcode waits.
func (d *descriptor) line(opcode uint8) *line {
	switch kinds[opcode] {
	case kindRead:
		return &d.reads
	case kindWrite:
		return &d.writes
	default:
		return &d.polls
	}
}

// join puts an operation at the end of a line.
func (s *shard) join(l *line, i int32) {
	o := &s.ops.slots[i]
	o.state, o.next, o.previous = stateWaiting, none, l.last
	if l.last == none {
		l.first = i
	} else {
		s.ops.slots[l.last].next = i
	}
	l.last = i
	s.waiting++
}

// leave takes an operation out of its line.
func (s *shard) leave(l *line, i int32) {
	o := &s.ops.slots[i]
	if o.previous == none {
		l.first = o.next
	} else {
		s.ops.slots[o.previous].next = o.next
	}
	if o.next == none {
		l.last = o.previous
	} else {
		s.ops.slots[o.next].previous = o.previous
	}
	o.state, o.next, o.previous = stateStarted, none, none
	s.waiting--
}

// register puts a descriptor into the epoll set, which reports at once what is ready now.
func (s *shard) register(fd int32, d *descriptor) unix.Errno {
	if d.registered {
		return 0
	}
	s.event = unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: fd, Pad: int32(d.generation),
	}
	err := unix.EpollCtl(s.epollFD, unix.EPOLL_CTL_ADD, int(fd), &s.event)
	if err == unix.EEXIST {
		err = unix.EpollCtl(s.epollFD, unix.EPOLL_CTL_MOD, int(fd), &s.event)
	}
	if err != nil {
		return err.(unix.Errno)
	}
	d.registered = true
	s.kernel.table.entry(fd).watcher.Store(int32(s.number) + 1)
	return 0
}

// await says that a descriptor is not ready in the direction of a line; the operation waits, unless the descriptor cannot be waited for.
func (s *shard) await(fd int32, d *descriptor, mark *bool) outcome {
	if errno := s.register(fd, d); errno != 0 {
		return failed(errno)
	}
	*mark = true
	return outcome{}
}

// short notes a call that moved some bytes, but fewer than it could have.
func (d *descriptor) short(mark *bool) { *mark = d.registered && !d.hangup }

// startOn tries an operation on a descriptor, or puts it behind those that wait.
func (s *shard) startOn(i int32) outcome {
	e := &s.ops.slots[i].entry
	fd := e.FD
	if fd < 0 || fd >= descriptorsMax {
		return failed(unix.EBADF)
	}
	d := s.descriptor(fd)
	l := d.line(e.Opcode)
	impatient := kinds[e.Opcode] != kindPoll && e.Opcode != uring.OpAccept && e.Opcode != uring.OpConnect && e.OpFlags&unix.MSG_DONTWAIT != 0
	behind := kinds[e.Opcode] != kindPoll && (l.first != none || l == &d.reads && d.drained || l == &d.writes && d.full)
	if !behind || impatient && l.first == none {
		if out := s.try(i, fd, d); out.done {
			return out
		}
	} else if impatient {
		return failed(unix.EAGAIN)
	}
	s.join(l, i)
	return outcome{}
}

// moveOn moves on what waits on a descriptor that an event is about. Generation tells an event of a predecessor apart.
func (s *shard) moveOn(fd int32, generation, events uint32) {
	d := s.descriptor(fd)
	if d.generation != generation {
		return
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		d.drained = false
	}
	if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		d.full = false
	}
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		d.hangup = true
	}
	s.movePolls(fd, d) // before reads take away what they are to report
	s.move(fd, d, &d.reads, &d.drained)
	s.move(fd, d, &d.writes, &d.full)
}

// move tries what waits in a line until one has to wait on.
func (s *shard) move(fd int32, d *descriptor, l *line, mark *bool) {
	for l.first != none && !*mark {
		i := l.first
		out := s.try(i, fd, d)
		if !out.done {
			return
		}
		s.leave(l, i)
		s.run(s.finish(i, out.res, out.flags))
	}
}

// movePolls asks for each poll that waits whether it is ready now. What one completes may start or cancel others, so the line is walked
// from its beginning again and the round tells who has been asked.
func (s *shard) movePolls(fd int32, d *descriptor) {
	if d.polls.first == none {
		return
	}
	s.round++
	for i := d.polls.first; i != none; {
		o := &s.ops.slots[i]
		if o.seen == s.round {
			i = o.next
			continue
		}
		o.seen = s.round
		if out := s.try(i, fd, d); out.done {
			s.leave(&d.polls, i)
			s.run(s.finish(i, out.res, out.flags))
			i = d.polls.first
		}
	}
}

// try makes one attempt at an operation on a descriptor.
func (s *shard) try(i, fd int32, d *descriptor) outcome {
	switch s.ops.slots[i].entry.Opcode {
	case uring.OpAccept:
		return s.tryAccept(i, fd, d)
	case uring.OpRecv:
		return s.tryRecv(i, fd, d)
	case uring.OpSend:
		return s.trySend(i, fd, d)
	case uring.OpSendmsg:
		return s.trySendmsg(i, fd, d)
	case uring.OpConnect:
		return s.tryConnect(i, fd, d)
	default:
		return s.tryPoll(i, fd, d)
	}
}
