package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"galgo/server/config"
	"galgo/uring"
	"galgo/uring/baseline"
	"galgo/wire"
	"galgo/wire/client"
)

// The benchmarks compare a whole server over loopback with what the bare ring and the bare disk do in the same run: the ratios count, the
// absolute numbers belong to the machine. Server and clients share the process here, so CPU is theirs together.

// benchServer starts a server at a durability level in a directory of its own.
func benchServer(b *testing.B, level string) *Server {
	b.Helper()
	stderr := os.Stderr
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	os.Stderr = null
	defer func() { os.Stderr = stderr }()
	cfg, err := config.Load(config.Sources{Environ: []string{"GALGO_DURABILITY_DEFAULT=" + level}, WithDefaultRootCredentials: true,
		Flags: map[string]string{"data": filepath.Join(b.TempDir(), "data"), "tcp-address": "127.0.0.1:0"}})
	if err != nil {
		b.Fatal(err)
	}
	s, err := Start(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Stop(); err != nil {
			b.Error(err)
		}
		_ = null.Close()
	})
	return s
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

// produce sends total batches over so many producers, each to a stream of its own, and returns the rate in MB/s and in requests per second.
func produce(b *testing.B, s *Server, producers, total int, batch []byte) (mb, requests float64) {
	b.Helper()
	clients := make([]*client.Client, producers)
	for i := range clients {
		clients[i] = dial(b, s)
		name := fmt.Sprintf("bench-%d-%d", i, time.Now().UnixNano())
		if _, err := clients[i].CreateStream(name); err != nil {
			b.Fatal(err)
		}
		stream := wire.IdentNamed([]byte(name))
		if _, err := clients[i].CreateTopic(wire.CreateTopic{Stream: stream, Name: []byte("topic"), PartitionsCount: 1}); err != nil {
			b.Fatal(err)
		}
		benchTargets.Store(clients[i], stream)
	}
	runtime.GC()
	start := time.Now()
	var group sync.WaitGroup
	for _, c := range clients {
		group.Go(func() {
			target, _ := benchTargets.Load(c)
			for range total / producers {
				if _, err := c.Send(target.(wire.Ident), wire.IdentNamed([]byte("topic")), wire.Partitioning{Kind: wire.PartitionNumbered}, batch); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	seconds := time.Since(start).Seconds()
	return float64(total) * float64(len(batch)) / 1e6 / seconds, float64(total) / seconds
}

var benchTargets sync.Map // client -> its stream

// BenchmarkSend sends 1,000 x 1,000 B from 8 producers at each level, beside what a bare ring receives and what a bare disk writes.
func BenchmarkSend(b *testing.B) {
	const batches = 800
	host := uring.NewKernel()
	defer host.Close()
	batch := batchOf(1000, 1000)
	bytes := uint64(batches) * uint64(len(batch))
	receive, err := baseline.Receive(host, bytes)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	fresh, err := baseline.Write(host, dir, bytes, 4, false)
	if err != nil {
		b.Fatal(err)
	}
	synced, err := baseline.Write(host, dir, bytes, 4, true)
	if err != nil {
		b.Fatal(err)
	}
	for _, level := range []struct {
		name  string
		bound float64
	}{{"memory", receive}, {"written", min(receive, fresh)}, {"durable", min(receive, synced)}} {
		b.Run(level.name, func(b *testing.B) {
			s := benchServer(b, level.name)
			for b.Loop() {
				cpu := cpuSeconds()
				mb, _ := produce(b, s, 8, batches, batch)
				b.ReportMetric(mb, "MB/s")
				b.ReportMetric(level.bound, "bare-MB/s")
				b.ReportMetric(mb/level.bound, "ratio")
				b.ReportMetric((cpuSeconds()-cpu)/(float64(bytes)/1e9), "cpu-s/GB")
			}
		})
	}
}

// BenchmarkSendSmall sends 1 x 100 B from 8 and from 64 producers at each level.
func BenchmarkSendSmall(b *testing.B) {
	batch := batchOf(1, 100)
	for _, level := range []string{"memory", "written", "durable"} {
		for _, producers := range []int{8, 64} {
			b.Run(fmt.Sprintf("%s/%d", level, producers), func(b *testing.B) {
				s := benchServer(b, level)
				for b.Loop() {
					_, requests := produce(b, s, producers, 400*producers, batch)
					b.ReportMetric(requests, "requests/s")
				}
			})
		}
	}
}

// BenchmarkPoll polls batches of 1 MB from memory, beside what a bare ring sends from memory. CPU is that of the shards' threads.
func BenchmarkPoll(b *testing.B) {
	const batches, consumers = 100, 4
	host := uring.NewKernel()
	defer host.Close()
	send, sendCPU, err := baseline.SendCost(host, 1<<30)
	if err != nil {
		b.Fatal(err)
	}
	s := benchServer(b, "memory")
	batch := batchOf(1000, 1000)
	producer := dial(b, s)
	topic := wire.IdentNamed([]byte("topic"))
	stream := wire.IdentNamed([]byte("hot"))
	if _, err := producer.CreateStream("hot"); err != nil {
		b.Fatal(err)
	}
	if _, err := producer.CreateTopic(wire.CreateTopic{Stream: stream, Name: []byte("topic"), PartitionsCount: consumers}); err != nil {
		b.Fatal(err)
	}
	for i := range batches * consumers {
		partition := wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(i % consumers)}
		if _, err := producer.Send(stream, topic, partition, batch); err != nil {
			b.Fatal(err)
		}
	}
	clients := make([]*client.Client, consumers)
	for i := range clients {
		clients[i] = dial(b, s)
	}
	for b.Loop() {
		start, cpu := time.Now(), shardCPU(b)
		var group sync.WaitGroup
		for i, c := range clients {
			group.Go(func() {
				body := wire.AppendPollMessages(nil, wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)},
					Stream: stream, Topic: topic, Partition: wire.OptionalPartition{Present: true, ID: uint32(i)},
					Strategy: wire.Strategy{Kind: wire.PollOffset}, Count: 1000})
				for offset := range uint64(batches) {
					at := len(body) - 1 - 4 - 8 // the strategy's value stands before count and auto_commit
					for k := range 8 {
						body[at+k] = byte(offset * 1000 >> (8 * k))
					}
					if _, err := c.Raw(wire.OpNonReplicated, wire.CodePollMessages, body); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		gb := float64(batches*consumers*len(batch)) / 1e9
		mb, used := gb*1e3/time.Since(start).Seconds(), (shardCPU(b)-cpu)/gb
		b.ReportMetric(mb, "MB/s")
		b.ReportMetric(send, "bare-MB/s")
		b.ReportMetric(mb/send, "ratio")
		b.ReportMetric(used, "cpu-s/GB")
		b.ReportMetric(sendCPU, "bare-cpu-s/GB")
		b.ReportMetric(used/sendCPU, "cpu-ratio")
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
