package uring_test

import (
	"fmt"
	"testing"

	"galgo/uring"
	"galgo/uring/baseline"
	"galgo/uring/echobench"
)

// echoSpinMicros is how long the ring spins before it parks, as a shard does that is alone on its core.
const echoSpinMicros = 50

func TestMain(m *testing.M) {
	echobench.Main(m, echobench.Servers{
		"ring": func() (*baseline.Echo, error) { return baseline.EchoRing(uring.NewKernel(), echoSpinMicros) },
		"net":  baseline.EchoNet,
	}, func() uring.Host { return uring.NewKernel() })
}

// BenchmarkEcho compares a ring with a plain Go server. Wanted are 2, 1.5 and 1.2 of its echoes at 1, 4 and 16 connections of a client that
// sleeps; -benchtime 15x gives a steady ratio. One that spins leaves no core idle, and both servers the time to do without sleep.
func BenchmarkEcho(b *testing.B) {
	if err := uring.Probe(); err != nil {
		b.Skip(err)
	}
	for _, connections := range []int{1, 4, 16} {
		for _, spin := range []uint64{0, echoSpinMicros} {
			b.Run(fmt.Sprintf("connections=%d/spin=%d", connections, spin), func(b *testing.B) {
				echobench.Compare(b, echobench.Client{Connections: connections, SpinMicros: spin}, "ring", "net")
			})
		}
	}
}
