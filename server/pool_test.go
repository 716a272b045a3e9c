package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"galgo/components"
	"galgo/wire"
)

// segmentFiles are the files in a data directory's directory of segments, without those that go just now.
func segmentFiles(t *testing.T, dir string) (files []os.FileInfo) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, components.SegmentsDir))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			files = append(files, info)
		}
	}
	return files
}

// pooled are the files of a data directory's pool: name and size.
func pooled(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	for _, file := range segmentFiles(t, dir) {
		if _, ok := wire.ParsePoolName(file.Name()); ok {
			found[file.Name()] = file.Size()
		}
	}
	return found
}

// logInodes are the inodes of the segments' logs in a data directory, which a file keeps when the pool renames it.
func logInodes(t *testing.T, dir string) map[uint64]bool {
	t.Helper()
	found := map[uint64]bool{}
	for _, file := range segmentFiles(t, dir) {
		if name, ok := wire.ParseSegmentName(file.Name()); ok && name.Kind == wire.SegmentLog {
			found[file.Sys().(*syscall.Stat_t).Ino] = true
		}
	}
	return found
}

// eventually waits for what happens in the background.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute: got no %s", what)
		}
	}
}

// The logs of a deleted topic go into the pool, and rolls of other topics take them: what is written over old records is read back whole, by
// this server and by the next, also when it was killed.
func TestPool(t *testing.T) {
	for _, level := range []string{"written", "durable"} {
		t.Run(level, func(t *testing.T) {
			o := setup{dir: filepath.Join(t.TempDir(), "data"), level: level, shards: 2, env: []string{"GALGO_POOL_SIZE=64 MiB"}}
			server := start(t, o)
			c := server.dial()
			small := option("segment_size", "1 MiB")
			old := topic(t, c, "old", 2, small)
			var b wire.BatchBuilder
			fill := func(topic wire.Ident, partition uint32, from, batches uint64) {
				t.Helper()
				for i := from; i < from+batches; i++ {
					send(t, c, topic, partition, batch(&b, i*100, 100, 1000), i*100)
				}
			}
			for partition := range uint32(2) {
				fill(old, partition, 0, 60)
			}
			if got := pooled(t, server.dir); len(got) > 0 {
				t.Fatalf("the pool at first: got %v, want nothing", got)
			}
			retired := logInodes(t, server.dir)
			if err := c.DeleteTopic(named("s"), old); err != nil {
				t.Fatal(err)
			}
			eventually(t, "files in the pool", func() bool { return len(pooled(t, server.dir)) >= 10 })

			fresh := topic(t, c, "new", 2, small)
			for partition := range uint32(2) {
				fill(fresh, partition, 0, 40)
			}
			taken := 0
			for inode := range logInodes(t, server.dir) {
				if retired[inode] {
					taken++
				}
			}
			if taken < 4 {
				t.Fatalf("logs of the new topic that were logs of the old one: got %d, want 4 or more", taken)
			}
			check := func() {
				t.Helper()
				for partition := range uint32(2) {
					readAll(t, c, fresh, partition, 4000, 700)
				}
			}
			check()
			server.stop()
			if got := pooled(t, server.dir); len(got) == 0 {
				t.Fatal("the pool after a stop: got nothing, want what was left of it")
			}
			server = start(t, o)
			c = server.dial()
			check()
			fill(fresh, 0, 40, 20)
			readAll(t, c, fresh, 0, 6000, 700)
			server.stop()

			o.env = []string{"GALGO_POOL_SIZE=0"}
			server = start(t, o)
			c = server.dial()
			if got := pooled(t, server.dir); len(got) > 0 {
				t.Fatalf("a pool of size 0: got %v, want nothing", got)
			}
			readAll(t, c, fresh, 0, 6000, 700)
			if err := c.DeleteTopic(named("s"), fresh); err != nil {
				t.Fatal(err)
			}
			eventually(t, "end of the segments", func() bool {
				entries, err := os.ReadDir(filepath.Join(server.dir, components.SegmentsDir))
				return err == nil && len(entries) == 0
			})
		})
	}
}

// A pool that is wanted is filled while the disk has nothing to do.
func TestPoolIsFilledWhileIdle(t *testing.T) {
	server := start(t, setup{env: []string{"GALGO_POOL_SIZE=4 MiB"}})
	c := server.dial()
	topic := topic(t, c, "t", 1, option("segment_size", "1 MiB"))
	var b wire.BatchBuilder
	for i := range uint64(30) {
		send(t, c, topic, 0, batch(&b, i*100, 100, 1000), i*100)
	}
	eventually(t, "file in the pool", func() bool {
		for name, size := range pooled(t, server.dir) {
			if size == 1<<20 && strings.HasPrefix(name, "pool-") {
				return true
			}
		}
		return false
	})
	readAll(t, c, topic, 0, 3000, 500)
}
