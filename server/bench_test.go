package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"galgo/components"
	"galgo/server/config"
	"galgo/uring/echobench"
	"galgo/wire"
	"galgo/wire/client"
)

// The benchmarks compare a whole server over loopback with what the bare ring and the bare disk do in the same run: the ratios count, the
// absolute numbers belong to the machine. Server and clients share the process here, so CPU is theirs together.

// benchServer starts a server in a directory of its own; env is NAME=value.
func benchServer(b *testing.B, level string, env ...string) *Server {
	b.Helper()
	s := startOn(b, filepath.Join(b.TempDir(), "data"), append(env, "GALGO_DURABILITY_DEFAULT="+level)...)
	b.Cleanup(func() { stop(b, s) })
	return s
}

// startOn starts a server that the caller stops, and that logs nothing.
func startOn(b *testing.B, dir string, env ...string) *Server {
	b.Helper()
	cfg, err := config.Load(config.Sources{Environ: append(env, "GALGO_LOGGING_LEVEL=off", "GALGO_LOGGING_FILE_ENABLED=false"), WithDefaultRootCredentials: true,
		Flags: map[string]string{"data": dir, "tcp-address": "127.0.0.1:0"}})
	if err != nil {
		b.Fatal(err)
	}
	s, err := Start(cfg)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func stop(b *testing.B, s *Server) {
	b.Helper()
	if err := s.Stop(); err != nil {
		b.Fatal(err)
	}
}

func dial(b *testing.B, s *Server) *client.Client {
	b.Helper()
	c, err := client.Dial(context.Background(), s.Address, client.Options{Username: "iggy", Password: "iggy"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

// batchOf is a batch of so many messages of so many bytes.
func batchOf(messages, size int) []byte {
	var builder wire.BatchBuilder
	builder.Reset(1)
	payload := make([]byte, size)
	for i := range messages {
		builder.Add(wire.U128{Lo: uint64(i + 1)}, 0, payload, nil)
	}
	return append([]byte(nil), builder.Bytes()...)
}

// cpuSeconds is what the process has used so far.
func cpuSeconds() float64 {
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// shardCPU is what the threads of this process's shards have used so far, in seconds.
func shardCPU(b *testing.B) (seconds float64) {
	b.Helper()
	names, err := filepath.Glob("/proc/self/task/*/comm")
	if err != nil || len(names) == 0 {
		b.Fatalf("threads: got %q, %v", names, err)
	}
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(comm), threadName) {
			continue // it may have ended
		}
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(name), "schedstat"))
		if err != nil {
			b.Fatal(err)
		}
		var nanos float64
		if _, err := fmt.Sscan(string(stat), &nanos); err != nil {
			b.Fatal(err)
		}
		seconds += nanos / 1e9
	}
	return seconds
}

// target is where a producer of a benchmark sends: a topic of its own with one partition.
type target struct {
	*client.Client
	stream wire.Ident
}

var benchTopic = wire.IdentNamed([]byte("topic"))

// newTarget connects, and creates the topic, with segments of so many bytes; 0 is the default.
func newTarget(b *testing.B, s *Server, segment uint64) *target {
	b.Helper()
	t := &target{Client: dial(b, s)}
	name := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	if _, err := t.CreateStream(name); err != nil {
		b.Fatal(err)
	}
	t.stream = wire.IdentNamed([]byte(name))
	create := wire.CreateTopic{Stream: t.stream, Name: []byte("topic"), PartitionsCount: 1}
	if segment > 0 {
		create.Options = wire.AppendTypedValue(wire.AppendTypedValue(nil, wire.StringValue([]byte("segment_size"))),
			wire.StringValue([]byte(fmt.Sprint(segment, " B"))))
	}
	if _, err := t.CreateTopic(create); err != nil {
		b.Fatal(err)
	}
	return t
}

func (t *target) send(batch []byte) error {
	_, err := t.Send(t.stream, benchTopic, wire.Partitioning{Kind: wire.PartitionNumbered}, batch)
	return err
}

// deleteAll removes topics, and waits until their files are gone from the directory, or in the pool: so many are those of others.
func deleteAll(b *testing.B, s *Server, targets []*target, others int) {
	b.Helper()
	for _, t := range targets {
		if err := errors.Join(t.DeleteStream(t.stream), t.Close()); err != nil {
			b.Fatal(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); countLogs(b, s) > others; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("a minute after a deletion: got %d logs, want %d", countLogs(b, s), others)
		}
	}
}

// countLogs is how many segments have a log; files of the pool are none.
func countLogs(b *testing.B, s *Server) int {
	b.Helper()
	logs, err := filepath.Glob(filepath.Join(s.dir.Root, components.SegmentsDir, "[0-9a-f]*.log"))
	if err != nil {
		b.Fatal(err)
	}
	return len(logs)
}

// produced is what a run of producers came to.
type produced struct {
	mb, requests float64         // per second
	cpu          float64         // seconds
	times        []time.Duration // of each request
}

// produce sends total batches over so many producers, each to a topic of its own.
func produce(b *testing.B, s *Server, producers, total int, batch []byte, segment uint64) (p produced) {
	b.Helper()
	others, targets := countLogs(b, s), make([]*target, producers)
	for i := range targets {
		targets[i] = newTarget(b, s, segment)
	}
	p = load(b, targets, total, batch)
	deleteAll(b, s, targets, others)
	return p
}

// load sends total batches, to all targets at once.
func load(b *testing.B, targets []*target, total int, batch []byte) (p produced) {
	b.Helper()
	each := total / len(targets)
	p.times = make([]time.Duration, each*len(targets))
	runtime.GC()
	start, cpu := time.Now(), cpuSeconds()
	var group sync.WaitGroup
	for i, t := range targets {
		group.Go(func() {
			for k := range each {
				begin := time.Now()
				if err := t.send(batch); err != nil {
					b.Error(err)
					return
				}
				p.times[i*each+k] = time.Since(begin)
			}
		})
	}
	group.Wait()
	p.cpu = cpuSeconds() - cpu
	p.requests = float64(len(p.times)) / time.Since(start).Seconds()
	p.mb = p.requests * float64(len(batch)) / 1e6
	if b.Failed() {
		b.FailNow()
	}
	return p
}

// samples collects a figure over the iterations of a benchmark, by its unit. The medians are reported.
type samples map[string][]float64

func (s samples) add(unit string, value float64) { s[unit] = append(s[unit], value) }

func (s samples) report(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	for unit, values := range s {
		b.ReportMetric(echobench.Median(values), unit)
	}
}

// BenchmarkCreateTopic creates topics of 10 partitions over 1 and over 32 connections: each is durable before it is answered.
func BenchmarkCreateTopic(b *testing.B) {
	for _, connections := range []int{1, 32} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			s := benchServer(b, "written")
			clients := make([]*client.Client, connections)
			for i := range clients {
				clients[i] = dial(b, s)
				if _, err := clients[i].CreateStream(fmt.Sprintf("stream-%d", i)); err != nil {
					b.Fatal(err)
				}
			}
			made := 0
			for b.Loop() {
				start := time.Now()
				var group sync.WaitGroup
				for i, c := range clients {
					group.Go(func() {
						for k := range 50 {
							if _, err := c.CreateTopic(wire.CreateTopic{Stream: wire.IdentNamed(fmt.Appendf(nil, "stream-%d", i)),
								Name: fmt.Appendf(nil, "topic-%d-%d", made, k), PartitionsCount: 10}); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				group.Wait()
				made++
				b.ReportMetric(float64(50*connections)/time.Since(start).Seconds(), "topics/s")
			}
		})
	}
}
