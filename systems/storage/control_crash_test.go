package storage

import (
	"fmt"
	"testing"

	"galgo/components"
	"galgo/uring/sim"
	"galgo/wire"
)

// A record whose write a kill left in the file, and not durably, is there for the next start, which goes on behind it: so it is there for the one
// after that too, whatever a power cut takes.
func TestControlTailOutlivesPower(t *testing.T) {
	const root = "/var/lib/data"
	for seed := range uint64(16) {
		w := sim.New(sim.Options{Seed: seed})
		begin := func(what string) (*components.Catalog, ControlStart) {
			k := w.Boot()
			files := k.Files()
			d, err := OpenDirectory(files, root, false, k.Random, 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			catalog, start, err := LoadControl(files, root, d.Secret())
			if err == nil {
				start, err = StartRun(files, root, d.Secret(), catalog, start, RunInfo{Shards: 1})
			}
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, what, err)
			}
			if what == "first start" { // and a write that is under way when the process is killed
				event := streamCreated(catalog, "s")
				event.Seq = start.LastSeq + 1
				record := wire.AppendControlRecord(nil, start.Record, start.Record, event, d.Secret())
				if _, err := files.WriteAt(start.File.FD, record, start.File.Position); err != nil {
					t.Fatal(err)
				}
			}
			return catalog, start
		}
		begin("first start")
		w.Kill()
		catalog, _ := begin("start after the kill")
		if got := streamsOf(catalog); fmt.Sprint(got) != "[s]" {
			t.Fatalf("seed %d: got streams %q, want the one that was written", seed, got)
		}
		w.PowerCut()
		catalog, start := begin("start after the power cut")
		if got := streamsOf(catalog); fmt.Sprint(got) != "[s]" || start.Run != 3 {
			t.Errorf("seed %d: got streams %q in run %d, want the one that was there, in run 3", seed, got, start.Run)
		}
		w.Kill()
	}
}
