package server_test

import (
	"testing"

	"galgo/wire"
)

// The batches of a producer that sends large ones to the same partition are not copied from the second on: the log goes on in the memory that they
// were received in. What polls and a restart find is what was sent all the same.
func TestLargeBatchesStay(t *testing.T) {
	const sends, messages, size = 6, 1000, 1000
	for _, level := range levels {
		t.Run(level, func(t *testing.T) {
			s := start(t, setup{shards: 2, level: level})
			c := s.dial()
			orders := topic(t, c, "orders", 2)
			var b wire.BatchBuilder
			for partition := range uint32(2) { // owned by different shards
				producer, next := s.dial(), uint64(0)
				for range sends {
					send(t, producer, orders, partition, batch(&b, next, messages, size), next)
					next += messages
				}
				readAll(t, c, orders, partition, next, 700)
			}
			s.stop()
			if got, want := s.Adopted(), uint64(2*(sends-1)); got != want {
				t.Errorf("batches that were not copied: got %d, want %d", got, want)
			}
			s = start(t, setup{dir: s.dir, level: level})
			c = s.dial()
			for partition := range uint32(2) {
				readAll(t, c, orders, partition, sends*messages, 5000)
			}
		})
	}
}
