package simtest

import "testing"

// BenchmarkRequests says how many requests of clients the simulation takes in a second of real time, with everything around them: three shards, rough
// weather, starts and stops. Light is without those who fill segments: they move a hundred times as many bytes as all others together.
func BenchmarkRequests(b *testing.B) {
	for _, of := range []struct {
		name  string
		light bool
	}{{"light", true}, {"all", false}} {
		b.Run(of.name, func(b *testing.B) {
			requests := 0
			for seed := uint64(1); b.Loop(); seed++ {
				r := run(seed, setting{limits: limits{Lives: 2, Actors: 6, Requests: 2000}, shards: 3, weather: &rough, light: of.light})
				if r.failure != "" {
					b.Fatal(r.failure)
				}
				requests += r.requests
			}
			b.ReportMetric(float64(requests)/b.Elapsed().Seconds(), "requests/s")
			b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
		})
	}
}
