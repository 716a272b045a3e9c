package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
)

// directory is a data directory that is read while nothing keeps others from changing it.
type directory struct {
	files  uring.Files
	root   string
	secret uint64
	level  components.Level // the server's default
	note   func(text string)
}

// openDirectory reads the marker. Unlike a server it makes nothing and locks nothing.
func openDirectory(files uring.Files, root string, level components.Level) (*directory, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(filepath.Join(root, components.MarkerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not a data directory of galgo: it holds no file %s", root, components.MarkerFile)
	}
	if err != nil {
		return nil, err
	}
	marker, err := wire.DecodeMarker(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(root, components.MarkerFile), err)
	}
	return &directory{files: files, root: root, secret: marker.Secret, level: level}, nil
}

// serverOn says which process holds the marker's lock. It asks the kernel's list: whoever took the lock, were it for a moment, could turn away
// a server that is just starting. Where the list cannot be read nobody is seen.
func serverOn(root string) (process int, ok bool) {
	info, err := os.Stat(filepath.Join(root, components.MarkerFile))
	if err != nil {
		return 0, false
	}
	stat := info.Sys().(*syscall.Stat_t)
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return 0, false
	}
	defer locks.Close()
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev), stat.Ino)
	for lines := bufio.NewScanner(locks); lines.Scan(); {
		// Source: proc_locks(5): "1: FLOCK  ADVISORY  WRITE 4711 08:02:131090 0 EOF"
		fields := strings.Fields(lines.Text())
		if len(fields) >= 6 && fields[1] == "FLOCK" && fields[3] == "WRITE" && fields[5] == file {
			process, _ = strconv.Atoi(fields[4]) // a process that this one cannot see is 0
			return process, true
		}
	}
	return 0, false
}

// contents is what a directory holds, recovered as at a server's start, but for the writing.
type contents struct {
	world     *components.State // of one shard that owns everything
	list      *storage.SegmentList
	offsets   storage.OffsetsStart
	recovered map[ecs.Entity]*components.Recovered // partitions that have a log
	damage    []error
	control   error // damage of the control log, which is among damage
	nextRun   uint64
}

// load recovers the directory.
func (d *directory) load() (*contents, error) {
	c := &contents{recovered: map[ecs.Entity]*components.Recovered{}}
	catalog, start, err := storage.LoadControl(d.files, d.root, d.secret)
	if isDamage(err) {
		c.control, c.damage = err, append(c.damage, err)
		catalog, err = d.goodCatalog()
	}
	if err != nil {
		return nil, err
	}
	c.nextRun = start.NextRun(catalog)
	d.notes(start.Notes)
	if c.list, err = storage.ListSegments(d.files, d.root); err != nil {
		return nil, err
	}
	cfg := &components.Config{Shards: 1, Secret: d.secret, Run: catalog.Run, DefaultLevel: d.level, ConnectionsMax: 1}
	shared := components.NewShared(0)
	facts, orders := components.NewExchange(cfg)
	c.world = components.NewState(cfg, shared, components.NewArena(shared.Memory, shared.Memory.Add(nil, 0), shared.Budget, nil), catalog, facts, orders)
	if c.offsets, err = storage.LoadOffsets(d.files, d.root, d.secret, storage.EpochIn(catalog)); err != nil {
		return nil, err
	}
	d.notes(c.offsets.Notes)
	if err := d.recover(c); err != nil {
		return nil, err
	}
	d.takeOffsets(c)
	return c, nil
}

// isDamage tells wrong bytes in the control log from files of another version and from reads that fail.
func isDamage(err error) bool {
	for _, cause := range []error{storage.ErrCorrupt, wire.ErrForeign, wire.ErrChecksum, wire.ErrShort, wire.ErrMalformed} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

func (d *directory) notes(list []string) {
	for _, text := range list {
		d.note(text)
	}
}

// recoverInput says what recovery has to know of a partition, as the next start would, on this machine in its present boot. It returns none for
// a partition without a file and a beginning.
func (d *directory) recoverInput(c *contents) func(row int) (in storage.RecoverInput, ok bool) {
	catalog := c.world.Catalog
	next := catalog.Clone()
	next.Restore(&wire.Event{Kind: wire.EventRunStarted, Run: c.nextRun, BootID: storage.BootID(d.files, func(b []byte) { _, _ = rand.Read(b) })})
	return func(row int) (storage.RecoverInput, bool) {
		in, ok := storage.InputOf(catalog, row, c.list, &c.offsets)
		topic := catalog.Topics.MustRow(catalog.Partitions.Topic[row])
		in.Root, in.Secret, in.Run, in.ReadOnly = d.root, d.secret, next.Run, true
		in.Level = c.world.LevelOf(catalog.Topics.Options[topic].Persisted)
		in.BelongsToBoot = func(run uint64) bool { return run >= next.BootFirst }
		return in, ok
	}
}

// recover finds the end of every log.
func (d *directory) recover(c *contents) error {
	catalog := c.world.Catalog
	inputOf := d.recoverInput(c)
	for row := range catalog.Partitions.All {
		at := state.OpenPartition(c.world, row)
		in, ok := inputOf(row)
		if !ok {
			continue
		}
		found, err := storage.RecoverPartition(d.files, in)
		if err != nil {
			return err
		}
		state.RestorePartition(c.world, at, found)
		c.recovered[in.Entity] = found
		if found.Faulted {
			c.damage = append(c.damage, fmt.Errorf("partition %s: %s at byte %d: %s", components.PartitionName(catalog, in.Entity),
				found.DamagePath, found.DamageAt, found.Damage))
		}
	}
	return nil
}

// takeOffsets puts the stored offsets into the world, as they hold for its logs.
func (d *directory) takeOffsets(c *contents) {
	partitions := &c.world.Partitions
	kept, notes := storage.LowerOffsets(c.offsets.Records, func(partition ecs.Entity) (uint64, bool) {
		row := partitions.MustRow(partition)
		return partitions.OffsetNext[row], partitions.Phase[row] == components.Faulted
	})
	d.notes(notes)
	for _, r := range kept {
		c.world.Offsets.Set(ecs.Entity(r.Partition), components.ConsumerKey{Kind: r.Kind, ID: r.Consumer}, r.Value, r.Order)
	}
}

// result is the error of a dump that is printed: the first damage, and how much more there is.
func result(p *components.Printer, damage []error) error {
	switch {
	case p.Err() != nil:
		return p.Err()
	case len(damage) > 1:
		return fmt.Errorf("damaged at %d places, the first is %w", len(damage), damage[0])
	case len(damage) == 1:
		return fmt.Errorf("damaged: %w", damage[0])
	}
	return nil
}
