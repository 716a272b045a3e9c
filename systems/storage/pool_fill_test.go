package storage

import (
	"os"
	"path/filepath"
	"testing"

	"galgo/components"
	"galgo/uring"
)

// A file for the pool takes nothing of the disk before it gets its blocks, which may be long after it was opened: until then others may grow. When there is
// no room any more, there is no file.
func TestFillingTakesWhatItAllocates(t *testing.T) {
	for _, full := range []bool{false, true} {
		s := newTestShard(t, testDir(t))
		dir := filepath.Join(s.st.Directory.Root, components.SegmentsDir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		fd, err := uring.SystemFiles().Open(dir, uring.O_RDONLY|uring.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		io, view, k, fill := NewIO(s.ring, nil, components.Span{}), s.state.View(), &s.st.Disk, &s.st.Pool.Filling
		const size = 2 << 20
		s.st.Space.SizeMax, s.st.Pool.Missing, s.st.Pool.Want, s.st.Descriptors.Max, s.st.Directory.LogFD = size, size, size, 4, fd
		s.state.Now.MonoMicros, k.Free = fillIdleMicros, size
		k.FreeAt = s.state.Now.MonoMicros
		step := func() {
			FillPool(view, s.st, io)
			s.await(io, s.busy)
		}
		step()
		if got := s.st.Space.Left(k); fill.Step != components.FillAllocate || got != size {
			t.Fatalf("opened: got step %d and %d bytes left, want %d and %d", fill.Step, got, components.FillAllocate, size)
		}
		if full {
			k.Free--
		}
		for range 10 {
			step()
		}
		if got := len(s.st.Pool.Files); fill.Step != components.FillIdle || got == 1 == full || s.st.Space.Room() != size-uint64(got*size) || s.st.Descriptors.Open != 0 {
			t.Errorf("full %v: got step %d, %d files, room for %d, %d descriptors", full, fill.Step, got, s.st.Space.Room(), s.st.Descriptors.Open)
		}
		if taken, grown := s.st.Space.Taken(), s.st.Space.Grown(); taken != grown {
			t.Errorf("full %v: got %d bytes taken and %d grown, want as many", full, taken, grown)
		}
		if err := uring.SystemFiles().Close(fd); err != nil {
			t.Error(err)
		}
	}
}
