//go:build linux

package uring

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The three system calls and their arguments. Source: linux/io_uring.h, io_uring_setup(2), io_uring_enter(2), io_uring_register(2).

const (
	setupCQSize       = 1 << 3
	setupClamp        = 1 << 4
	setupSubmitAll    = 1 << 7
	setupCoopTaskrun  = 1 << 8
	setupTaskrunFlag  = 1 << 9
	setupSingleIssuer = 1 << 12
	setupDeferTaskrun = 1 << 13
	setupNoSQArray    = 1 << 16 // Linux 6.6

	featSingleMmap = 1 << 0
	featNoDrop     = 1 << 1
	featExtArg     = 1 << 8

	enterGetEvents      = 1 << 0
	enterExtArg         = 1 << 3
	enterRegisteredRing = 1 << 4

	registerProbe      = 8
	registerRingFDs    = 20
	unregisterRingFDs  = 21
	registerPbufRing   = 22
	unregisterPbufRing = 23

	offSQRing = 0
	offSQEs   = 0x10000000
)

type sqOffsets struct {
	head, tail, mask, entries, flags, dropped, array, _ uint32
	_                                                   uint64
}

type cqOffsets struct {
	head, tail, mask, entries, overflow, cqes, flags, _ uint32
	_                                                   uint64
}

type setupParams struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFD uint32
	_                                                                      [3]uint32
	sq                                                                     sqOffsets
	cq                                                                     cqOffsets
}

// geteventsArg is the argument of a waiting enter: no signal mask, and the address of a Timespec or 0.
type geteventsArg struct {
	sigmask   uint64
	sigmaskSz uint32
	_         uint32
	timespec  uint64
}

type rsrcUpdate struct {
	offset, _ uint32
	data      uint64
}

type pbufReg struct {
	ringAddr uint64
	entries  uint32
	group    uint16
	flags    uint16
	_        [3]uint64
}

type probeOp struct {
	op, _ uint8
	flags uint16
	_     uint32
}

const probeOpSupported = 1 << 0

type probeArg struct {
	lastOp, opsLen uint8
	_              uint16
	_              [3]uint32
	ops            [256]probeOp
}

func setup(entries uint32, p *setupParams) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(entries), uintptr(unsafe.Pointer(p)), 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

func register(fd int, opcode uint32, arg unsafe.Pointer, count uint32) error {
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(fd), uintptr(opcode), uintptr(arg), uintptr(count), 0, 0)
	runtime.KeepAlive(arg)
	if errno != 0 {
		return errno
	}
	return nil
}
