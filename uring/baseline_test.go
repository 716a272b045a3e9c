package uring_test

import (
	"testing"

	"galgo/uring"
	"galgo/uring/baseline"
)

// The rates mean nothing at this size; that bytes went through does.
func TestBaselines(t *testing.T) {
	const bytes = 4 << 20
	for name, measure := range map[string]func(uring.Host) (float64, error){
		"receive":       func(h uring.Host) (float64, error) { return baseline.Receive(h, bytes) },
		"receive kept":  func(h uring.Host) (float64, error) { return baseline.ReceiveKept(h, bytes) },
		"send":          func(h uring.Host) (float64, error) { return baseline.Send(h, bytes) },
		"write":         func(h uring.Host) (float64, error) { return baseline.Write(h, t.TempDir(), bytes, 1, false) },
		"write durable": func(h uring.Host) (float64, error) { return baseline.Write(h, t.TempDir(), bytes, 3, true) },
		"rewrite":       func(h uring.Host) (float64, error) { return baseline.Rewrite(h, t.TempDir(), 50, 3) },
		"echo": func(h uring.Host) (float64, error) {
			server, err := baseline.EchoRing(h, 0)
			if err != nil {
				return 0, err
			}
			load := kernel(t) // its own shard 0
			defer load.Close()
			rate, err := baseline.EchoLoad(load, server.Address, 3, 0, 0)
			if err != nil {
				return 0, err
			}
			return rate, server.Stop()
		},
	} {
		h := kernel(t)
		rate, err := measure(h)
		if err != nil || rate <= 0 {
			t.Errorf("%s: got rate %v, error %v, want a rate", name, rate, err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}
