package server

import (
	"encoding/binary"
	"flag"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galgo/components"
	"galgo/uring"
	"galgo/uring/baseline"
	"galgo/wire"
)

// reader polls a target's partition from its first message on, 1,000 at a time.
type reader struct {
	*target
	body   []byte
	offset uint64
}

func newReader(b *testing.B, s *Server, t *target) *reader {
	b.Helper()
	return &reader{target: &target{Client: dial(b, s), stream: t.stream}, body: wire.AppendPollMessages(nil, wire.PollMessages{
		Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: t.stream, Topic: benchTopic,
		Partition: wire.OptionalPartition{Present: true}, Strategy: wire.Strategy{Kind: wire.PollOffset}, Count: 1000})}
}

// next polls on, and returns the bytes that came, none at the end. It looks at the prefix alone: the rest is the server's work.
func (r *reader) next() (int, error) {
	binary.LittleEndian.PutUint64(r.body[len(r.body)-1-4-8:], r.offset) // the strategy's value stands before count and auto_commit
	payload, err := r.Raw(wire.OpNonReplicated, wire.CodePollMessages, r.body)
	if err != nil {
		return 0, err
	}
	prefix, batches, err := wire.DecodePollPrefix(payload)
	r.offset += uint64(prefix.Count)
	return len(batches), err
}

// readAll reads everything with all readers at once, and returns the rate in MB/s.
func readAll(b *testing.B, readers []*reader) float64 {
	b.Helper()
	var bytes atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for _, r := range readers {
		r.offset = 0
		group.Go(func() {
			for {
				n, err := r.next()
				if err != nil {
					b.Error(err)
				}
				if n == 0 || err != nil {
					return
				}
				bytes.Add(int64(n))
			}
		})
	}
	group.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return float64(bytes.Load()) / 1e6 / time.Since(start).Seconds()
}

// filled are targets with so many batches each.
func filled(b *testing.B, s *Server, count, batches int, batch []byte) (targets []*target) {
	b.Helper()
	for range count {
		t := newTarget(b, s, 0)
		for range batches {
			if err := t.send(batch); err != nil {
				b.Fatal(err)
			}
		}
		targets = append(targets, t)
	}
	return targets
}

func readersOf(b *testing.B, s *Server, targets []*target) (readers []*reader) {
	b.Helper()
	for _, t := range targets {
		readers = append(readers, newReader(b, s, t))
	}
	return readers
}

// BenchmarkPoll polls batches of 1 MB from memory, beside what a bare ring sends from memory. CPU is that of the shards' threads.
func BenchmarkPoll(b *testing.B) {
	const batches, consumers = 100, 4
	host := uring.NewKernel()
	defer host.Close()
	s, results := benchServer(b, "memory"), samples{}
	batch := batchOf(1000, 1000)
	readers := readersOf(b, s, filled(b, s, consumers, batches, batch))
	for b.Loop() {
		send, sendCPU, err := baseline.SendCost(host, 1<<30)
		if err != nil {
			b.Fatal(err)
		}
		cpu := shardCPU(b)
		mb := readAll(b, readers)
		cpu = (shardCPU(b) - cpu) / (float64(consumers*batches*len(batch)) / 1e9)
		results.add("MB/s", mb)
		results.add("bare-MB/s", send)
		results.add("ratio", mb/send)
		results.add("cpu-s/GB", cpu)
		results.add("bare-cpu-s/GB", sendCPU)
		results.add("cpu-ratio", cpu/sendCPU)
	}
	results.report(b)
}

var coldBytes = flag.Uint64("cold.bytes", 2<<30, "bytes that an iteration of BenchmarkPollCold reads")

// BenchmarkPollCold reads old data from the first message to the last, beside the smaller of what polls of as many readers get from memory and of what
// a bare disk gives of the same files to as many reads of 1 MiB. Then it does so beside as many producers at full speed: the ratios are of what each side has alone.
func BenchmarkPollCold(b *testing.B) {
	batch := batchOf(1000, 1000)
	host := uring.NewKernel()
	defer host.Close()
	for _, count := range []int{1, 4} {
		b.Run(fmt.Sprintf("%d", count), func(b *testing.B) {
			dir, env := filepath.Join(b.TempDir(), "data"), []string{"GALGO_MEMORY=256 MiB", "GALGO_POOL_SIZE=0"}
			s := startOn(b, dir, env...)
			targets := filled(b, s, count, int(*coldBytes)/len(batch)/count, batch)
			stop(b, s)
			s = startOn(b, dir, env...) // what it has is on disk alone
			b.Cleanup(func() { stop(b, s) })
			hotServer, results, others := benchServer(b, "memory"), samples{}, countLogs(b, s)
			logs, err := filepath.Glob(filepath.Join(dir, components.SegmentsDir, "*.log"))
			if err != nil || len(logs) == 0 {
				b.Fatalf("logs: got %v, %v, want some", logs, err)
			}
			cold := readersOf(b, s, targets)
			hot := readersOf(b, hotServer, filled(b, hotServer, count, 400/count, batch))
			for b.Loop() {
				disk, err := baseline.Read(host, logs, count)
				if err != nil {
					b.Fatal(err)
				}
				fromMemory := 0.0
				for range 4 {
					fromMemory += readAll(b, hot) / 4
				}
				mb := readAll(b, cold)
				results.add("MB/s", mb)
				results.add("disk-MB/s", disk)
				results.add("hot-MB/s", fromMemory)
				results.add("ratio", mb/min(disk, fromMemory))

				alone := produce(b, s, count, 800, batch, 0).mb
				var over atomic.Bool
				written := make(chan float64)
				producers := make([]*target, count)
				for i := range producers {
					producers[i] = newTarget(b, s, 0)
				}
				go func() {
					var sent atomic.Int64
					var group sync.WaitGroup
					start := time.Now()
					for _, producer := range producers {
						group.Go(func() {
							for !over.Load() {
								if err := producer.send(batch); err != nil {
									b.Error(err)
									return
								}
								sent.Add(int64(len(batch)))
							}
						})
					}
					group.Wait()
					written <- float64(sent.Load()) / 1e6 / time.Since(start).Seconds()
				}()
				beside := readAll(b, cold)
				over.Store(true)
				results.add("producers-kept", <-written/alone)
				deleteAll(b, s, producers, others)
				results.add("readers-kept", beside/mb)
			}
			results.report(b)
		})
	}
}
