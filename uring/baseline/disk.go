package baseline

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/sys/unix"

	"galgo/uring"
)

// Write writes so many bytes with O_DIRECT into a fresh, fallocated file in dir, in writes of 1 MiB of which depth are in flight, each made
// durable on its own (RWF_DSYNC) or not. The file is removed.
func Write(h uring.Host, dir string, bytes uint64, depth int, durable bool) (mbPerSecond float64, err error) {
	t := transfer{size: uint64(frames(bytes)) * frameSize, depth: depth, flags: syncFlag(durable)}
	err = t.onFiles(h, dir, 1, func(s *shard) (err error) {
		mbPerSecond, err = t.run(s)
		return err
	})
	return mbPerSecond, err
}

// WriteTimes writes as Write does, durably, into depth files at a time with one write in flight each, as a server writes the logs of so many
// partitions. It returns how long each write took, in microseconds.
func WriteTimes(h uring.Host, dir string, bytes uint64, depth int) (micros []uint64, err error) {
	t := transfer{size: uint64(frames(bytes/uint64(depth))) * frameSize, depth: depth, flags: syncFlag(true), times: &micros}
	err = t.onFiles(h, dir, depth, func(s *shard) error {
		_, err := t.run(s)
		return err
	})
	return micros, err
}

// Rewrite makes about so many writes of one block durable in depth files at a time, with one in flight each, as a server writes the logs of so many
// partitions to which little is sent at a time: each block of the files, which were written before, rewritesEach times, and then the next.
func Rewrite(h uring.Host, dir string, writes, depth int) (perSecond float64, err error) {
	const blockSize, rewritesEach = 4096, 20
	blocks := uint64(max(writes/depth/rewritesEach, 1))
	t := transfer{size: (blocks*blockSize + frameSize - 1) / frameSize * frameSize, depth: depth, flags: syncFlag(true)}
	err = t.onFiles(h, dir, depth, func(s *shard) error {
		if _, err := t.run(s); err != nil {
			return err
		}
		t.size, t.unit, t.each = blocks*blockSize, blockSize, rewritesEach
		mbPerSecond, err := t.run(s)
		perSecond = mbPerSecond * 1e6 / blockSize
		return err
	})
	return perSecond, err
}

// Read reads files with O_DIRECT, one after the other, from their beginnings to where nothing was written yet, in reads of 1 MiB of which depth are in
// flight.
func Read(h uring.Host, paths []string, depth int) (mbPerSecond float64, err error) {
	t := transfer{unit: frameSize, each: 1, depth: depth, read: true}
	err = onShard(h, uint64(depth)*frameSize, uring.Params{Entries: 64}, func(s *shard) error {
		bytes, seconds := 0.0, 0.0
		for _, path := range paths {
			fd, err := h.Files().Open(path, uring.O_RDWR|uring.O_DIRECT, 0)
			if err != nil {
				return err
			}
			written, err := unix.Seek(int(fd), 0, unix.SEEK_HOLE)
			t.fds, t.size = []int32{fd}, uint64(written)/frameSize*frameSize
			if err == nil && t.size > 0 {
				var rate float64
				rate, err = t.run(s)
				bytes += float64(t.size)
				seconds += float64(t.size) / rate
			}
			if err := errors.Join(err, h.Files().Close(fd)); err != nil {
				return err
			}
		}
		mbPerSecond = bytes / seconds
		return nil
	})
	return mbPerSecond, err
}

func syncFlag(durable bool) uint32 {
	if durable {
		return uring.RWF_DSYNC
	}
	return 0
}

// withFiles makes fallocated files of so many bytes, open with O_DIRECT, and removes them afterwards.
func withFiles(h uring.Host, dir string, count int, size uint64, body func(fds []int32) error) (err error) {
	files := h.Files()
	var fds []int32
	for i := range count {
		path := filepath.Join(dir, fmt.Sprintf("galgo-baseline-%d", i))
		fd, err := files.Open(path, uring.O_RDWR|uring.O_CREAT|uring.O_TRUNC|uring.O_DIRECT, 0o600)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, files.Close(fd), files.Remove(path)) }()
		if err := files.Allocate(fd, 0, size); err != nil {
			return err
		}
		fds = append(fds, fd)
	}
	return body(fds)
}

// transfer writes files of size bytes from their beginning to their end, or reads them, with depth operations in flight: an operation's token is
// its part of the slab, and where there are as many files as that, its file.
type transfer struct {
	fds   []int32
	size  uint64 // bytes of each file
	unit  uint64 // bytes of each operation
	each  uint64 // operations on the same bytes before the next
	depth int
	flags uint32
	read  bool
	times *[]uint64 // of each operation, in microseconds; nil: nobody wants to know
}

// onFiles makes the files, so many of them, and runs body on a shard with a slab of what is to be written. Operations are of a frame, each on bytes of
// its own, unless body says otherwise.
func (t *transfer) onFiles(h uring.Host, dir string, count int, body func(*shard) error) error {
	t.unit, t.each = frameSize, 1
	return withFiles(h, dir, count, t.size, func(fds []int32) error {
		t.fds = fds
		return onShard(h, uint64(t.depth)*frameSize, uring.Params{Entries: 64}, func(s *shard) error {
			fill(s.slab.Bytes(0, s.slab.Size()))
			return body(s)
		})
	})
}

// run returns the rate.
func (t *transfer) run(s *shard) (mbPerSecond float64, err error) {
	counts, begun := make([]uint64, len(t.fds)), make([]uint64, t.depth)
	push := func(part int) {
		file := part % len(t.fds)
		position := counts[file] / t.each * t.unit
		if position == t.size {
			return
		}
		at, token := s.slab.Addr(uint64(part)*frameSize), uring.Token(part)
		if t.read {
			s.ring.Push(uring.Read(t.fds[file], at, uint32(t.unit), position, 0, token))
		} else {
			s.ring.Push(uring.Write(t.fds[file], at, uint32(t.unit), position, t.flags, token))
		}
		counts[file]++
		begun[part] = now(s.host)
	}
	begin := now(s.host)
	for part := range t.depth {
		push(part)
	}
	all := uint64(len(t.fds)) * t.size * t.each
	for done := uint64(0); done < all; {
		got, err := s.reap()
		if err != nil {
			return 0, err
		}
		for _, c := range got {
			if c.Res < 0 {
				return 0, fmt.Errorf("transfer: %w", c.Errno())
			}
			if uint64(c.Res) != t.unit {
				return 0, io.ErrShortWrite
			}
			done += t.unit
			part := int(c.Token())
			if t.times != nil {
				*t.times = append(*t.times, now(s.host)-begun[part])
			}
			push(part)
		}
	}
	return float64(all) / s.micros(begin), nil
}

// fill makes bytes that no disk or host below compresses away.
func fill(b []byte) {
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
}
