package uring

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// System is the part of a Host that is the same for every host that stands on the operating system; they embed it.
type System struct {
	started     time.Time
	startedMono uint64 // CLOCK_MONOTONIC at started: µs
}

// NewSystem returns a System whose clock runs.
func NewSystem() System {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		panic(fmt.Sprintf("uring: clock_gettime: %v", err))
	}
	return System{started: time.Now(), startedMono: uint64(now.Nano()) / 1e3}
}

// Slab makes a slab; see Host.
func (s *System) Slab(size uint64) (*Slab, error) { return NewSlab(size) }

// Clock reads both times in one go; see Host.
func (s *System) Clock() (wallMicros, monoMicros uint64) {
	now := time.Now()
	return uint64(now.UnixMicro()), s.startedMono + uint64(now.Sub(s.started).Microseconds())
}

// Random fills b; see Host.
func (s *System) Random(b []byte) { rand.Read(b) } // never fails: crypto/rand ends the process rather

// Files returns SystemFiles; see Host.
func (s *System) Files() Files { return systemFiles{} }

// CloseFD closes a descriptor; see Host.
func (s *System) CloseFD(fd int32) error { return closeFD(fd) }

const (
	listenBacklog = 4096
	// After a SIGKILL the kernel takes a moment to close a ring's sockets, and the port stays taken for so long.
	listenRetryMax   = 2 * time.Second
	listenRetryPause = 10 * time.Millisecond
)

// Listen makes a TCP listener; see Host.
func (s *System) Listen(address string) (fd int32, bound string, err error) {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return -1, "", fmt.Errorf("listen %s: %w", address, err)
	}
	port := resolved.AddrPort()
	everywhere := resolved.IP == nil
	if everywhere {
		port = netip.AddrPortFrom(netip.IPv6Unspecified(), port.Port())
	}
	for begin := time.Now(); ; time.Sleep(listenRetryPause) {
		fd, err = listen(port)
		switch {
		case err == nil:
			if bound, _, err = s.SockNames(fd); err != nil {
				_ = closeFD(fd)
				return -1, "", err
			}
			return fd, bound, nil
		case everywhere && (err == unix.EAFNOSUPPORT || err == unix.EADDRNOTAVAIL): // a machine without IPv6
			everywhere = false
			port = netip.AddrPortFrom(netip.IPv4Unspecified(), port.Port())
		case err != unix.EADDRINUSE || time.Since(begin) > listenRetryMax:
			return -1, "", fmt.Errorf("listen %s: %w", address, err)
		}
	}
}

// listen returns a bare errno. The address :: takes IPv4 too.
func listen(address netip.AddrPort) (int32, error) {
	domain, sockaddr := unix.AF_INET, unix.Sockaddr(nil)
	if ip := address.Addr().Unmap(); ip.Is4() {
		sockaddr = &unix.SockaddrInet4{Port: int(address.Port()), Addr: ip.As4()}
	} else {
		domain = unix.AF_INET6
		sockaddr = &unix.SockaddrInet6{Port: int(address.Port()), Addr: ip.As16(), ZoneId: zoneID(ip.Zone())}
	}
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return -1, err
	}
	options := []struct{ level, option, value int }{
		{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
	}
	if domain == unix.AF_INET6 && address.Addr().IsUnspecified() {
		options = append(options, struct{ level, option, value int }{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0})
	}
	for _, o := range options {
		if err == nil {
			err = unix.SetsockoptInt(fd, o.level, o.option, o.value)
		}
	}
	if err == nil {
		err = unix.Bind(fd, sockaddr)
	}
	if err == nil {
		err = unix.Listen(fd, listenBacklog)
	}
	if err != nil {
		_ = closeFD(int32(fd))
		return -1, err
	}
	return int32(fd), nil
}

func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}

// SockNames returns both ends of a socket; see Host.
func (s *System) SockNames(fd int32) (local, peer string, err error) {
	name, err := unix.Getsockname(int(fd))
	if err != nil {
		return "", "", os.NewSyscallError("getsockname", err)
	}
	local = formatSockaddr(name)
	name, err = unix.Getpeername(int(fd))
	if err != nil {
		if err == unix.ENOTCONN {
			return local, "", nil
		}
		return "", "", os.NewSyscallError("getpeername", err)
	}
	return local, formatSockaddr(name), nil
}

// formatSockaddr shows an IPv4 peer of an IPv6 listener as the IPv4 address it is.
func formatSockaddr(name unix.Sockaddr) string {
	switch a := name.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port)).String()
	}
	return ""
}
