package systems

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// Scripts of testdata/tick tell stories of one shard, tick by tick: clients send frames, the state systems run in the order of the schedule,
// and the script says when and how the disk answers. What a tick orders, answers and logs is printed; that is the proof.
//
// What a command prints:
//
//	journal P [a,b)      messages that were appended to the log of partition P
//	grow, write, vouch, read-tail, read-cold, control, offsets, unlink     orders to storage, in flight until completed
//	index                an entry for an index, which nobody waits for
//	reply conn=N ...     what connection N is sent
//	log LEVEL: ...       what the operator is told
//
// Commands (a tick is run after each that is marked with *, unless it says hold):
//
//	default level=memory|written|durable                    the level of topics created from now on that ask for none
//	create stream=S [topic=T] [partitions=N] [durability=persisted] [offsets=persisted] [segment=BYTES] [expiry=10s] [pending]
//	delete stream=S [topic=T] [partitions=N] [pending]      both with the control writes they need, or only asked for if pending *
//	purge stream=S [topic=T] [pending];  remove partition=P segments=N [pending]           the same
//	retain every=1m                                         the plugin that removes old messages, from the next tick on
//	send partition=S/T/ID count=N [size=BYTES] [conn=N]                                          *
//	poll partition=P strategy=first|last|next|offset|time [value=N] count=N [consumer=N] [commit] *
//	store partition=P consumer=N offset=N;  forget partition=P consumer=N;  stored partition=P consumer=N  *
//	complete KIND [partition=P] [err=ENOSPC]    lets what is in flight of a kind return                  *
//	tick [N];  time +1s;  evict (lets go of all memory that can go);  hang-up conn=N                         *
//	print partitions | journal | offsets | catalog | orders
func TestTickScripts(t *testing.T) {
	datadriven.Walk(t, "../testdata/tick", func(t *testing.T, path string) {
		w := newTickWorld(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.t, w.out = t, strings.Builder{}
			command, ok := tickCommands[d.Cmd]
			if !ok {
				d.Fatalf(t, "got command %q, want one of those in tick_test.go", d.Cmd)
			}
			command(w, d)
			return w.out.String()
		})
		w.t = t
		w.checkEnd()
	})
}

// The scripts run the systems that the engine runs, storage aside: a system that is new to the schedule is new to them too.
func TestTickScriptsRunTheSchedule(t *testing.T) {
	w := newTickWorld(t)
	var want []string
	for _, name := range NewSchedule().Names() {
		if name != "ingest/reap" && !strings.HasPrefix(name, "drive/") {
			want = append(want, name)
		}
	}
	var got []string
	for _, name := range w.schedule.Names() {
		if name != "drive/orders" {
			got = append(got, name)
		}
	}
	if g, want := strings.Join(got, " "), strings.Join(want, " "); g != want {
		t.Errorf("systems of a script: got %s, want %s", g, want)
	}
}
