package uring

import "golang.org/x/sys/unix"

// The system's own numbers and names, so that callers need no other import. Their meanings are those of the manual pages.
const (
	AtCWD  = unix.AT_FDCWD
	IovMax = 1024 // vectors that one operation carries at most: UIO_MAXIOV

	O_RDONLY    = unix.O_RDONLY
	O_WRONLY    = unix.O_WRONLY
	O_RDWR      = unix.O_RDWR
	O_CREAT     = unix.O_CREAT
	O_EXCL      = unix.O_EXCL
	O_TRUNC     = unix.O_TRUNC
	O_APPEND    = unix.O_APPEND
	O_DIRECT    = unix.O_DIRECT
	O_DSYNC     = unix.O_DSYNC
	O_CLOEXEC   = unix.O_CLOEXEC
	O_DIRECTORY = unix.O_DIRECTORY
	O_NOATIME   = unix.O_NOATIME
	O_NOFOLLOW  = unix.O_NOFOLLOW
	O_NONBLOCK  = unix.O_NONBLOCK

	RWF_HIPRI = unix.RWF_HIPRI
	RWF_DSYNC = unix.RWF_DSYNC
	RWF_SYNC  = unix.RWF_SYNC

	FALLOC_FL_KEEP_SIZE  = unix.FALLOC_FL_KEEP_SIZE
	FALLOC_FL_PUNCH_HOLE = unix.FALLOC_FL_PUNCH_HOLE
	FALLOC_FL_ZERO_RANGE = unix.FALLOC_FL_ZERO_RANGE

	MSG_DONTWAIT = unix.MSG_DONTWAIT
	MSG_MORE     = unix.MSG_MORE
	MSG_NOSIGNAL = unix.MSG_NOSIGNAL
	MSG_PEEK     = unix.MSG_PEEK
	MSG_WAITALL  = unix.MSG_WAITALL

	SHUT_RD   = unix.SHUT_RD
	SHUT_WR   = unix.SHUT_WR
	SHUT_RDWR = unix.SHUT_RDWR

	SOCK_STREAM   = unix.SOCK_STREAM
	SOCK_CLOEXEC  = unix.SOCK_CLOEXEC
	SOCK_NONBLOCK = unix.SOCK_NONBLOCK
	AF_INET       = unix.AF_INET
	AF_INET6      = unix.AF_INET6

	SOL_SOCKET   = unix.SOL_SOCKET
	SO_LINGER    = unix.SO_LINGER
	SO_RCVBUF    = unix.SO_RCVBUF
	SO_SNDBUF    = unix.SO_SNDBUF
	SO_KEEPALIVE = unix.SO_KEEPALIVE
	IPPROTO_TCP  = unix.IPPROTO_TCP
	TCP_NODELAY  = unix.TCP_NODELAY
	TCP_QUICKACK = unix.TCP_QUICKACK

	POLLIN    = unix.POLLIN
	POLLOUT   = unix.POLLOUT
	POLLERR   = unix.POLLERR
	POLLHUP   = unix.POLLHUP
	POLLRDHUP = unix.POLLRDHUP

	AT_EMPTY_PATH       = unix.AT_EMPTY_PATH
	AT_REMOVEDIR        = unix.AT_REMOVEDIR
	AT_SYMLINK_NOFOLLOW = unix.AT_SYMLINK_NOFOLLOW
	RENAME_NOREPLACE    = unix.RENAME_NOREPLACE
	STATX_BASIC_STATS   = unix.STATX_BASIC_STATS
	STATX_DIOALIGN      = unix.STATX_DIOALIGN
)
