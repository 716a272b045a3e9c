package server_test

import (
	"path/filepath"
	"testing"

	"galgo/wire"
)

// Where segments go through the page cache everything else is the same: levels, rolls, recycled files, reads from memory and from disk, and
// starts with and without direct I/O on one directory.
func TestBuffered(t *testing.T) {
	for _, level := range []string{"memory", "written", "durable"} {
		for _, io := range []string{"auto", "portable"} {
			t.Run(level+" "+io, func(t *testing.T) {
				o := setup{dir: filepath.Join(t.TempDir(), "data"), level: level, shards: 2, memory: "32 MiB",
					env: []string{"GALGO_DIRECT=off", "GALGO_IO=" + io, "GALGO_POOL_SIZE=8 MiB"}}
				server := start(t, o)
				c := server.dial()
				small := option("segment_size", "1 MiB")
				gone := topic(t, c, "gone", 1, small)
				kept := topic(t, c, "kept", 2, small)
				var b wire.BatchBuilder
				for i := range uint64(40) {
					send(t, c, gone, 0, batch(&b, i*100, 100, 1000), i*100)
				}
				if err := c.DeleteTopic(named("s"), gone); err != nil {
					t.Fatal(err)
				}
				const batches = 200 // 20 MB in each partition: more than there is memory for
				for i := range uint64(batches) {
					for partition := range uint32(2) {
						send(t, c, kept, partition, batch(&b, i*100, 100, 1000), i*100)
					}
				}
				check := func(next uint64) {
					t.Helper()
					for partition := range uint32(2) {
						readAll(t, c, kept, partition, next, 3000)
					}
				}
				check(batches * 100)
				for life, direct := range []string{"off", "auto", "off"} {
					server.stop()
					o.env[0] = "GALGO_DIRECT=" + direct
					o.shards = 1 + life%2
					server = start(t, o)
					c = server.dial()
					next := uint64(batches+life) * 100
					check(next)
					for partition := range uint32(2) {
						send(t, c, kept, partition, batch(&b, next, 100, 999), next)
					}
					if got := poll(t, c, kept, 0, wire.Strategy{Kind: wire.PollLast}, 1, false); got.CurrentOffset != next+99 {
						t.Fatalf("life %d: current offset: got %d, want %d", life, got.CurrentOffset, next+99)
					}
				}
			})
		}
	}
}
