package simtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"galgo/wire"
)

// history is what was asked of and answered by one kind of metadata, for porcupine to find an order that explains it. Metadata falls into
// slots that have nothing to do with each other.
//
// What a write did is visible on every shard when it is answered, but shards apply it one after the other. So reads are checked by shard:
// for each of them there is one order of all writes and of the reads it answered.
type history struct {
	kind  string
	model func(slot int) porcupine.NondeterministicModel
	slots [slotsMax][]*call
}

const (
	slotsMax = 3
	// everywhere is the shard of a write.
	everywhere = -1
)

// call is one request and its answer.
type call struct {
	what  any    // input of the model
	got   answer // its output
	known bool   // answered
	shard int    // who answered a read; everywhere for a write
	begin int64  // position in the order of everything
	end   int64
	text  string
}

// begin notes that something is asked for.
func (h *history) begin(p *play, slot, shard int, what any, text string) *call {
	p.moments++
	c := &call{what: what, shard: shard, begin: p.moments, end: -1, text: text}
	h.slots[slot] = append(h.slots[slot], c)
	return c
}

// finish takes the answer. One that leaves open whether it happened counts until the life ends.
func (c *call) finish(p *play, got answer) {
	p.moments++
	if got.gone() || got.status == wire.StatusCannotWriteToFile {
		return
	}
	got.payload = slices.Clone(got.payload)
	c.got, c.known, c.end = got, true, p.moments
}

// cut ends a life: what was not answered happened before, or never. Reads that were not answered say nothing.
func (h *history) cut(p *play) {
	p.moments++
	for slot := range h.slots {
		h.slots[slot] = slices.DeleteFunc(h.slots[slot], func(c *call) bool { return c.end < 0 && c.shard != everywhere })
	}
}

// restarted is after the end of a life: what was refused for want of a disk may have been found by the next one.
func (h *history) restarted(p *play) {
	p.moments++
	for slot := range h.slots {
		for _, c := range h.slots[slot] {
			if c.end < 0 {
				c.end = p.moments
			}
		}
	}
}

// check looks for orders.
func (h *history) check(p *play) {
	for slot := range h.slots {
		for shard := range shardsMax {
			var operations []porcupine.Operation
			reads := 0
			for i, c := range h.slots[slot] {
				if c.shard != everywhere && c.shard != shard {
					continue
				}
				if c.shard == shard {
					reads++
				}
				operations = append(operations, porcupine.Operation{ClientId: i, Input: c, Output: c, Call: c.begin, Return: c.end})
			}
			if shard > 0 && reads == 0 || len(operations) == 0 {
				continue
			}
			nondeterministic := h.model(slot)
			model := nondeterministic.ToModel()
			switch porcupine.CheckOperationsTimeout(model, operations, time.Minute) {
			case porcupine.Illegal:
				p.fail("%s, slot %d, as shard %d has it: got answers that no order explains: %s", h.kind, slot, shard, h.smallest(model, operations))
			case porcupine.Unknown:
				p.note("history too long to be checked")
			default:
				p.reached["metadata calls in order"] += len(operations)
			}
		}
	}
}

// smallest cuts a history that has no order to its shortest beginning that has none, and prints its end.
func (h *history) smallest(model porcupine.Model, operations []porcupine.Operation) string {
	illegal := func(n int) bool {
		until := operations[n-1].Call
		var some []porcupine.Operation
		for _, o := range operations[:n] {
			if c := o.Input.(*call); !c.known || o.Return < until || o.Call <= until {
				some = append(some, o)
			}
		}
		return porcupine.CheckOperationsTimeout(model, some, 10*time.Second) == porcupine.Illegal
	}
	n := len(operations)
	for n > 1 && illegal(n-1) {
		n--
	}
	text := ""
	for _, o := range operations[max(0, n-40):n] {
		c := o.Input.(*call)
		text += fmt.Sprintf("\n  [%d,%d] %s: %v", c.begin, c.end, c.text, c.got)
		if !c.known {
			text += " (open)"
		}
	}
	return text
}

// modelOf makes a model of what a call does to a state: the state after it, the status, and a check of the payload. A call whose answer is not known
// may have happened.
func modelOf[S comparable, C any](apply func(S, C) (after S, status wire.Status, check func([]byte) bool)) porcupine.NondeterministicModel {
	return porcupine.NondeterministicModel{
		Init: func() []any { var none S; return []any{none} },
		Step: func(state, input, output any) []any {
			c := input.(*call)
			before := state.(S)
			after, want, check := apply(before, c.what.(C))
			switch {
			case !c.known && want == wire.StatusOK:
				return []any{before, after}
			case !c.known:
				return []any{before}
			case c.got.status != want || want == wire.StatusOK && check != nil && !check(c.got.payload):
				return nil
			}
			return []any{after}
		},
		Equal: func(a, b any) bool { return a.(S) == b.(S) },
	}
}
