package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems/storage"
	"galgo/uring"
)

// repair cuts damaged partitions, or only the one that is named, where the damage begins; a dry run says what it would do. It holds the lock
// of the directory meanwhile, as a server does.
func (d *directory) repair(p *components.Printer, partition string, dryRun bool) (err error) {
	held, err := storage.OpenDirectory(d.files, d.root, false, func([]byte) {}, uint64(time.Now().UnixMicro()), 1)
	if errors.Is(err, uring.ErrLocked) {
		return fmt.Errorf("%s is in use by a server: stop it first", d.root)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	c, err := d.load()
	if err != nil {
		return err
	}
	if c.control != nil {
		return fmt.Errorf("nothing is cut while the control log is damaged: what partitions there are cannot be told: %w", c.control)
	}
	only := ecs.None
	if partition != "" {
		if only, err = findPartition(c.world.Catalog, partition); err != nil {
			return err
		}
	}
	count, inputOf := 0, d.recoverInput(c)
	for entity := range c.inOrder {
		found := c.recovered[entity]
		if found == nil || !found.Faulted || (only != ecs.None && entity != only) {
			continue
		}
		count++
		in, _ := inputOf(c.world.Catalog.Partitions.MustRow(entity))
		if err := d.repairOne(p, c, in, dryRun); err != nil {
			return fmt.Errorf("partition %s: %w", components.PartitionName(c.world.Catalog, entity), err)
		}
	}
	switch {
	case count == 0:
		p.Line(0, "nothing is damaged, nothing was changed")
	case dryRun:
		p.Line(0, "a dry run: nothing was changed")
	}
	return p.Err()
}

// repairOne says what a repair does to a partition, does it unless dryRun, and looks at what it left.
func (d *directory) repairOne(p *components.Printer, c *contents, in storage.RecoverInput, dryRun bool) error {
	in.ReadOnly = true
	plan, err := storage.RepairPartition(d.files, in)
	if err != nil {
		return err
	}
	p.Line(0, "partition %s", components.PartitionName(c.world.Catalog, in.Entity))
	p.Line(1, "damage %s @%d: %s", d.inside(plan.Damage.DamagePath), plan.Damage.DamageAt, plan.Damage.Damage)
	if plan.Path == "" {
		p.Line(1, "no record of it can be told: it begins anew")
	} else {
		p.Line(1, "cut %s @%d: the log ends below offset %d then", d.inside(plan.Path), plan.Position, plan.OffsetNext)
	}
	if plan.Side != "" {
		p.Line(1, "keep what is cut in %s", d.inside(plan.Side))
	}
	for _, name := range plan.Moved {
		p.Line(1, "move %s to %s", d.inside(name), storage.RemovedDir)
	}
	if dryRun {
		return p.Err()
	}
	in.ReadOnly = false
	done, err := storage.RepairPartition(d.files, in)
	if err != nil {
		return err
	}
	if in.SegmentIDs, in.IndexIDs, err = d.segmentsOf(in); err != nil {
		return err
	}
	in.ReadOnly = true
	after, err := storage.RecoverPartition(d.files, in)
	switch {
	case err != nil:
		return err
	case after.Faulted:
		return fmt.Errorf("it is damaged still: %s at byte %d: %s", after.DamagePath, after.DamageAt, after.Damage)
	}
	p.Line(1, "done: offsets=[%d,%d), %d bytes removed and kept", after.OffsetFirst, after.OffsetNext, done.Bytes)
	return p.Err()
}

// segmentsOf lists the segments of a partition again: those that have a log, and those that have an index.
func (d *directory) segmentsOf(in storage.RecoverInput) (logs, indexes []uint64, err error) {
	list, err := storage.ListSegments(d.files, d.root)
	if err != nil {
		return nil, nil, err
	}
	of := storage.PartitionFiles{CreatedSeq: in.CreatedSeq, PartitionID: in.PartitionID}
	return list.Logs[of], list.Indexes[of], nil
}

// inside is a file's name below the data directory.
func (d *directory) inside(name string) string {
	if inner, err := filepath.Rel(d.root, name); err == nil {
		return inner
	}
	return name
}
