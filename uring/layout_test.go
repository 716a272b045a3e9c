package uring

import (
	"encoding/hex"
	"net/netip"
	"testing"
	"unsafe"
)

// The layouts are the kernel's: linux/io_uring.h, bits/types/struct_iovec.h, bits/socket.h, linux/stat.h.
func TestLayouts(t *testing.T) {
	var (
		e Entry
		s StatxResult
		m Msghdr
		b bufSlot
	)
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"Entry", unsafe.Sizeof(e), 64},
		{"Entry.FD", unsafe.Offsetof(e.FD), 4},
		{"Entry.Off", unsafe.Offsetof(e.Off), 8},
		{"Entry.Addr", unsafe.Offsetof(e.Addr), 16},
		{"Entry.Len", unsafe.Offsetof(e.Len), 24},
		{"Entry.OpFlags", unsafe.Offsetof(e.OpFlags), 28},
		{"Entry.UserData", unsafe.Offsetof(e.UserData), 32},
		{"Entry.BufGroup", unsafe.Offsetof(e.BufGroup), 40},
		{"Entry.SpliceFD", unsafe.Offsetof(e.SpliceFD), 44},
		{"Entry.Addr3", unsafe.Offsetof(e.Addr3), 48},
		{"Completion", unsafe.Sizeof(Completion{}), 16},
		{"Iovec", unsafe.Sizeof(Iovec{}), 16},
		{"Timespec", unsafe.Sizeof(Timespec{}), 16},
		{"Msghdr", unsafe.Sizeof(m), 56},
		{"Msghdr.Iov", unsafe.Offsetof(m.Iov), 16},
		{"Msghdr.Flags", unsafe.Offsetof(m.Flags), 48},
		{"StatxResult", unsafe.Sizeof(s), 256},
		{"StatxResult.Size", unsafe.Offsetof(s.Size), 40},
		{"StatxResult.Times", unsafe.Offsetof(s.Times), 64},
		{"StatxResult.MountID", unsafe.Offsetof(s.MountID), 144},
		{"StatxResult.DioMemAlign", unsafe.Offsetof(s.DioMemAlign), 152},
		{"bufSlot", unsafe.Sizeof(b), 16},
		{"bufSlot.id", unsafe.Offsetof(b.id), 12},
		{"bufSlot.tail", unsafe.Offsetof(b.tail), 14},
		{"setupParams", unsafe.Sizeof(setupParams{}), 120},
		{"pbufReg", unsafe.Sizeof(pbufReg{}), 40},
		{"geteventsArg", unsafe.Sizeof(geteventsArg{}), 24},
		{"probeOp", unsafe.Sizeof(probeOp{}), 8},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, c.got, c.want)
		}
	}
}

func TestSockAddr(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:8090": "02001f9a7f0000010000000000000000",
		"[::1]:8090":     "0a001f9a000000000000000000000000000000000000000100000000",
	} {
		if got := hex.EncodeToString(AppendSockAddr(nil, netip.MustParseAddrPort(address))); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}

func TestReservedTokensArePushedByNobody(t *testing.T) {
	r := &Ring{}
	for _, token := range []Token{TokenWake, TokenRing, TokenMessage, TokenMessage | 7} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("push with token %#x: got no panic, want one", uint64(token))
				}
			}()
			r.Push(Nop(token))
		}()
	}
}
