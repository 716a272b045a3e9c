package baseline

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"galgo/uring"
)

// Write writes so many bytes with O_DIRECT into a fresh, fallocated file in dir, in writes of 1 MiB of which depth are in flight, each made
// durable on its own (RWF_DSYNC) or not. The file is removed.
func Write(h uring.Host, dir string, bytes uint64, depth int, durable bool) (mbPerSecond float64, err error) {
	path := filepath.Join(dir, "galgo-baseline-write")
	files := h.Files()
	size := uint64(frames(bytes)) * frameSize
	fd, err := files.Open(path, uring.O_RDWR|uring.O_CREAT|uring.O_TRUNC|uring.O_DIRECT, 0o600)
	if err != nil {
		return 0, err
	}
	if err = files.Allocate(fd, 0, size); err == nil {
		err = onShard(h, uint64(depth)*frameSize, uring.Params{Entries: 64}, func(s *shard) (err error) {
			fill(s.slab.Bytes(0, s.slab.Size()))
			begin := now(h)
			err = writeAll(s, fd, size, depth, durable)
			mbPerSecond = float64(size) / s.micros(begin)
			return err
		})
	}
	return mbPerSecond, errors.Join(err, files.Close(fd), files.Remove(path))
}

// writeAll keeps depth writes in flight; a write's token is its part of the slab.
func writeAll(s *shard, fd int32, size uint64, depth int, durable bool) error {
	var flags uint32
	if durable {
		flags = uring.RWF_DSYNC
	}
	var position uint64
	push := func(part uring.Token) {
		s.ring.Push(uring.Write(fd, s.slab.Addr(uint64(part)*frameSize), frameSize, position, flags, part))
		position += frameSize
	}
	for part := 0; part < depth && position < size; part++ {
		push(uring.Token(part))
	}
	for done := uint64(0); done < size; {
		got, err := s.reap()
		if err != nil {
			return err
		}
		for _, c := range got {
			if c.Res < 0 {
				return fmt.Errorf("write: %w", c.Errno())
			}
			if c.Res != frameSize {
				return io.ErrShortWrite
			}
			done += frameSize
			if position < size {
				push(c.Token())
			}
		}
	}
	return nil
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
