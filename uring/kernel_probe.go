//go:build linux

package uring

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// required are the operations without which Setup refuses; the rest is asked for with Supports.
var required = []uint8{
	OpNop, OpReadv, OpWritev, OpFsync, OpPollAdd, OpSendmsg, OpTimeout, OpAccept, OpCancel, OpLinkTimeout, OpConnect, OpFallocate, OpOpenat,
	OpClose, OpStatx, OpRead, OpWrite, OpSend, OpRecv, OpShutdown, OpRenameat, OpUnlinkat, OpMkdirat, OpMsgRing, OpSocket,
}

type probeResult struct {
	works [256]bool
	err   error
}

// probed asks the kernel once.
var probed = sync.OnceValue(func() *probeResult {
	var p *probeResult
	done := make(chan struct{})
	go func() { // a ring belongs to its thread, and the caller's may have one already
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p = probe()
	}()
	<-done
	return p
})

// Probe reports whether this kernel, as this process is allowed to use it, can stand behind a ring. The error wraps ErrUnsupported and names
// what is missing.
func Probe() error { return probed().err }

func probe() *probeResult {
	p := &probeResult{}
	s := &kernelShard{}
	if p.err = s.open(Params{Entries: 8, CQEntries: 16}); p.err != nil {
		return p
	}
	defer s.close()
	arg := &probeArg{}
	if err := register(s.ringFD, registerProbe, unsafe.Pointer(arg), uint32(len(arg.ops))); err != nil {
		p.err = fmt.Errorf("%w: probing operations: %w", ErrUnsupported, err)
		return p
	}
	for _, op := range arg.ops[:arg.opsLen] {
		p.works[op.op] = op.flags&probeOpSupported != 0
	}
	for _, op := range required {
		if !p.works[op] {
			p.err = fmt.Errorf("%w: operation %d is missing; Linux 6.1 has it", ErrUnsupported, op)
			return p
		}
	}
	if err := probePbufRing(s); err != nil {
		p.err = fmt.Errorf("%w: provided-buffer rings: %w", ErrUnsupported, err)
		return p
	}
	// The opcode is older than its socket commands, so only a try tells.
	p.works[OpSetSockOpt] = p.works[OpSetSockOpt] && probeSetSockOpt(s)
	return p
}

func probePbufRing(s *kernelShard) error {
	slab, err := NewSlab(PageSize)
	if err != nil {
		return err
	}
	err = s.registerBuffers(registerPbufRing, pbufReg{ringAddr: uint64(slab.Base()), entries: 1})
	if err == nil {
		err = s.registerBuffers(unregisterPbufRing, pbufReg{})
	}
	return errors.Join(err, slab.Free())
}

func probeSetSockOpt(s *kernelShard) bool {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	slab, err := NewSlab(PageSize)
	if err != nil {
		return false
	}
	defer slab.Free()
	slab.Bytes(0, 4)[0] = 1
	s.q.SQEntries[0] = SetSockOpt(int32(fd), SOL_SOCKET, SO_KEEPALIVE, slab.Base(), 4, 0)
	s.q.SQTail.Store(1)
	if err := s.enter(1, 1); err != nil || s.q.CQTail.Load() == s.q.CQHead.Load() {
		return false
	}
	return s.q.CQEntries[0].Res == 0
}
