package acceptance

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"galgo/wire"
)

var (
	recoveryPartitions = flag.Int("recovery.partitions", 1000, "partitions of BenchmarkRecovery; it takes multiples of 1,000")
	recoveryBytes      = flag.Int("recovery.bytes", 20<<10, "bytes in each partition in the small case; the large one has 20 times as many")
	recoveryCold       = flag.Bool("recovery.cold", false, "drop the kernel's caches before each start, as a start of the machine does; only root can")
	recoveryPatience   = flag.Duration("recovery.patience", 25*time.Minute, "how long a case may take to fill")
)

// BenchmarkRecovery measures how long a server takes from its start until it serves, after a kill, with some data and with 20 times as much: the
// time is that of the number of partitions. `-bench Recovery -benchtime 5x -recovery.partitions 10000 -recovery.bytes 98000` stores 1 GB
// and then 20 GB, and takes as much of the disk. What is still to be written back of the data is not measured.
func BenchmarkRecovery(b *testing.B) {
	var small float64
	for _, times := range []int{1, 20} {
		b.Run(fmt.Sprintf("%d partitions of %d bytes", *recoveryPartitions, times**recoveryBytes), func(b *testing.B) {
			o := options{dir: b.TempDir(), level: "written", env: []string{"GALGO_LOGGING_FILE_ENABLED=false"}}
			s := start(b, o)
			fillPartitions(b, s, *recoveryPartitions, times**recoveryBytes)
			s.kill(b)
			syscall.Sync()
			var took, cpu time.Duration
			count := 0
			for b.Loop() {
				if *recoveryCold {
					dropCaches(b)
				}
				begin := time.Now()
				s := start(b, o)
				took += time.Since(begin)
				count++
				s.kill(b)
				cpu += s.process.ProcessState.UserTime() + s.process.ProcessState.SystemTime()
			}
			mean := float64(took.Microseconds()) / 1000 / float64(count)
			b.ReportMetric(mean, "ms/start")
			b.ReportMetric(float64(cpu.Microseconds())/1000/float64(count), "cpu-ms/start")
			b.ReportMetric(0, "ns/op")
			if times == 1 {
				small = mean
			} else {
				b.ReportMetric(mean/small, "times-the-small-case")
			}
		})
	}
}

// dropCaches lets the kernel forget what it knows of files.
func dropCaches(b *testing.B) {
	syscall.Sync() // it keeps what is still to be written
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0); err != nil {
		b.Fatal(err)
	}
}

// fillPartitions makes partitions, and sends about so many bytes to each.
func fillPartitions(b *testing.B, s *server, partitions, size int) {
	c := s.dial(b)
	if _, err := c.CreateStream("full"); err != nil {
		b.Fatal(err)
	}
	topics := max(partitions/1000, 1)
	for i := range topics {
		if _, err := c.CreateTopic(wire.CreateTopic{Stream: named("full"), PartitionsCount: uint32(partitions / topics), Name: fmt.Appendf(nil, "topic %d", i)}); err != nil {
			b.Fatal(err)
		}
	}
	var batch wire.BatchBuilder
	batch.Reset(1)
	for part := min(size, 128<<10); batch.Size() < part; {
		batch.Add(wire.U128{Lo: uint64(batch.Count()) + 1}, 0, bytes.Repeat([]byte{'m'}, 1000), nil)
	}
	frame := batch.Bytes()
	late := time.Now().Add(*recoveryPatience)
	var running sync.WaitGroup
	const senders = 4
	for sender := range senders {
		c := s.dial(b)
		running.Go(func() {
			for n := sender; n < partitions; n += senders {
				for sent := 0; sent < size; sent += len(frame) {
					at := wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(n / topics)}
					if _, err := c.Send(named("full"), named(fmt.Sprintf("topic %d", n%topics)), at, frame); err != nil {
						b.Error(err)
						return
					}
					if time.Now().After(late) {
						b.Errorf("partition %d: got no further in %v", n, *recoveryPatience)
						return
					}
				}
			}
		})
	}
	running.Wait()
	if b.Failed() {
		b.FailNow()
	}
}
