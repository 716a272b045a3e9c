package baseline

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"galgo/uring"
)

// EchoSize is the bytes of an echoed message.
const EchoSize = 64

// Tokens of the echo server: what it is, then the descriptor or the buffer.
const (
	echoAccept = uring.Token(1) << 32
	echoRecv   = uring.Token(2) << 32
	echoSend   = uring.Token(3) << 32
	echoClose  = uring.Token(4) << 32
	echoKind   = uring.Token(0xFF) << 32
)

// Echo is an echo server.
type Echo struct {
	Address string
	stop    func() error
}

// Stop ends the server and its connections.
func (e *Echo) Stop() error { return e.stop() }

// EchoRing starts an echo server on a ring that spins for spinMicros before it parks: multishot accept and receive, provided buffers, one
// send for each message.
func EchoRing(h uring.Host, spinMicros uint64) (*Echo, error) {
	listener, address, err := h.Listen("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	var stopped atomic.Bool
	done := make(chan error, 1)
	p := uring.Params{Entries: 256, Ready: stopped.Load, SpinMicros: spinMicros}
	go func() {
		done <- onShard(h, uring.BytesNeeded(256, 4*EchoSize), p, func(s *shard) error { return echoLoop(s, listener, &stopped) })
	}()
	return &Echo{address, func() error {
		stopped.Store(true)
		h.Wake(0)
		return errors.Join(<-done, h.CloseFD(listener))
	}}, nil
}

func echoLoop(s *shard, listener int32, stopped *atomic.Bool) error {
	buffers, err := uring.NewBufRing(s.ring, 0, s.slab, 0, 256, 4*EchoSize)
	if err != nil {
		return err
	}
	s.ring.Push(uring.AcceptMultishot(listener, uring.SOCK_CLOEXEC, echoAccept))
	conns := map[int32]bool{}
	for !stopped.Load() {
		if err := s.ring.Enter(true, 0); err != nil {
			return err
		}
		n := s.ring.Reap(s.some[:])
		for _, c := range s.some[:n] {
			low := uint32(c.UserData)
			switch kind := c.Token() & echoKind; {
			case kind == echoAccept && c.Res >= 0:
				conns[c.Res] = true
				s.ring.Push(uring.RecvMultishot(c.Res, 0, echoRecv|uring.Token(c.Res)))
			case kind == echoAccept:
				return fmt.Errorf("accept: %w", c.Errno())
			case kind == echoRecv && c.Res > 0:
				id, _ := uring.BufferID(c.Flags)
				s.ring.Push(uring.Send(int32(low), buffers.Buffer(id), uint32(c.Res), uring.MSG_WAITALL, echoSend|uring.Token(id)))
				if !c.More() {
					s.ring.Push(uring.RecvMultishot(int32(low), 0, echoRecv|uring.Token(low)))
				}
			case kind == echoRecv: // the end of the stream, or a reset
				delete(conns, int32(low))
				s.ring.Push(uring.Close(int32(low), echoClose))
			case kind == echoSend:
				buffers.Recycle(uint16(low))
			}
		}
	}
	for fd := range conns {
		s.ring.Push(uring.Shutdown(fd, uring.SHUT_RDWR, echoClose))
		s.ring.Push(uring.Close(fd, echoClose))
	}
	return nil
}

// EchoNet starts the same server in plain Go: package net, a goroutine for each connection.
func EchoNet() (*Echo, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer conn.Close()
				b := make([]byte, 4*EchoSize)
				for {
					n, err := conn.Read(b)
					if err != nil {
						return
					}
					if _, err = conn.Write(b[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	return &Echo{listener.Addr().String(), func() error {
		err := listener.Close()
		conns.Wait()
		return err
	}}, nil
}

// EchoLoad sends messages over so many connections, one in flight on each, for a while, at least until one has come back, and returns the echoes
// per second. It runs on a ring of its own, as shard 0 of h, which receives into provided buffers and spins for spinMicros, so that the load costs
// less than what it measures: it belongs in another process than the server, and to spin on another core.
func EchoLoad(h uring.Host, address string, connections int, d time.Duration, spinMicros uint64) (perSecond float64, err error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return 0, err
	}
	slabSize := uring.PageSize + uring.BytesNeeded(loadBuffers, EchoSize)
	err = onShard(h, slabSize, uring.Params{Entries: 256, SpinMicros: spinMicros}, func(s *shard) error {
		buffers, err := uring.NewBufRing(s.ring, 0, s.slab, uring.PageSize, loadBuffers, EchoSize)
		if err != nil {
			return err
		}
		perSecond, err = echoOver(s, buffers, to, connections, d)
		return err
	})
	return perSecond, err
}

const loadBuffers = 256

// echoOver measures; a token is what it is, and the connection.
func echoOver(s *shard, buffers *uring.BufRing, to netip.AddrPort, connections int, d time.Duration) (perSecond float64, err error) {
	name := uring.AppendSockAddr(s.slab.Bytes(0, uring.PageSize)[:0], to)
	sockets, missing := make([]int32, connections), make([]int32, connections) // missing: bytes of the echo that have not come
	for i := range sockets {
		socket, err := s.do(uring.Socket(uring.AF_INET, uring.SOCK_STREAM|uring.SOCK_CLOEXEC, 0, 0))
		if err != nil {
			return 0, err
		}
		if _, err := s.do(uring.Connect(socket.Res, s.slab.Addr(0), uint32(len(name)), 0)); err != nil {
			return 0, err
		}
		sockets[i] = socket.Res
	}
	ping := func(i int) {
		missing[i] = EchoSize
		s.ring.Push(uring.Send(sockets[i], s.slab.Addr(0), EchoSize, uring.MSG_WAITALL, echoSend|uring.Token(i)))
	}
	for i, fd := range sockets {
		s.ring.Push(uring.RecvMultishot(fd, buffers.Group(), echoRecv|uring.Token(i)))
		ping(i)
	}
	echoes, start := 0, now(s.host)
	for {
		got, err := s.reap()
		if err != nil {
			return 0, err
		}
		elapsed := time.Duration(s.micros(start)) * time.Microsecond
		for _, c := range got {
			i := int(uint32(c.UserData))
			switch {
			case c.Res <= 0:
				return 0, fmt.Errorf("echo on connection %d: result %d: %w", i, c.Res, c.Errno())
			case c.Token()&echoKind == echoSend:
				continue
			}
			if id, ok := uring.BufferID(c.Flags); ok {
				buffers.Recycle(id)
			}
			if !c.More() {
				s.ring.Push(uring.RecvMultishot(sockets[i], buffers.Group(), echoRecv|uring.Token(i)))
			}
			if missing[i] -= c.Res; missing[i] == 0 {
				echoes++
				ping(i)
			}
		}
		if elapsed >= d && echoes > 0 {
			return float64(echoes) / elapsed.Seconds(), nil // Close cancels what is in flight, and the process ends
		}
	}
}
