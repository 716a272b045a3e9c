package acceptance

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

var powerCuts = flag.Int("crash.cuts", 4, "copies of a disk under load that TestPowerCut takes and starts a server on")

// The disk of a machine that loses its power holds all that was acknowledged as durable, and every change of metadata; what else it holds is
// sound, whether segments go through the page cache or not. The disk is a filesystem in a file, and the cut is a copy of that file, made in one moment by
// a filesystem that shares blocks.
func TestPowerCut(t *testing.T) {
	needMounts(t, "unshare")
	for _, direct := range []string{"auto", "off"} {
		t.Run("direct "+direct, func(t *testing.T) { testPowerCut(t, direct) })
	}
}

func testPowerCut(t *testing.T, direct string) {
	base := cloningDir(t)
	image := filepath.Join(base, "disk.img")
	makeImage(t, image, 2<<30, "mkfs.ext4", "-q", "-m", "0")
	dir := mountImage(t, image)
	o := options{dir: dir, shards: 2, env: []string{"GALGO_LOGGING_FILE_ENABLED=false", "GALGO_MEMORY=160 MiB", "GALGO_DIRECT=" + direct}}
	s := start(t, o)
	c := s.dial(t)
	if _, err := c.CreateStream(crashStream); err != nil {
		t.Fatal(err)
	}
	topics := []*crashTopic{newCrashTopic("durable", 2, true, true), newCrashTopic("default", 2, false, false)}
	var running sync.WaitGroup
	fails := func(err error) {
		var refused client.StatusError
		if errors.As(err, &refused) {
			t.Error(err)
		}
	}
	counted := make(chan struct{})
	for _, topic := range topics {
		if err := topic.create(c); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			p, c := topic.producer(rand.Uint64()), s.dial(t)
			running.Go(func() {
				fails(p.run(c, func() {
					select {
					case counted <- struct{}{}:
					default:
					}
				}))
			})
		}
	}
	steps := &countedSteps{}
	steps.begin(&running, s.dial(t), fails)
	for cut := range *powerCuts {
		for range 100 {
			select {
			case <-counted:
			case <-s.read:
				t.Fatal("the server ended by itself")
			}
		}
		before := known(topics, steps)
		copied := filepath.Join(base, "cut.img")
		if err := command("cp", "--reflink=always", image, copied); err != nil {
			t.Fatal(err)
		}
		after := known(topics, steps)
		t.Run(fmt.Sprintf("cut %d", cut), func(t *testing.T) { checkCut(t, copied, o, topics, before, after) })
	}
	s.kill(t)
	running.Wait()
}

// cloningDir is a directory on a filesystem that shares blocks between files: where tests work, or else one made for it.
func cloningDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	if err := os.WriteFile(one, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if command("cp", "--reflink=always", one, two) == nil {
		return dir
	}
	image := filepath.Join(dir, "clones.img")
	for _, mkfs := range [][]string{{"mkfs.xfs", "-q", "-m", "reflink=1"}, {"mkfs.btrfs", "-q"}} {
		if _, err := exec.LookPath(mkfs[0]); err != nil {
			continue
		}
		makeImage(t, image, 4<<30, mkfs...)
		return mountImage(t, image)
	}
	t.Skipf("skipped: %s is on a filesystem that shares no blocks between files, and there is neither mkfs.xfs nor mkfs.btrfs to make one", dir)
	return ""
}

// countedSteps makes streams, one after the other, so that a count says how far it is.
type countedSteps struct {
	mutex sync.Mutex
	count uint64
}

func (k *countedSteps) begin(running *sync.WaitGroup, c *client.Client, fails func(error)) {
	running.Go(func() {
		for {
			if _, err := c.CreateStream(fmt.Sprintf("step %d", k.count)); err != nil {
				fails(err)
				return
			}
			k.mutex.Lock()
			k.count++
			k.mutex.Unlock()
		}
	})
}

// clientsKnow is what clients know at one moment.
type clientsKnow struct {
	partitions []*crashPartition // of all topics
	steps      uint64
}

// known copies what producers and the maker of steps know.
func known(topics []*crashTopic, steps *countedSteps) clientsKnow {
	var k clientsKnow
	for _, topic := range topics {
		for i := range topic.partitions {
			p := &topic.partitions[i]
			p.mutex.Lock()
			k.partitions = append(k.partitions, &crashPartition{acked: maps.Clone(p.acked), pending: maps.Clone(p.pending)})
			p.mutex.Unlock()
		}
	}
	steps.mutex.Lock()
	defer steps.mutex.Unlock()
	k.steps = steps.count
	return k
}

// checkCut starts a server on a copy of the disk, as in another boot of the machine, and compares what it has with what was known before the
// copy was begun and after it was made.
func checkCut(t *testing.T, image string, o options, topics []*crashTopic, before, after clientsKnow) {
	dir := mountImage(t, image)
	o.dir, o.boot = dir, true
	s := start(t, o)
	c := s.dial(t)
	n, held, durable := 0, 0, 0
	for _, topic := range topics {
		for i := range topic.partitions {
			numbers, err := readNumbers(c, named(crashStream), named(topic.name), uint32(i))
			if err != nil {
				t.Fatal(err)
			}
			if err := after.partitions[n].checkRound(numbers, false); err != nil {
				t.Errorf("topic %s, partition %d: %v", topic.name, i, err)
			}
			if topic.durable {
				durable += len(before.partitions[n].acked)
				if err := before.partitions[n].holds(numbers); err != nil {
					t.Errorf("topic %s, partition %d: %v", topic.name, i, err)
				}
			}
			held += len(numbers)
			n++
		}
	}
	streams, err := c.Streams()
	if err != nil {
		t.Fatal(err)
	}
	if got := uint64(len(streams)) - 1; got < before.steps || got > after.steps+1 {
		t.Errorf("streams: got %d, want %d to %d", got, before.steps, after.steps+1)
	}
	// Each partition takes messages: what a cut left is no damage.
	for _, topic := range topics {
		for i := range topic.partitions {
			var batch wire.BatchBuilder
			batch.Reset(1)
			batch.Add(wire.U128{Lo: 1}, 0, payload(1), nil)
			if _, err := c.Send(named(crashStream), named(topic.name), wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(i)}, batch.Bytes()); err != nil {
				t.Errorf("topic %s, partition %d: %v", topic.name, i, err)
			}
		}
	}
	t.Logf("%d messages are there, %d batches of them were durable, and %d streams", held, durable, len(streams))
	s.stop(t)
}

// holds says whether all that was acknowledged is there.
func (p *crashPartition) holds(numbers []uint64) error {
	for offset, a := range p.acked {
		for i := range a.count {
			if at := offset + i; at >= uint64(len(numbers)) || numbers[at] != a.first+i {
				return fmt.Errorf("message %#x was acknowledged at offset %d, and is not there; the partition ends at %d", a.first+i, at, len(numbers))
			}
		}
	}
	return nil
}

// otherBoot runs a command on which the kernel's id of the boot is another: a file that is mounted over it, where nobody else sees it.
func otherBoot(t testing.TB, command *exec.Cmd) {
	t.Helper()
	id := filepath.Join(t.TempDir(), "boot_id")
	if err := os.WriteFile(id, fmt.Appendf(nil, "%08x-0000-4000-8000-%012x\n", rand.Uint32(), rand.Uint64N(1<<48)), 0o444); err != nil {
		t.Fatal(err)
	}
	script := `mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"`
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Fatal(err)
	}
	command.Args = append([]string{unshare, "--mount", "sh", "-c", script, id, command.Path}, command.Args[1:]...)
	command.Path = unshare
}
