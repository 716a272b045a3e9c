package portable_test

import (
	"fmt"
	"os"
	"testing"

	"galgo/uring"
	"galgo/uring/baseline"
	"galgo/uring/echobench"
	"galgo/uring/portable"
)

// Each benchmark measures this host and the kernel's io_uring in turns, and reports both medians and their ratio. Wanted is a ratio of 0.5 at
// frames of 1 MiB in and out.

func BenchmarkReceive(b *testing.B) {
	compare(b, func(h uring.Host) (float64, error) { return baseline.Receive(h, 1<<30) })
}

func BenchmarkSend(b *testing.B) {
	compare(b, func(h uring.Host) (float64, error) { return baseline.Send(h, 1<<30) })
}

// BenchmarkWrite writes to the directory in GALGO_BENCH_DIR, or to the temporary one.
func BenchmarkWrite(b *testing.B) {
	for _, depth := range []int{1, 4} {
		for _, durable := range []bool{false, true} {
			b.Run(fmt.Sprintf("depth=%d/durable=%v", depth, durable), func(b *testing.B) {
				dir := os.Getenv("GALGO_BENCH_DIR")
				if dir == "" {
					dir = b.TempDir()
				}
				compare(b, func(h uring.Host) (float64, error) { return baseline.Write(h, dir, 256<<20, depth, durable) })
			})
		}
	}
}

func compare(b *testing.B, measure func(uring.Host) (float64, error)) {
	hosts := []uring.Host{portable.New()}
	if uring.Probe() == nil {
		hosts = append(hosts, uring.NewKernel())
	}
	rates := make([][]float64, len(hosts))
	for b.Loop() {
		for i, h := range hosts {
			rate, err := measure(h)
			if err != nil {
				b.Fatal(err)
			}
			rates[i] = append(rates[i], rate)
		}
	}
	for _, h := range hosts {
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, unit := range []string{"MB/s", "uring-MB/s"}[:len(rates)] {
		b.ReportMetric(echobench.Median(rates[i]), unit)
		if i > 0 {
			b.ReportMetric(echobench.Median(rates[0])/echobench.Median(rates[i]), "of-"+unit)
		}
	}
}
