package uring_test

import (
	"fmt"
	"os"
	"testing"

	"galgo/uring"
	"galgo/uring/baseline"
	"galgo/uring/echobench"
)

func BenchmarkReceive(b *testing.B) {
	rate(b, 2<<30, func(h uring.Host, bytes uint64) (float64, error) { return baseline.Receive(h, bytes) })
}

func BenchmarkSend(b *testing.B) {
	rate(b, 2<<30, func(h uring.Host, bytes uint64) (float64, error) { return baseline.Send(h, bytes) })
}

// BenchmarkWrite writes to the directory in GALGO_BENCH_DIR, or to the temporary one.
func BenchmarkWrite(b *testing.B) {
	dir := os.Getenv("GALGO_BENCH_DIR")
	for _, depth := range []int{1, 4} {
		for _, durable := range []bool{false, true} {
			b.Run(fmt.Sprintf("depth=%d/durable=%v", depth, durable), func(b *testing.B) {
				dir := dir
				if dir == "" {
					dir = b.TempDir()
				}
				rate(b, 512<<20, func(h uring.Host, bytes uint64) (float64, error) {
					return baseline.Write(h, dir, bytes, depth, durable)
				})
			})
		}
	}
}

// rate reports the median rate over the iterations, each of so many bytes.
func rate(b *testing.B, bytes uint64, measure func(uring.Host, uint64) (float64, error)) {
	h := kernel(b)
	var rates []float64
	for b.Loop() {
		r, err := measure(h, bytes)
		if err != nil {
			b.Fatal(err)
		}
		rates = append(rates, r)
	}
	if err := h.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(echobench.Median(rates), "MB/s")
}
