package sim

import (
	"maps"
	"slices"
)

// How a power cut treats what was not durable. Which of them is drawn for the names once, and for each file anew.
const (
	cutKeepsAll   = iota
	cutLosesAll   // nothing was on its way
	cutKeepsFirst // in order up to some change, which is torn
	cutKeepsSome  // each change is there or not: reordered
	cutKeepsParts // each sector of each change is there or not: reordered and torn
	cutWays
)

// powerCut leaves what is durable, and of the rest what chance left.
func (d *disk) powerCut() {
	w := d.world
	survives := d.survivor(len(d.changes))
	d.keepDependencies(func(i int) bool { return d.changes[i].must || survives(i) })
	d.settleNames()
	d.changes = nil
	d.used = 0
	delete(d.root.durable, "proc") // not on the disk
	d.restore(d.root, "")
	w.note(traceCrash, d.used)
}

// survivor returns which of count changes are kept whole.
func (d *disk) survivor(count int) func(i int) bool {
	w := d.world
	way := w.below(cutWays)
	first := int(w.below(uint64(count) + 1))
	return func(i int) bool {
		switch way {
		case cutKeepsAll:
			return true
		case cutLosesAll:
			return false
		case cutKeepsFirst:
			return i < first
		}
		return w.rng.Uint32()&1 == 0
	}
}

// restore makes the durable state of a directory and all below it the present one. At is the path of the directory.
func (d *disk) restore(dir *node, at string) {
	dir.entries = maps.Clone(dir.durable)
	dir.opens, dir.lock = 0, nil
	for _, name := range slices.Sorted(maps.Keys(dir.entries)) {
		n := dir.entries[name]
		n.names = 1
		if n.isDir() {
			d.restore(n, at+"/"+name)
			continue
		}
		n.opens, n.lock = 0, nil
		if n.forgets() {
			d.forgotten = append(d.forgotten, at+"/"+name)
		}
		d.cutFile(n)
		d.used += uint64(len(n.now.pages))
		d.world.note(traceCrash, n.id, n.now.size)
	}
}

func (d *disk) cutFile(n *node) {
	w := d.world
	way := w.below(cutWays)
	torn := int(w.below(uint64(len(n.pending)) + 1))
	coin := func(uint64) bool { return w.rng.Uint32()&1 == 0 }
	for i := range n.pending {
		c := &n.pending[i]
		size := n.safe.size
		switch {
		case c.must || way == cutKeepsAll || way == cutKeepsFirst && i < torn:
			n.safe.apply(c, nil)
		case way == cutLosesAll || way == cutKeepsFirst && i > torn || way == cutKeepsSome && coin(0):
		case way == cutKeepsSome:
			n.safe.apply(c, nil)
		case c.kind != changeWrite:
			if coin(0) {
				n.safe.apply(c, nil)
			}
		default:
			n.safe.apply(c, coin)
			if c.position+c.size > size && coin(0) {
				// The size is a change of its own: bytes beyond it are lost with it.
				n.safe.apply(&change{kind: changeTruncate, size: size}, nil)
			}
		}
	}
	n.pending, n.pendingBytes, n.dropped = nil, 0, false
	n.now = n.safe.clone()
}
