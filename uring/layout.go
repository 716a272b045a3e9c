package uring

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"unsafe"
)

// Iovec is one vector of Readv, Writev and Sendmsg: 16 bytes (struct iovec).
type Iovec struct {
	Base Addr
	Len  uint64 // bytes
}

// Msghdr is what Sendmsg sends: 56 bytes (struct msghdr on 64-bit systems). Streams use Iov and IovCount alone.
type Msghdr struct {
	Name        Addr
	NameSize    uint32
	_           uint32
	Iov         Addr
	IovCount    uint64 // vectors, at most IovMax
	Control     Addr
	ControlSize uint64
	Flags       int32
	_           uint32
}

// Timespec is a duration or a time of Timeout and LinkTimeout: 16 bytes (struct __kernel_timespec).
type Timespec struct {
	Seconds     int64
	Nanoseconds int64 // below 1,000,000,000
}

// TimespecMicros returns the Timespec of so many microseconds.
func TimespecMicros(micros uint64) Timespec {
	return Timespec{Seconds: int64(micros / 1e6), Nanoseconds: int64(micros % 1e6 * 1e3)}
}

// StatxResult is what Statx fills: 256 bytes (struct statx).
type StatxResult struct {
	Mask           uint32 // STATX_*: the fields that are filled
	BlockSize      uint32
	Attributes     uint64
	Links          uint32
	UID, GID       uint32
	Mode           uint16
	_              uint16
	Inode          uint64
	Size           uint64 // bytes
	Blocks         uint64 // of 512 bytes
	AttributesMask uint64
	Times          [4]StatxTime // access, birth, change, modification
	RdevMajor      uint32
	RdevMinor      uint32
	DevMajor       uint32
	DevMinor       uint32
	MountID        uint64
	DioMemAlign    uint32 // bytes; with STATX_DIOALIGN
	DioOffsetAlign uint32 // bytes; with STATX_DIOALIGN
	_              [12]uint64
}

// StatxTime is a time in StatxResult: 16 bytes.
type StatxTime struct {
	Seconds     int64
	Nanoseconds uint32
	_           int32
}

// Iovecs returns the slab's bytes at off as count vectors. The slice stays valid as long as the slab. Off must be a multiple of 8.
func (s *Slab) Iovecs(off uint64, count int) []Iovec {
	return unsafe.Slice((*Iovec)(s.aligned(off, uint64(count)*uint64(unsafe.Sizeof(Iovec{})))), count)
}

// Msghdr returns the slab's 56 bytes at off as a message header; as Iovecs otherwise.
func (s *Slab) Msghdr(off uint64) *Msghdr {
	return (*Msghdr)(s.aligned(off, uint64(unsafe.Sizeof(Msghdr{}))))
}

// Timespec returns the slab's 16 bytes at off as a time; as Iovecs otherwise.
func (s *Slab) Timespec(off uint64) *Timespec {
	return (*Timespec)(s.aligned(off, uint64(unsafe.Sizeof(Timespec{}))))
}

// StatxResult returns the slab's 256 bytes at off as the result of Statx; as Iovecs otherwise.
func (s *Slab) StatxResult(off uint64) *StatxResult {
	return (*StatxResult)(s.aligned(off, uint64(unsafe.Sizeof(StatxResult{}))))
}

// PutPath writes path and its NUL at off, len(path)+1 bytes, and returns their address. A NUL within the path is a bug and panics.
func (s *Slab) PutPath(off uint64, path string) Addr {
	for i := range len(path) {
		if path[i] == 0 {
			panic(fmt.Sprintf("uring: path %q holds a NUL", path))
		}
	}
	b := s.Bytes(off, uint64(len(path))+1)
	copy(b, path)
	b[len(path)] = 0
	return s.Addr(off)
}

// AppendSockAddr appends the socket address of Connect: struct sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes).
func AppendSockAddr(dst []byte, address netip.AddrPort) []byte {
	ip := address.Addr().Unmap()
	if ip.Is4() {
		four := ip.As4()
		dst = binary.NativeEndian.AppendUint16(dst, AF_INET)
		dst = binary.BigEndian.AppendUint16(dst, address.Port())
		dst = append(dst, four[:]...)
		return append(dst, make([]byte, 8)...)
	}
	sixteen := ip.As16()
	dst = binary.NativeEndian.AppendUint16(dst, AF_INET6)
	dst = binary.BigEndian.AppendUint16(dst, address.Port())
	dst = append(dst, 0, 0, 0, 0) // flow label
	dst = append(dst, sixteen[:]...)
	return append(dst, 0, 0, 0, 0) // scope
}
