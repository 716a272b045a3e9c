package engine

import "galgo/components"

// progressMicros is how often a long recovery says how far it is.
const progressMicros = 5_000_000

// progress tells the log how far a recovery is.
type progress struct {
	of    int    // partitions
	said  uint64 // µs, monotonic: when it spoke last, or began
	total int    // partitions done
}

// done counts one partition more.
func (p *progress) done(monoMicros uint64, log components.Logger) {
	p.total++
	if monoMicros-p.said < progressMicros {
		return
	}
	p.said = monoMicros
	log.Log(components.LogInfo, "recovering partitions", components.Num("done", uint64(p.total)), components.Num("of", uint64(p.of)))
}
