package baseline

import (
	"errors"
	"io"
	"net"

	"galgo/uring"
)

// Receive receives so many bytes in frames of 1 MiB over loopback as the server does: the first bytes of a frame into a provided buffer, the
// rest with one MSG_WAITALL into the place where the whole frame is to stand, which is the same for all. The peer is an ordinary goroutine in
// this process.
func Receive(h uring.Host, bytes uint64) (mbPerSecond float64, err error) {
	return receive(h, bytes, 1)
}

// ReceiveKept is Receive that keeps the frames, each in memory that is new to the process, as a server has to whose consumers are still to come.
func ReceiveKept(h uring.Host, bytes uint64) (mbPerSecond float64, err error) {
	return receive(h, bytes, frames(bytes))
}

func receive(h uring.Host, bytes uint64, places int) (mbPerSecond float64, err error) {
	err = connected(h, places, func(peer net.Conn) error {
		frame := make([]byte, frameSize)
		for range frames(bytes) {
			if _, err := peer.Write(frame); err != nil {
				return err
			}
		}
		return nil
	}, func(s *shard, fd int32) error {
		first, err := uring.NewBufRing(s.ring, 0, s.slab, uint64(places)*frameSize, firstCount, firstSize)
		if err != nil {
			return err
		}
		begin := now(h)
		for i := range frames(bytes) {
			place := uint64(i%places) * frameSize
			if i < places {
				s.slab.Populate(place, frameSize)
			}
			if err := receiveFrame(s, fd, first, place); err != nil {
				return err
			}
		}
		mbPerSecond = float64(frames(bytes)*frameSize) / s.micros(begin)
		return first.Close()
	})
	return mbPerSecond, err
}

func receiveFrame(s *shard, fd int32, first *uring.BufRing, place uint64) error {
	c, err := s.do(uring.RecvSelect(fd, first.Group(), 0, 0, 0))
	if err != nil {
		return err
	}
	id, ok := uring.BufferID(c.Flags)
	if !ok {
		return io.ErrUnexpectedEOF
	}
	got := uint64(c.Res)
	copy(s.slab.Bytes(place, got), s.slab.At(first.Buffer(id), got))
	first.Recycle(id)
	c, err = s.do(uring.Recv(fd, s.slab.Addr(place+got), uint32(frameSize-got), uring.MSG_WAITALL, 0))
	if err == nil && uint64(c.Res) != frameSize-got {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Send sends so many bytes in frames of 1 MiB over loopback, from memory that is too large for caches. The peer is an ordinary goroutine in
// this process.
func Send(h uring.Host, bytes uint64) (mbPerSecond float64, err error) {
	mbPerSecond, _, err = SendCost(h, bytes)
	return mbPerSecond, err
}

// SendCost is Send that tells what the sending thread used as well, in CPU seconds per GB.
func SendCost(h uring.Host, bytes uint64) (mbPerSecond, cpuPerGB float64, err error) {
	err = connected(h, min(frames(bytes), sendFrames), func(peer net.Conn) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{peer}, make([]byte, frameSize))
		return err
	}, func(s *shard, fd int32) error {
		sources := uint64(min(frames(bytes), sendFrames))
		clear(s.slab.Bytes(0, sources*frameSize)) // have it
		begin, cpu := now(h), threadCPU()
		for i := range uint64(frames(bytes)) {
			c, err := s.do(uring.Send(fd, s.slab.Addr(i%sources*frameSize), frameSize, uring.MSG_WAITALL, 0))
			if err != nil {
				return err
			}
			if c.Res != frameSize {
				return io.ErrShortWrite
			}
		}
		sent := float64(frames(bytes) * frameSize)
		mbPerSecond, cpuPerGB = sent/s.micros(begin), (threadCPU()-cpu)/(sent/1e9)
		return nil
	})
	return mbPerSecond, cpuPerGB, err
}

func frames(bytes uint64) int { return int(max(bytes/frameSize, 1)) }

// connected runs both ends of one connection, of which the server has memory for so many frames.
func connected(h uring.Host, memory int, peer func(net.Conn) error, server func(*shard, int32) error) error {
	listener, address, err := h.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	peerDone := make(chan error, 1)
	go func() {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			peerDone <- err
			return
		}
		peerDone <- errors.Join(peer(conn), conn.Close())
	}()
	slabSize := uint64(memory)*frameSize + uring.BytesNeeded(firstCount, firstSize)
	serverErr := onShard(h, slabSize, uring.Params{Entries: 64}, func(s *shard) error {
		c, err := s.do(uring.Accept(listener, uring.SOCK_CLOEXEC, 0))
		if err != nil {
			return err
		}
		err = server(s, c.Res)
		return errors.Join(err, h.CloseFD(c.Res))
	})
	return errors.Join(serverErr, h.CloseFD(listener), <-peerDone)
}
