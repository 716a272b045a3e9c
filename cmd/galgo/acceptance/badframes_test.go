package acceptance

import (
	"encoding/binary"
	"fmt"
	"testing"

	"galgo/wire"
)

// badFrames are frames whose headers say something wrong. Answers: protocol.md, 1.1 and 3.2.
var badFrames = []struct {
	name       string
	make       func(c *rawConn) []byte
	before     string // the answer before login
	afterwards string // and with a session
}{
	{"size 0", sized(0), "closed", "closed"},
	{"size below the header", sized(255), "closed", "closed"},
	{"size above the limit", sized(64<<20 + 1), "closed", "closed"},
	{"largest size there is", sized(1<<32 - 1), "closed", "closed"},
	{"a reply", commanded(8), "closed", "closed"},
	{"a command byte of nothing", commanded(30), "closed", "closed"},
	{"command byte 0", commanded(0), "closed", "closed"},
	{"another protocol", func(*rawConn) []byte {
		return append([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), make([]byte, wire.FrameHeaderSize)...)
	}, "closed", "closed"},
	{"all ones", func(*rawConn) []byte {
		ones := make([]byte, wire.FrameHeaderSize)
		for i := range ones {
			ones[i] = 0xff
		}
		return ones
	}, "closed", "closed"},

	{"operation 0", operated(0), "status 3", "status 3"},
	{"operation 7", operated(7), "status 3", "status 3"},
	{"operation 127", operated(127), "status 3", "status 3"},
	{"operation 255", operated(255), "status 3", "status 3"},
	{"operation of a reply", operated(64), "status 3", "status 3"},
	{"internal operation", operated(66), "status 3", "status 3"},
	{"operation of another reply", operated(68), "status 3", "status 3"},

	{"read without a client", changed(wire.OpNonReplicated, wire.CodeGetStreams, func(h *wire.RequestHeader) { h.Client = wire.U128{} }), "status 40", "status 3"},
	{"write without a client", changed(wire.OpCreateStream, 0, func(h *wire.RequestHeader) { h.Client = wire.U128{} }), "eviction 1", "status 3"},
	{"write without a session", changed(wire.OpCreateStream, 0, func(h *wire.RequestHeader) { h.Session = 0 }), "eviction 1", "status 3"},
	{"write without a number", changed(wire.OpCreateStream, 0, func(h *wire.RequestHeader) { h.Request = 0 }), "eviction 1", "status 3"},
	{"send without a session", changed(wire.OpSendMessages, 0, func(h *wire.RequestHeader) { h.Session = 0 }), "eviction 1", "status 3"},
	{"register without a client", changed(wire.OpRegister, 0, func(h *wire.RequestHeader) { h.Client, h.Session, h.Request = wire.U128{}, 0, 0 }), "status 3", "status 3"},
	{"register with a session", changed(wire.OpRegister, 0, func(h *wire.RequestHeader) { h.Session, h.Request = 9, 0 }), "status 3", "status 3"},
	{"register with a number", changed(wire.OpRegister, 0, func(h *wire.RequestHeader) { h.Session, h.Request = 0, 9 }), "status 3", "status 3"},
	{"session of the future", changed(wire.OpCreateStream, 0, func(h *wire.RequestHeader) { h.Session += 1 << 50 }), "eviction 1", "eviction 1"},
	{"session of the past", changed(wire.OpCreateStream, 0, func(h *wire.RequestHeader) { h.Session = 1 }), "eviction 1", "eviction 7"},

	{"checksum of another body", changed(wire.OpNonReplicated, wire.CodeGetStreams, func(h *wire.RequestHeader) { h.RequestChecksum = wire.U128{Lo: 1} }), "status 40", "status 4"},
	{"checksum of another body, written", changed(wire.OpCreateStream, 0, func(h *wire.RequestHeader) { h.RequestChecksum = wire.U128{Lo: 1} }), "eviction 1", "status 4"},
	{"upper half of a checksum", changed(wire.OpCreateStream, 0, func(h *wire.RequestHeader) { h.RequestChecksum = wire.BodyChecksum(nil); h.RequestChecksum.Hi = 1 }), "eviction 1", "status 4"},

	{"code of nothing", changed(wire.OpNonReplicated, 60000, nil), "status 40", "status 3"},
	{"code 0", changed(wire.OpNonReplicated, 0, nil), "status 40", "status 3"},
	{"code of a write", changed(wire.OpNonReplicated, wire.CodeCreateStream, nil), "status 40", "status 5"},
	{"code of a send", changed(wire.OpNonReplicated, wire.CodeSendMessages, nil), "status 40", "status 5"},
	{"flush", changed(wire.OpNonReplicated, wire.CodeFlushUnsavedBuffer, nil), "status 40", "status 5"},
	{"old login", changed(wire.OpNonReplicated, wire.CodeLoginUser, nil), "eviction 15", "eviction 15"},
	{"old login by token", changed(wire.OpNonReplicated, wire.CodeLoginWithPersonalAccessToken, nil), "eviction 15", "eviction 15"},
	{"logout as a read", changed(wire.OpNonReplicated, wire.CodeLogout, nil), "status 40", "status 3"},
	{"register as a read", changed(wire.OpNonReplicated, wire.CodeRegister, nil), "status 40", "status 3"},

	{"ping", changed(wire.OpNonReplicated, wire.CodePing, nil), "ok", "ok"},
	{"ping without a client", changed(wire.OpNonReplicated, wire.CodePing, func(h *wire.RequestHeader) { h.Client = wire.U128{} }), "ok", "status 3"},
	{"ping with a wrong checksum", changed(wire.OpNonReplicated, wire.CodePing, func(h *wire.RequestHeader) { h.RequestChecksum = wire.U128{Lo: 1} }), "ok", "status 4"},
	{"logout", changed(wire.OpLogout, 0, nil), "ok", "ok"},
	{"cluster metadata", changed(wire.OpNonReplicated, wire.CodeGetClusterMetadata, nil), "status 40", "ok"},
	{"register without a body", changed(wire.OpRegister, 0, func(h *wire.RequestHeader) { h.Session, h.Request = 0, 0 }), "eviction 15", "eviction 15"},
}

// sized is a ping whose header says another size.
func sized(size uint32) func(c *rawConn) []byte {
	return func(c *rawConn) []byte {
		f := c.ping()
		binary.LittleEndian.PutUint32(f[48:], size)
		return f
	}
}

// commanded is a ping with another command byte.
func commanded(command uint8) func(c *rawConn) []byte {
	return func(c *rawConn) []byte {
		f := c.ping()
		f[60] = command
		return f
	}
}

// operated is a frame of an operation that no request has.
func operated(op wire.Operation) func(c *rawConn) []byte {
	return func(c *rawConn) []byte {
		h := c.header(op, 0)
		h.Session, h.Request = 1, 1
		return frame(h, nil)
	}
}

// changed is a frame without a body and with a changed header.
func changed(op wire.Operation, code wire.Code, change func(h *wire.RequestHeader)) func(c *rawConn) []byte {
	return func(c *rawConn) []byte {
		h := c.header(op, code)
		if change != nil {
			change(&h)
		}
		return frame(h, nil)
	}
}

func TestBadFrames(t *testing.T) {
	s := start(t, options{})
	watch(t, s)
	for _, test := range badFrames {
		t.Run(test.name+" before login", func(t *testing.T) {
			c := dialRaw(t, s)
			c.expect(test.make(c), test.before)
		})
		t.Run(test.name, func(t *testing.T) {
			c := loginRaw(t, s)
			c.expect(test.make(c), test.afterwards)
		})
	}
}

// What is larger than any login is not waited for before login.
func TestLargeBodyBeforeLogin(t *testing.T) {
	s := start(t, options{})
	watch(t, s)
	for _, size := range []uint32{64 << 10, 1 << 20, 64 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			c := dialRaw(t, s)
			c.expect(sized(size)(c), "closed")
		})
	}
}

// Bytes may come in any pieces.
func TestPieces(t *testing.T) {
	s := start(t, options{})
	t.Run("one by one", func(t *testing.T) {
		c := loginRaw(t, s)
		body := wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("pieces")})
		for _, b := range c.request(wire.OpCreateStream, 0, body) {
			c.write([]byte{b})
		}
		if a := c.read(); a.String() != "ok" {
			t.Errorf("got %s, want ok", a)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		c := loginRaw(t, s)
		const count = 300
		var all []byte
		for i := range count {
			h := c.header(wire.OpNonReplicated, wire.CodePing)
			if i%3 == 1 {
				h.Code = 60000
			}
			h.Request = uint64(1000 + i)
			all = append(all, frame(h, make([]byte, i%7))...)
		}
		c.write(all)
		for i := range count {
			want := "ok"
			if i%3 == 1 {
				want = "status 3"
			}
			if a := c.read(); a.String() != want || a.reply.Request != uint64(1000+i) {
				t.Fatalf("answer %d: got %s to request %d, want %s to %d", i, a, a.reply.Request, want, 1000+i)
			}
		}
	})
	t.Run("the largest frame", func(t *testing.T) {
		c := loginRaw(t, s)
		large := make([]byte, 64<<20-wire.FrameHeaderSize)
		c.expect(c.request(wire.OpNonReplicated, wire.CodePing, large), "ok")
	})
}

// Who stops in the middle of a frame disturbs nobody.
func TestHalfFrames(t *testing.T) {
	s := start(t, options{})
	watch(t, s)
	for _, half := range []struct {
		name         string
		size, length int // what the header says, and what is written
	}{
		{"one byte", 256, 1},
		{"half a header", 256, 128},
		{"header only", 4096, 256},
		{"half a body", 1 << 20, 512 << 10},
		{"most of a large body", 32 << 20, 31 << 20},
	} {
		for _, reset := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reset %v", half.name, reset), func(t *testing.T) {
				c := loginRaw(t, s)
				f := make([]byte, half.length+wire.FrameHeaderSize)
				copy(f, c.request(wire.OpSendMessages, 0, nil))
				binary.LittleEndian.PutUint32(f[48:], uint32(half.size))
				c.write(f[:half.length])
				if reset {
					if err := c.SetLinger(0); err != nil {
						t.Fatal(err)
					}
					_ = c.Close()
					return
				}
				if err := c.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if a := c.read(); !a.closed {
					t.Errorf("got %s, want closed", a)
				}
			})
		}
	}
}

// Who says nothing is not waited for; who has logged in may be silent.
func TestSilentConnections(t *testing.T) {
	s := start(t, options{env: []string{"IGGY_MESSAGE_BUS_HANDSHAKE_GRACE=200ms"}})
	watch(t, s)
	loggedIn := loginRaw(t, s)
	silent, half := dialRaw(t, s), dialRaw(t, s)
	half.write(half.ping()[:100])
	for name, c := range map[string]*rawConn{"silent": silent, "half a header": half} {
		if a := c.read(); !a.closed {
			t.Errorf("%s: got %s, want closed", name, a)
		}
	}
	if a := loggedIn.ask(loggedIn.ping()); a.String() != "ok" {
		t.Errorf("after login: got %s, want ok", a)
	}
}
