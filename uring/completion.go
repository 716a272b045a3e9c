package uring

import "syscall"

// Completion is an io_uring_cqe: 16 bytes. Res is the operation's result, or the negated errno. Source: io_uring_enter(2).
type Completion struct {
	UserData uint64 // the entry's token
	Res      int32
	Flags    uint32 // FlagBuffer and others
}

// Flags of a completion.
const (
	FlagBuffer   = 1 << 0 // a provided buffer was taken; see BufferID
	FlagMore     = 1 << 1 // the entry will complete again; without it this is its last completion
	FlagNonempty = 1 << 2 // the socket had more bytes after this receive

	bufferIDShift = 16
)

// Token returns the token of the entry that completed.
func (c Completion) Token() Token { return Token(c.UserData) }

// Errno returns the error of a failed operation, and 0 for one that succeeded.
func (c Completion) Errno() syscall.Errno {
	if c.Res >= 0 {
		return 0
	}
	return syscall.Errno(-c.Res)
}

// More reports whether further completions of the same entry follow.
func (c Completion) More() bool { return c.Flags&FlagMore != 0 }

// BufferID returns the id of the provided buffer that a completion with these flags took, and false when it took none.
func BufferID(flags uint32) (uint16, bool) {
	return uint16(flags >> bufferIDShift), flags&FlagBuffer != 0
}
