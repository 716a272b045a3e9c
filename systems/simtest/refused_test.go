package simtest

import "galgo/wire"

var _ = register(family{name: "refused", weight: 3, act: askInVain})

// askInVain sends a command that no server does as asked: the connection takes no harm from it, save for a login of old, which ends it.
func askInVain(a *actor) {
	p := a.p
	vain := []struct {
		code wire.Code
		body []byte
		want wire.Status // StatusOK: the session is over
	}{
		{wire.CodeFlushUnsavedBuffer, nil, wire.StatusFeatureUnavailable},
		{wire.CodeCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: []byte("by no operation")}), wire.StatusFeatureUnavailable},
		{60000, nil, wire.StatusInvalidCommand},
		{wire.CodeLoginUser, nil, wire.StatusOK},
		{wire.CodeLoginWithPersonalAccessToken, nil, wire.StatusOK},
	}
	n := a.rng.IntN(len(vain))
	v := vain[n]
	a.ask(wire.OpNonReplicated, v.code, v.body, func(got answer) {
		switch {
		case got.lost, got.evicted == wire.EvictStaleClient:
		case v.want == wire.StatusOK && got.evicted != wire.EvictMalformedLogin:
			p.fail("%s: got %v, want eviction %d", v.code, got, wire.EvictMalformedLogin)
		case v.want != wire.StatusOK && got.status != v.want:
			p.fail("%s: got %v, want status %d", v.code, got, v.want)
		}
	}, "%s, in vain", v.code)
}
