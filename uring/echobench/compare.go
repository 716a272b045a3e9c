package echobench

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

const turn = 400 * time.Millisecond

// Client is the load: messages of 64 bytes, one in flight on each connection. One that does not spin sleeps until an echo comes, as most
// clients do, and then its way out of sleep stands in every server's time.
type Client struct {
	Connections int
	SpinMicros  uint64
}

// Compare measures servers under the same client. Each iteration is a turn of each server. It reports every server's echoes per second and
// its own time for one, and the ratio of the first to each of the others.
func Compare(b *testing.B, load Client, names ...string) {
	servers, clients, err := splitCores()
	if err != nil {
		b.Fatal(err)
	}
	sides := make([]*process, len(names))
	addresses := make([]string, len(names))
	for i, name := range names {
		if sides[i], err = start(name, servers); err == nil {
			_, err = fmt.Fscan(sides[i].out, &addresses[i])
		}
		if err != nil {
			b.Fatalf("%s: %v", name, err)
		}
	}
	rates, echoes := make([][]float64, len(names)), make([]float64, len(names))
	for b.Loop() {
		for i, address := range addresses {
			var rate float64
			client, err := start(fmt.Sprintf("client %s %d %d %d", address, load.Connections, turn.Milliseconds(), load.SpinMicros), clients)
			if err == nil {
				_, err = fmt.Fscan(client.out, &rate)
				_, ended := client.end()
				err = errors.Join(err, ended)
			}
			if err != nil {
				b.Fatalf("client of %s: %v", names[i], err)
			}
			rates[i] = append(rates[i], rate)
			echoes[i] += rate * turn.Seconds()
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, name := range names {
		used, err := sides[i].end()
		if err != nil {
			b.Errorf("%s: %v", name, err)
		}
		b.ReportMetric(Median(rates[i]), name+"/s")
		b.ReportMetric(float64(used.Microseconds())/echoes[i], name+"-cpu-µs")
		if i > 0 {
			b.ReportMetric(Median(rates[0])/Median(rates[i]), "of-"+name)
		}
	}
}

// Median returns the middle value, and sorts.
func Median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
