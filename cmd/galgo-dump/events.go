package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"galgo/components"
	"galgo/wire"
)

// events prints the control log: both copies of the snapshot, and each file with its records.
func (d *directory) events(p *components.Printer) error {
	var damage []error
	for _, name := range []string{wire.SnapshotNameA, wire.SnapshotNameB} {
		content, err := os.ReadFile(d.control(name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		p.Line(0, "%s size=%d", name, len(content))
		head, reader, err := wire.ReadSnapshot(content, d.secret)
		if err == nil {
			p.SnapshotHead(head)
			err = snapshotEvents(reader, func(e *wire.Event) { p.Event(0, e) })
		}
		if err != nil {
			p.Line(1, "damage: %v", err)
			damage = append(damage, fmt.Errorf("%s: %w", d.control(name), err))
		}
	}
	logs, err := d.controlLogs()
	if err != nil {
		return err
	}
	for i, first := range logs {
		name := wire.ControlLogName(first)
		content, err := os.ReadFile(d.control(name))
		if err != nil {
			return err
		}
		p.Line(0, "%s size=%d", name, len(content))
		end, err := d.records(content, func(number uint64, e *wire.Event) { p.Event(number, e) })
		if end.torn > 0 {
			p.Line(1, "torn @%d: %d bytes", end.position, end.torn)
		}
		if err == nil && i+1 < len(logs) && logs[i+1] != end.number {
			err = fmt.Errorf("%w: the next file begins at record %d, want %d", wire.ErrNumber, logs[i+1], end.number)
		}
		if err != nil {
			p.Line(1, "damage @%d: %v", end.position, err)
			damage = append(damage, fmt.Errorf("%s at byte %d: %w", d.control(name), end.position, err))
		}
	}
	return result(p, damage)
}

func (d *directory) control(name string) string {
	return filepath.Join(d.root, components.ControlDir, name)
}

// controlLogs lists the first record numbers of the control log's files, ascending.
func (d *directory) controlLogs() (firsts []uint64, err error) {
	entries, err := os.ReadDir(filepath.Join(d.root, components.ControlDir))
	for _, entry := range entries {
		if first, ok := wire.ParseControlLogName(entry.Name()); ok {
			firsts = append(firsts, first)
		}
	}
	slices.Sort(firsts)
	return firsts, err
}

func snapshotEvents(reader wire.SnapshotReader, visit func(*wire.Event)) error {
	for {
		e, err := reader.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		visit(&e)
	}
}

// logEnd is how far a file of the control log can be read.
type logEnd struct {
	number   uint64 // of the next record
	position int
	torn     int // bytes of a torn tail
}

// records visits the records of a file of the control log, up to damage.
func (d *directory) records(content []byte, visit func(number uint64, e *wire.Event)) (logEnd, error) {
	reader, err := wire.NewControlReader(content, d.secret)
	if err != nil {
		return logEnd{}, err
	}
	for {
		number, e, err := reader.Next()
		end := logEnd{number: reader.Number(), position: reader.Position()}
		switch {
		case err == io.EOF:
			return end, nil
		case err == wire.ErrChecksum && reader.TailTorn():
			end.torn = len(content) - end.position
			return end, nil
		case err != nil:
			return end, err
		}
		visit(number, &e)
	}
}

// goodCatalog is the catalog up to the first damage of the control log: nothing behind it can be told.
func (d *directory) goodCatalog() (*components.Catalog, error) {
	catalog, next := components.NewCatalog(), uint64(1)
	for _, name := range []string{wire.SnapshotNameA, wire.SnapshotNameB} {
		content, err := os.ReadFile(d.control(name))
		if err != nil {
			continue // missing, or as good as that
		}
		head, reader, err := wire.ReadSnapshot(content, d.secret)
		if err != nil || head.LastNumber < next {
			continue
		}
		restored := components.NewCatalog()
		if err := snapshotEvents(reader, restored.Restore); err == nil {
			restored.Finish(head.LastSeq)
			catalog, next = restored, head.LastNumber+1
		}
	}
	logs, err := d.controlLogs()
	if err != nil {
		return nil, err
	}
	for _, first := range logs {
		if first > next {
			break
		}
		content, err := os.ReadFile(d.control(wire.ControlLogName(first)))
		if err != nil {
			return nil, err
		}
		_, err = d.records(content, func(number uint64, e *wire.Event) {
			if number == next && e.Seq > catalog.Applied {
				catalog.Apply(e)
				next++
			}
		})
		if err != nil {
			break
		}
	}
	return catalog, nil
}
