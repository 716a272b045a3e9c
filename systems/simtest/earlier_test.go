package simtest

import (
	"path"
	"testing"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// A kill in a log's first write may leave its head and no record, which nobody has made durable, nor the name: at written nobody had to. Where the next
// run, at durable, goes on in that file, what it acknowledges needs both.
func TestLogOfEarlierRun(t *testing.T) {
	for seed := range uint64(8) { // chance decides whether a loss of power takes the name
		s := newSceneOf(t, seed, components.LevelWritten, 32<<20)
		s.topic("t")
		s.send("t", 30_000, wire.StatusOK)
		s.w.Kill()
		s.cutFirstWrite()
		s.sent["t"] = nil
		s.level = components.LevelDurable
		s.begin()
		s.send("t", 3000, wire.StatusOK)
		s.w.PowerCut()
		s.begin()
		s.check("t", 0)
	}
}

// cutFirstWrite makes the files on the disk as if the kill had come in the first write to a log, when the head was there, and no record and no index.
func (s *scene) cutFirstWrite() {
	s.t.Helper()
	files, dir := s.w.Boot().Files(), path.Join(root, components.SegmentsDir)
	names, err := files.List(dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range names {
		file, _ := wire.ParseSegmentName(name)
		name = path.Join(dir, name)
		if file.Kind == wire.SegmentIndex {
			err = files.Remove(name)
		} else {
			err = cutFile(files, name, wire.SegmentHeadSize)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	s.w.Kill()
}

// cutFile makes what stands behind a position of a file zero.
func cutFile(files uring.Files, name string, position uint64) error {
	fd, err := files.Open(name, uring.O_RDWR, 0)
	if err != nil {
		return err
	}
	size, err := files.Size(fd)
	if err == nil {
		err = files.Truncate(fd, position)
	}
	if err == nil {
		err = files.Allocate(fd, position, size-position)
	}
	if err != nil {
		return err
	}
	return files.Close(fd)
}
