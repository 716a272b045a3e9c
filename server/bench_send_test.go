package server

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"galgo/uring"
	"galgo/uring/baseline"
)

var sendBytes = flag.Uint64("send.bytes", 1<<30, "bytes that an iteration of BenchmarkSend sends")

// BenchmarkSend sends 1,000 x 1,000 B from 8 producers. At `memory` it stands beside what a bare ring receives into one place, and into memory that it
// keeps as the server does, since handing out new memory takes the kernel longer than filling it. At the other levels it stands beside the smaller of what
// clients can send, which is what `memory` takes, and of what a bare disk takes at that level in fresh blocks, in one go or four at a time. The logs
// of `-pool` are made of recycled files, and stand beside the same fresh disk. `-bench 'Send$' -send.bytes 16000000000` is the sustained load.
func BenchmarkSend(b *testing.B) {
	const producers = 8
	batch := batchOf(1000, 1000)
	total := int(*sendBytes) / len(batch) / producers * producers
	bytes := uint64(total) * uint64(len(batch))
	segment := min(max(bytes/producers/8>>20, 16), 1024) << 20 // each log rolls some times
	host := uring.NewKernel()
	defer host.Close()
	run := func(b *testing.B, s *Server) (mb, cpu float64) {
		p := produce(b, s, producers, total, batch, segment)
		return p.mb, p.cpu / (float64(bytes) / 1e9)
	}
	b.Run("memory", func(b *testing.B) {
		s, results := benchServer(b, "memory", "GALGO_POOL_SIZE=0"), samples{}
		for b.Loop() {
			bare, err := baseline.Receive(host, bytes)
			if err != nil {
				b.Fatal(err)
			}
			kept, err := baseline.ReceiveKept(host, bytes)
			if err != nil {
				b.Fatal(err)
			}
			mb, cpu := run(b, s)
			results.add("MB/s", mb)
			results.add("bare-MB/s", bare)
			results.add("ratio", mb/bare)
			results.add("kept-MB/s", kept)
			results.add("kept-ratio", mb/kept)
			results.add("cpu-s/GB", cpu)
		}
		results.report(b)
	})
	for _, level := range []string{"written", "durable"} {
		for _, pool := range []bool{false, true} {
			name, size := level, "0"
			if pool {
				name, size = level+"-pool", fmt.Sprint(bytes+producers*segment, " B")
			}
			b.Run(name, func(b *testing.B) {
				memory, s, results := benchServer(b, "memory", "GALGO_POOL_SIZE=0"), benchServer(b, level, "GALGO_POOL_SIZE="+size), samples{}
				if pool {
					run(b, s) // its files fill the pool
				}
				for b.Loop() {
					disk := 0.0
					for _, depth := range []int{1, 4} {
						mb, err := baseline.Write(host, b.TempDir(), bytes/2, depth, level == "durable")
						if err != nil {
							b.Fatal(err)
						}
						disk = max(disk, mb)
					}
					clients, _ := run(b, memory)
					mb, cpu := run(b, s)
					results.add("MB/s", mb)
					results.add("disk-MB/s", disk)
					results.add("clients-MB/s", clients)
					results.add("ratio", mb/min(disk, clients))
					results.add("cpu-s/GB", cpu)
				}
				results.report(b)
			})
		}
	}
}

var latencyBatches = flag.Int("latency.batches", 4000, "batches that an iteration of BenchmarkSendLatency sends")

// BenchmarkSendLatency sends 1,000 x 1,000 B at `durable` from 8 producers to fresh logs, beside a bare writer that makes writes of that size durable
// in 8 files at once. The ratios are those of the times.
func BenchmarkSendLatency(b *testing.B) {
	const producers = 8
	batch := batchOf(1000, 1000)
	host := uring.NewKernel()
	defer host.Close()
	s, results := benchServer(b, "durable", "GALGO_POOL_SIZE=0"), samples{}
	quantile := func(micros []uint64, q float64) float64 {
		slices.Sort(micros)
		return float64(micros[int(q*float64(len(micros)-1))]) / 1000
	}
	for b.Loop() {
		bare, err := baseline.WriteTimes(host, b.TempDir(), uint64(*latencyBatches)<<20, producers)
		if err != nil {
			b.Fatal(err)
		}
		var micros []uint64
		for _, t := range produce(b, s, producers, *latencyBatches, batch, 0).times {
			micros = append(micros, uint64(t/time.Microsecond))
		}
		for _, q := range []struct {
			name string
			at   float64
		}{{"p50", 0.5}, {"p99.9", 0.999}} {
			got, want := quantile(micros, q.at), quantile(bare, q.at)
			results.add(q.name+"-ms", got)
			results.add("bare-"+q.name+"-ms", want)
			results.add(q.name+"-ratio", got/want)
		}
	}
	results.report(b)
}

// BenchmarkSendSmall sends 1 x 100 B from 8 and from 64 producers at each level, beside the same load at `memory`: each to a partition of its own, so that
// each send is a write, and all to one, where those that come together are written together. Where each is a durable write it stands also beside as many
// bare ones of a block at the same depth, which is all that the disk can do, and beside the sum of both: where few cores do all the work, what a send
// takes at `memory` and what a bare write takes add up.
func BenchmarkSendSmall(b *testing.B) {
	batch := batchOf(1, 100)
	host := uring.NewKernel()
	defer host.Close()
	for _, producers := range []int{8, 64} {
		for _, partitions := range []int{producers, 1} {
			for _, level := range []string{"memory", "written", "durable"} {
				b.Run(fmt.Sprintf("%s/%d to %d", level, producers, partitions), func(b *testing.B) {
					connected := func(s *Server) (targets []*target) {
						for i := range producers {
							if i < partitions {
								targets = append(targets, newTarget(b, s, 0))
							} else {
								targets = append(targets, &target{Client: dial(b, s), stream: targets[0].stream})
							}
						}
						return targets
					}
					memory, targets, results := connected(benchServer(b, "memory")), connected(benchServer(b, level)), samples{}
					for b.Loop() {
						most := load(b, memory, 2000*producers, batch)
						got := load(b, targets, 2000*producers, batch)
						results.add("requests/s", got.requests)
						results.add("ratio", got.requests/most.requests)
						if level == "durable" && partitions == producers {
							bare, err := baseline.Rewrite(host, b.TempDir(), 2000*producers, producers)
							if err != nil {
								b.Fatal(err)
							}
							results.add("bare-writes/s", bare)
							results.add("bare-ratio", got.requests/bare)
							results.add("sum-ratio", got.requests*(1/most.requests+1/bare))
						}
						results.add("cpu-µs/request", got.cpu*1e6/float64(2000*producers))
					}
					results.report(b)
				})
			}
		}
	}
}
