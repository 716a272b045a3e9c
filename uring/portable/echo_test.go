package portable_test

import (
	"fmt"
	"testing"

	"galgo/uring"
	"galgo/uring/baseline"
	"galgo/uring/echobench"
	"galgo/uring/portable"
)

func TestMain(m *testing.M) {
	echobench.Main(m, echobench.Servers{
		"portable": func() (*baseline.Echo, error) { return baseline.EchoRing(portable.New(), 0) },
		"uring":    func() (*baseline.Echo, error) { return baseline.EchoRing(uring.NewKernel(), 0) },
		"net":      baseline.EchoNet,
	}, func() uring.Host {
		if uring.Probe() == nil {
			return uring.NewKernel()
		}
		return portable.New()
	})
}

// BenchmarkEcho compares this host with a plain Go server and with io_uring, none of which spins. Wanted is no less than the plain server, and
// half of io_uring; -benchtime 15x gives a steady ratio.
func BenchmarkEcho(b *testing.B) {
	names := []string{"portable", "net"}
	if uring.Probe() == nil {
		names = append(names, "uring")
	}
	for _, connections := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) { echobench.Compare(b, echobench.Client{Connections: connections}, names...) })
	}
}
