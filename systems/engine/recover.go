package engine

import (
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/wire"
)

// recoverData reads every partition's log end and all stored offsets, and gives each to its owner.
func (e *Engine) recoverData() error {
	files, root := e.o.Host.Files(), e.o.Dir.Root
	list, err := storage.ListSegments(files, root)
	if err != nil {
		return err
	}
	for _, name := range list.Strange {
		e.o.Log.Log(components.LogWarn, "not one of our files: left alone", components.Str("file", name))
	}
	for _, removal := range e.catalog.RemovalsInOrder() {
		if _, err := storage.RemoveFiles(files, root, list, removal); err != nil {
			return err
		}
		reports := &e.Shards[0].State.Out.Reports
		if !reports.Removed.TryPush(removal.Partition) {
			break // the next start goes on
		}
		reports.News = true
	}
	offsets, err := storage.LoadOffsets(files, root, e.o.Dir.Secret(), storage.EpochIn(e.catalog))
	if err != nil {
		return err
	}
	e.say(offsets.Notes)
	if err := e.recoverPartitions(list, &offsets); err != nil {
		return err
	}
	if err := e.loadPool(list); err != nil {
		return err
	}
	return e.recoverOffsets(&offsets)
}

// loadPool gives each shard its part of the files that are kept to be recycled.
func (e *Engine) loadPool(list *storage.SegmentList) error {
	stores := make([]*components.Storage, len(e.Shards))
	for i, sh := range e.Shards {
		stores[i] = sh.Storage
	}
	if stores[0].Directory.RenameFlags == 0 && list.HasRun(e.start.Run) {
		e.o.Log.Log(components.LogWarn, "files of segments have numbers of this run or later: nothing is renamed, and there is no pool", components.Num("run", e.start.Run))
		stores[0].Space.SizeMax = 0
	}
	if err := storage.LoadPool(e.o.Host.Files(), e.o.Dir.Root, list, stores); err != nil {
		return err
	}
	space := stores[0].Space
	e.o.Log.Log(components.LogInfo, "pool", components.Num("files", uint64(space.Files.Load())), components.Num("bytes", space.Pooled.Load()),
		components.Num("bytes_max", space.SizeMax))
	return nil
}

func (e *Engine) recoverPartitions(list *storage.SegmentList, offsets *storage.OffsetsStart) error {
	partitions := &e.catalog.Partitions
	found, err := e.walk(list, offsets)
	if err != nil {
		return err
	}
	for row := range partitions.All {
		owner := e.Shards[e.catalog.OwnerOf(row, len(e.Shards))].State
		at := state.OpenPartition(owner, owner.Catalog.Partitions.MustRow(partitions.Entity(row)))
		if recovered := found[partitions.Entity(row)]; recovered != nil {
			state.RestorePartition(owner, at, recovered)
			owner.Gauges.CutBytes.Add(recovered.CutBytes)
			e.report(row, recovered)
		}
	}
	return nil
}

// walk finds the ends of the logs that are on disk, or were, several at a time.
func (e *Engine) walk(list *storage.SegmentList, offsets *storage.OffsetsStart) (map[ecs.Entity]*components.Recovered, error) {
	catalog := e.catalog
	found := map[ecs.Entity]*components.Recovered{}
	var foundMu sync.Mutex
	_, begun := e.o.Host.Clock()
	progress := progress{of: catalog.Partitions.Len(), said: begun}
	var group errgroup.Group
	group.SetLimit(e.o.Recoverers)
	for row := range catalog.Partitions.All {
		in, ok := storage.InputOf(catalog, row, list, offsets)
		if !ok {
			continue
		}
		topic := catalog.Topics.MustRow(catalog.Partitions.Topic[row])
		in.Root, in.Secret, in.Run = e.o.Dir.Root, e.o.Dir.Secret(), e.start.Run
		in.Level = e.Shards[0].State.LevelOf(catalog.Topics.Options[topic].Persisted)
		in.BelongsToBoot = func(run uint64) bool { return run >= catalog.BootFirst }
		job := func() error {
			recovered, err := storage.RecoverPartition(e.o.Host.Files(), in)
			foundMu.Lock()
			defer foundMu.Unlock()
			found[in.Entity] = recovered
			_, mono := e.o.Host.Clock()
			progress.done(mono, e.o.Log)
			return err
		}
		if e.o.Recoverers > 1 {
			group.Go(job)
		} else if err := job(); err != nil {
			return nil, err
		}
	}
	return found, group.Wait()
}

// report logs what recovery had to do to a partition.
func (e *Engine) report(row int, found *components.Recovered) {
	where := components.Str("partition", fmt.Sprintf("partition %d created %x", e.catalog.Partitions.ID[row], e.catalog.Partitions.Created[row]))
	if found.Faulted {
		e.o.Log.Log(components.LogError, "partition is damaged: it takes no messages, and serves those that are good", where,
			components.Str("file", found.DamagePath), components.Num("position", found.DamageAt), components.Str("damage", found.Damage))
	}
	if found.CutBytes > 0 {
		e.o.Log.Log(components.LogWarn, "torn tail cut", where, components.Num("bytes", found.CutBytes), components.Num("next_offset", found.OffsetNext))
	}
	for _, note := range found.Notes {
		e.o.Log.Log(components.LogWarn, note, where)
	}
}

// recoverOffsets gives each stored offset to the present owner of its partition, and writes it anew there.
func (e *Engine) recoverOffsets(offsets *storage.OffsetsStart) error {
	files, root, secret := e.o.Host.Files(), e.o.Dir.Root, e.o.Dir.Secret()
	kept, notes := storage.LowerOffsets(offsets.Records, func(partition ecs.Entity) (uint64, bool) {
		world, row, _ := e.owner(partition)
		return world.Partitions.OffsetNext[row], world.Partitions.Phase[row] == components.Faulted
	})
	e.say(notes)
	byShard := make([][]wire.OffsetRecord, len(e.Shards))
	for _, record := range offsets.Begins {
		world, _, _ := e.owner(ecs.Entity(record.Partition))
		byShard[world.Shard] = append(byShard[world.Shard], record)
	}
	for _, record := range kept {
		world, row, _ := e.owner(ecs.Entity(record.Partition))
		if record.Kind == wire.ConsumerGroup && !hasGroup(world, row, record.Consumer) {
			continue // the group was deleted, its offsets were about to be
		}
		world.Offsets.Set(ecs.Entity(record.Partition), components.ConsumerKey{Kind: record.Kind, ID: record.Consumer}, record.Value, record.Order)
		byShard[world.Shard] = append(byShard[world.Shard], record)
	}
	for i, sh := range e.Shards {
		var err error
		if sh.Storage.Offsets, err = storage.RewriteOffsets(files, root, secret, e.start.Run, uint32(i), byShard[i]); err != nil {
			return err
		}
	}
	return storage.RemoveOldOffsets(files, root, e.start.Run)
}

// owner finds the world that owns a partition, and its row there.
func (e *Engine) owner(partition ecs.Entity) (*components.State, int, bool) {
	for _, sh := range e.Shards {
		if row, ok := sh.State.Partitions.Row(partition); ok {
			return sh.State, row, true
		}
	}
	return nil, 0, false
}

// hasGroup says whether the topic of a partition has a consumer group of that id.
func hasGroup(world *components.State, row int, id uint32) bool {
	_, ok := world.Catalog.GroupByID(world.Catalog.Topics.MustRow(world.Partitions.Topic[row]), id)
	return ok
}
