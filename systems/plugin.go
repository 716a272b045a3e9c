package systems

import (
	"fmt"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems/state"
	"galgo/wire"
)

// Plugin is a guest of a shard: it looks at what a tick has made of the world, keeps tables of its own over ecs.Rows, and asks for what a client
// could ask for. It cannot change State, and knows nothing of the ring. Every shard has a plugin of its own, which sees the partitions that
// the shard owns.
type Plugin interface {
	// Observe is called at the end of each tick, until the shard is stopped. It must not block. The view and the events are good until
	// it returns; what it asks for is begun in the next tick.
	Observe(v components.StateView, events []components.Happened, ask *Asks)
}

// Asks is how a plugin asks. It has one request under way at a time, and speaks as root.
type Asks struct {
	s      *components.State
	plugin int
}

// Busy says that a request is under way.
func (a *Asks) Busy() bool { return a.s.Plugins.Busy[a.plugin] }

// Answer is the reply to the request before, once.
func (a *Asks) Answer() (answer components.PluginAnswer, ok bool) {
	if came := a.s.Plugins.Answer[a.plugin]; came != nil {
		a.s.Plugins.Answer[a.plugin] = nil
		return *came, true
	}
	return answer, false
}

// Request asks for what a client could send, sessions and memberships aside: an operation with its body, or with OpNonReplicated a read. Body is the plugin's
// no more.
func (a *Asks) Request(operation wire.Operation, code wire.Code, body []byte) {
	a.want(components.PluginRequest{Operation: operation, Code: code, Body: body})
}

// Truncate asks for the removal of the oldest closed segments of a partition, as far as all their messages lie below an offset. Stored offsets do not
// matter. The partition may be of any shard.
func (a *Asks) Truncate(partition ecs.Entity, below uint64) {
	a.want(components.PluginRequest{Truncate: true, Partition: partition, Below: below})
}

func (a *Asks) want(r components.PluginRequest) {
	if a.Busy() {
		panic(fmt.Sprintf("systems: plugin %d asks for %+v while a request is under way", a.plugin, r))
	}
	a.s.Plugins.Busy[a.plugin], a.s.Plugins.Wanted[a.plugin] = true, r
	a.s.WakeAt(a.s.Now.MonoMicros)
}

// WakeAt makes sure that a tick runs at a monotonic time in µs, at the latest.
func (a *Asks) WakeAt(monoMicros uint64) { a.s.WakeAt(max(monoMicros, 1)) }

// Log tells the operator something.
func (a *Asks) Log(level components.LogLevel, message string, fields ...components.LogField) {
	a.s.Log.Log(level, message, fields...)
}

// guest is a plugin and what it asks with.
type guest struct {
	plugin Plugin
	asks   Asks
}

// Welcome adds a plugin to the shard, before its first tick.
func (t *Tick) Welcome(p Plugin) {
	t.guests = append(t.guests, guest{plugin: p, asks: Asks{s: t.State, plugin: state.AddPlugin(t.State)}})
}

// observePlugins shows the tick to each plugin.
func (t *Tick) observePlugins() {
	if t.State.Stopping {
		return
	}
	for i := range t.guests {
		t.guests[i].plugin.Observe(t.view, t.State.Happened, &t.guests[i].asks)
	}
}
