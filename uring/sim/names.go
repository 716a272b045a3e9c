package sim

import "slices"

// entryChange is one change of directories, which happens in whole or not at all. It is durable once every directory that it touches was
// synced: of a rename between two directories, both. After the first sync chance decides, as it does after none.
type entryChange struct {
	sets []entrySet
	must bool // durable
}

// entrySet gives a name in a directory to a node, or to nobody (nil).
type entrySet struct {
	dir    *node
	name   string
	node   *node
	gone   *node // the directory that ended with it: whatever happened in there came before
	synced bool  // dir was synced since
}

// entryName is a name in a directory.
type entryName struct {
	dir  *node
	name string
}

// setEntries changes directories now, and some day durably.
func (d *disk) setEntries(sets ...entrySet) {
	for i := range sets {
		s := &sets[i]
		old := s.dir.entries[s.name]
		if s.node == nil {
			delete(s.dir.entries, s.name)
		} else {
			s.node.names++
			s.dir.entries[s.name] = s.node
		}
		if old == nil {
			continue
		}
		if old.names--; old.names == 0 && old.isDir() {
			s.gone = old
		}
		d.release(old)
	}
	d.changes = append(d.changes, entryChange{sets: sets})
	for len(d.changes) > pendingMax { // the machine writes the oldest by itself
		d.changes[0].must = true
		d.settleNames()
	}
}

// syncDir makes what happened to a directory's names durable.
func (d *disk) syncDir(dir *node) {
	for i := range d.changes {
		c := &d.changes[i]
		all := true
		for j := range c.sets {
			s := &c.sets[j]
			s.synced = s.synced || s.dir == dir
			all = all && s.synced
		}
		c.must = c.must || all
	}
	d.keepDependencies(func(i int) bool { return d.changes[i].must })
	d.settleNames()
}

// keepDependencies marks as durable the changes that are to stay, and the earlier ones that they rest on: a name goes through its changes in
// order, and a directory that is gone was emptied before. So a file that moves twice is never in two places, and never in none.
func (d *disk) keepDependencies(stays func(i int) bool) {
	names, emptied := map[entryName]bool{}, map[*node]bool{}
	for i := len(d.changes) - 1; i >= 0; i-- {
		c := &d.changes[i]
		c.must = stays(i)
		for _, s := range c.sets {
			c.must = c.must || names[entryName{s.dir, s.name}] || emptied[s.dir]
		}
		if !c.must {
			continue
		}
		for _, s := range c.sets {
			names[entryName{s.dir, s.name}] = true
			if s.gone != nil {
				emptied[s.gone] = true
			}
		}
	}
}

// settleNames moves the durable changes into the durable directories. They may overtake others, which they do not rest on.
func (d *disk) settleNames() {
	d.changes = slices.DeleteFunc(d.changes, func(c entryChange) bool {
		if c.must {
			c.settle()
		}
		return c.must
	})
}

func (c *entryChange) settle() {
	for _, s := range c.sets {
		if s.node == nil {
			delete(s.dir.durable, s.name)
		} else {
			s.dir.durable[s.name] = s.node
		}
	}
}
