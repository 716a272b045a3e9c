package server_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"galgo/components"
	"galgo/wire"
)

// initialized is how many bytes of a file were written at least once: behind them a filesystem that can tell has a hole, allocated or not.
func initialized(t *testing.T, name string) int64 {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at, err := f.Seek(0, unix.SEEK_HOLE)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The blocks behind small writes are initialized by few of them; those behind large writes are left alone, so as not to be written twice.
func TestSmallWritesInitializeAhead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "probe")
	probe, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	if err := unix.Fallocate(int(probe.Fd()), 0, 0, 1<<20); err != nil || initialized(t, name) != 0 {
		t.Skipf("this filesystem does not tell which blocks were written (%v)", err)
	}
	for _, level := range []string{"written", "durable"} {
		t.Run(level, func(t *testing.T) {
			s := start(t, setup{shards: 1, level: level})
			c := s.dial()
			orders := topic(t, c, "orders", 2)
			// sendSome returns the most that was seen to be initialized behind the log.
			sendSome := func(partition uint32, sends, messages, size int) (most int64) {
				var b wire.BatchBuilder
				end := int64(wire.SegmentHeadSize)
				for i := range sends {
					first := uint64(i * messages)
					sent := batch(&b, first, messages, size)
					send(t, c, orders, partition, sent, first)
					end += int64(len(sent))
					if i%50 == 0 || i < 5 {
						most = max(most, initialized(t, logOf(t, s.dir, partition))-int64(components.AlignUp(uint64(end))))
					}
				}
				return most
			}
			// Of its own accord ext4 initializes up to 32 KiB (extent_max_zeroout_kb).
			const some = 32 << 10
			if got := sendSome(0, 1000, 1, 100); got <= some {
				t.Errorf("behind small writes: got %d bytes initialized, want more than %d", got, some)
			}
			if got := sendSome(1, 5, 40, 1000); got > some {
				t.Errorf("behind large writes: got %d bytes initialized, want at most %d", got, some)
			}
		})
	}
}

// logOf is the path of the only log that a partition has.
func logOf(t *testing.T, dir string, partition uint32) string {
	t.Helper()
	for _, file := range segmentFiles(t, dir) {
		if name, ok := wire.ParseSegmentName(file.Name()); ok && name.Kind == wire.SegmentLog && name.PartitionID == partition {
			return filepath.Join(dir, components.SegmentsDir, file.Name())
		}
	}
	t.Fatalf("partition %d: got no log", partition)
	return ""
}
