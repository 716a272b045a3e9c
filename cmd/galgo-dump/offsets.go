package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"galgo/components"
	"galgo/wire"
)

// offsets prints the offset logs, record by record. A place that holds no record costs what it held and nothing else: consumers that lose an
// offset are served messages again. So it is no damage.
func (d *directory) offsets(p *components.Printer) error {
	c, err := d.load()
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(d.root, components.OffsetsDir))
	if err != nil {
		return err
	}
	for _, entry := range entries { // sorted by name: by run, and by shard
		if _, _, ok := wire.ParseOffsetLogName(entry.Name()); !ok {
			p.Line(0, "nobody names %s", entry.Name())
			continue
		}
		name := filepath.Join(d.root, components.OffsetsDir, entry.Name())
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		p.Line(0, "%s size=%d", entry.Name(), len(content))
		head, err := wire.DecodeOffsetLogHead(content, d.secret)
		switch {
		case errors.Is(err, wire.ErrVersion):
			return fmt.Errorf("%s: %w", name, err)
		case err != nil:
			p.Line(1, "head %v", err)
		default:
			p.OffsetLogHead(head)
		}
		for at := wire.HeadSize; at < len(content); at += wire.OffsetRecordSize {
			r, err := wire.DecodeOffsetRecord(content[at:], d.secret)
			if err != nil {
				p.Line(1, "no record @%d: %v", at, err)
				continue
			}
			p.OffsetRecord(c.world.Catalog, r, at)
		}
	}
	return p.Err()
}
