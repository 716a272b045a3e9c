package simtest

import (
	"slices"
	"testing"

	"galgo/wire"
)

// request is what tells two kinds of requests apart.
type request struct {
	op   wire.Operation
	code wire.Code // of OpNonReplicated
}

func (r request) String() string {
	if r.op == wire.OpNonReplicated {
		return r.code.String()
	}
	return r.op.String()
}

// codeLast is the highest code that there is.
const codeLast = wire.CodeSyncConsumerGroup

// commands lists every request that a server knows what to do with.
func commands() (list []request) {
	for op := range 256 {
		if op := wire.Operation(op); op.Valid() && op != wire.OpNonReplicated {
			list = append(list, request{op: op})
		}
	}
	for code := range codeLast + 1 {
		if code.Kind() == wire.CodeRead || code.Kind() == wire.CodeLegacyLogin {
			list = append(list, request{wire.OpNonReplicated, code})
		}
	}
	return list
}

// Every command is sent by some actor: one that is new to the protocol is new to the workload too.
func TestEveryCommandIsSent(t *testing.T) {
	const seeds = 6
	missing := commands()
	if len(missing) < 50 {
		t.Fatalf("got %d commands, want some fifty", len(missing))
	}
	for seed := uint64(1); seed <= seeds && len(missing) > 0; seed++ {
		r := run(seed, setting{})
		if r.failure != "" {
			t.Fatal(r.failure)
		}
		missing = slices.DeleteFunc(missing, func(c request) bool { return r.asked[c] > 0 })
	}
	if len(missing) > 0 {
		t.Errorf("got no request of any actor in %d seeds for %v, want every command sent", seeds, missing)
	}
}
