package scripted

import (
	"io"
	"net"
	"sync"
	"testing"

	"galgo/wire"
)

// Script answers one request with the bytes to write, possibly no frame at all, and says whether the connection stays.
// The body is good until it returns. Connections call it at the same time.
type Script func(h wire.RequestHeader, body []byte) (answer []byte, stay bool)

// Serve answers connections until the test ends, and returns the address.
func Serve(t testing.TB, script Script) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex // guards the next two
	var open []net.Conn
	ended := false
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			if ended {
				_ = conn.Close()
			}
			mu.Unlock()
			running.Go(func() {
				answerAll(conn, script)
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		ended = true
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return listener.Addr().String()
}

func answerAll(conn net.Conn, script Script) {
	var head [wire.FrameHeaderSize]byte
	for {
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		h, _ := wire.DecodeRequestHeader(head[:])
		if wire.CheckRequestHeader(h, wire.FrameSizeMax) == wire.VerdictClose {
			return
		}
		body := make([]byte, h.BodySize())
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		answer, stay := script(h, body)
		if _, err := conn.Write(answer); err != nil || !stay {
			return
		}
	}
}

// Reply is a successful reply to h with payload, behind a result section where the operation is framed.
func Reply(h wire.RequestHeader, payload []byte) []byte {
	reply := wire.ReplyTo(h)
	var body []byte
	if reply.Operation.Framed() {
		body = wire.AppendResultOK(body)
	}
	body = append(body, payload...)
	reply.Size += uint32(len(body))
	return append(wire.AppendReplyHeader(nil, reply), body...)
}

// Refuse is a reply to h with a status in its header.
func Refuse(h wire.RequestHeader, status wire.Status) []byte {
	reply := wire.ReplyTo(h)
	reply.Status = status
	return wire.AppendReplyHeader(nil, reply)
}

// Reject is a reply to h, which is framed, with a status in its result section.
func Reject(h wire.RequestHeader, status wire.Status) []byte {
	reply := wire.ReplyTo(h)
	body := wire.AppendResultError(nil, status)
	reply.Size += uint32(len(body))
	return append(wire.AppendReplyHeader(nil, reply), body...)
}

// Registered is the reply to a login that is accepted with session.
func Registered(h wire.RequestHeader, session uint64) []byte {
	return Reply(h, wire.AppendRegistered(nil, wire.Registered{
		Session: session, ProtocolVersion: wire.ProtocolVersion, ServerVersion: []byte("0.9.0"),
	}))
}
