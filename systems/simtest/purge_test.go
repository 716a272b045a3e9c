package simtest

import "galgo/wire"

var _ = register(family{name: "purge", weight: 3, act: purge})

// purge empties the actor's own topic, or its stream: it is as if it had been made just now.
func purge(a *actor) {
	if !a.own.there {
		useOwn(a)
		return
	}
	op, body := wire.OpPurgeTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: a.ownStream(), Topic: wire.IdentNamed(ownTopicName)})
	if a.rng.IntN(3) == 0 {
		op, body = wire.OpPurgeStream, wire.AppendIdent(nil, a.ownStream())
	}
	p := a.p
	if p.weather.disk && !p.weather.slow && a.rng.IntN(3) == 0 { // the control log fails now if ever
		faults := p.weather.faults
		faults.WriteError = 1
		p.setFaults(faults)
		defer p.w.After(20_000, p.asForecast)
	}
	a.ownWrite(op, body, func() {
		a.own.empty()
		a.then = a.ownCheck
		a.p.note("purged")
	}, "purge its topic")
}

// asForecast ends what was worse than the life's weather.
func (p *play) asForecast() {
	if !p.resting {
		p.setFaults(p.weather.faults)
	}
}
