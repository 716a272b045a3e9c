package main

import "galgo/components"

// tables prints what a server would have in memory after its start.
func (d *directory) tables(p *components.Printer, shards int) error {
	c, err := d.load()
	if err != nil {
		return err
	}
	view := c.world.View()
	p.Catalog(c.world.Catalog, shards)
	p.Partitions(view)
	for partition := range c.inOrder {
		if found := c.recovered[partition]; found != nil && (found.Faulted || found.CutBytes > 0 || len(found.Notes) > 0) {
			p.Line(0, "recovery of %s", components.PartitionName(c.world.Catalog, partition))
			p.Recovered(found)
		}
	}
	p.Offsets(view)
	return result(p, c.damage)
}
