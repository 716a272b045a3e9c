package storage

import (
	"testing"

	"galgo/uring/sim"
)

// A directory that one start made and the next one opened is there after a power cut, whenever the first one ended.
func TestOpenDirectoryOutlivesPower(t *testing.T) {
	const root = "/var/lib/data"
	for crash := 1; ; crash++ {
		for seed := range uint64(8) {
			w := sim.New(sim.Options{Seed: seed})
			open := func() *DataDir {
				k := w.Boot()
				d, err := OpenDirectory(k.Files(), root, false, k.Random, 1, 1)
				if err != nil {
					t.Fatalf("crash in call %d, seed %d: %v", crash, seed, err)
				}
				return d
			}
			struck := func() (struck bool) {
				defer func() {
					if r := recover(); r != nil {
						_ = r.(sim.Crashed) // or a panic that nobody meant
						struck = true
					}
				}()
				w.CrashAfter(crash)
				open()
				return false
			}()
			w.Kill()
			if !struck {
				return // a start has no more calls
			}
			secret := open().Secret()
			w.PowerCut()
			if got := open(); got.Created || got.Secret() != secret {
				t.Errorf("crash in call %d, seed %d: got a new directory after the power cut, want the one that was there", crash, seed)
			}
			w.Kill()
		}
	}
}
