package sim

import (
	"maps"
	"slices"
	"strings"
	"syscall"
)

// disk is a file system: a tree of nodes, as it is now and as it is known to be durable.
type disk struct {
	world     *World
	root      *node
	ids       uint64
	used      uint64        // pages that the files have now
	changes   []entryChange // of directories, not known to be durable, oldest first
	forgotten []string      // see World.Forgotten
}

// node is a file or a directory.
type node struct {
	id   uint64
	mode uint16

	entries map[string]*node // of a directory, now; nil for a file
	durable map[string]*node // of a directory, after a power cut

	now, safe    image    // of a file: what readers see, and what is durable
	pending      []change // between the two, oldest first
	pendingBytes uint64
	dropped      bool // a sync that failed took changes out of pending: readers see them, and a power cut takes them

	names int   // names it has now
	opens int   // descriptors and operations that hold it
	lock  *file // who has the exclusive lock
}

const nameMax = 255

func newDisk(w *World) *disk {
	d := &disk{world: w}
	d.root = d.newNode(true, 0o755)
	d.root.names = 1
	return d
}

func (d *disk) newNode(dir bool, mode uint32) *node {
	d.ids++
	n := &node{id: d.ids, mode: uint16(mode&0o7777) | syscall.S_IFREG}
	if dir {
		n.mode = uint16(mode&0o7777) | syscall.S_IFDIR
		n.entries, n.durable = map[string]*node{}, map[string]*node{}
	}
	return n
}

func (n *node) isDir() bool { return n.entries != nil }

// walk finds what a path names, from a directory; an absolute path begins at the root.
func (d *disk) walk(from *node, path string) (*node, syscall.Errno) {
	dir, name, errno := d.parent(from, path)
	if errno != 0 || name == "" {
		return dir, errno
	}
	n := dir.entries[name]
	if n == nil {
		return nil, syscall.ENOENT
	}
	if strings.HasSuffix(path, "/") && !n.isDir() {
		return nil, syscall.ENOTDIR
	}
	return n, 0
}

// parent finds the directory that a path's last name is in. The name is empty when the path names dir itself.
func (d *disk) parent(from *node, path string) (dir *node, name string, errno syscall.Errno) {
	if path == "" {
		return nil, "", syscall.ENOENT
	}
	if path[0] == '/' {
		from = d.root
	}
	stack := []*node{from} // what .. goes back to; a directory cannot tell its parent
	parts := slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" || s == "." })
	for i, part := range parts {
		at := stack[len(stack)-1]
		switch {
		case !at.isDir():
			return nil, "", syscall.ENOTDIR
		case len(part) > nameMax:
			return nil, "", syscall.ENAMETOOLONG
		case part == "..":
			stack = stack[:max(len(stack)-1, 1)]
			continue
		case at.names == 0: // removed, and somebody holds it
			return nil, "", syscall.ENOENT
		case i == len(parts)-1:
			return at, part, 0
		}
		next := at.entries[part]
		if next == nil {
			return nil, "", syscall.ENOENT
		}
		stack = append(stack, next)
	}
	return stack[len(stack)-1], "", 0
}

// release gives the space of a file back that has neither a name nor a user. What a power cut could bring back stays with the node.
func (d *disk) release(n *node) {
	if n.names == 0 && n.opens == 0 && !n.isDir() {
		d.used -= uint64(len(n.now.pages))
		n.now = image{}
	}
}

func (d *disk) make(dir *node, name string, isDir bool, mode uint32) *node {
	n := d.newNode(isDir, mode)
	d.setEntries(entrySet{dir: dir, name: name, node: n})
	return n
}

func (d *disk) mkdir(from *node, path string, mode uint32) syscall.Errno {
	dir, name, errno := d.parent(from, path)
	switch {
	case errno != 0:
		return errno
	case name == "" || dir.entries[name] != nil:
		return syscall.EEXIST
	}
	d.make(dir, name, true, mode)
	return 0
}

func (d *disk) unlink(from *node, path string, directory bool) syscall.Errno {
	dir, name, errno := d.parent(from, path)
	if errno != 0 {
		return errno
	}
	n := dir.entries[name]
	switch {
	case name == "":
		return syscall.EBUSY
	case n == nil:
		return syscall.ENOENT
	case !directory && n.isDir():
		return syscall.EISDIR
	case directory && !n.isDir():
		return syscall.ENOTDIR
	case len(n.entries) > 0:
		return syscall.ENOTEMPTY
	}
	d.setEntries(entrySet{dir: dir, name: name})
	return 0
}

func (d *disk) rename(fromDir *node, from string, toDir *node, to string, noReplace bool) syscall.Errno {
	a, aName, errno := d.parent(fromDir, from)
	if errno != 0 {
		return errno
	}
	b, bName, errno := d.parent(toDir, to)
	if errno != 0 {
		return errno
	}
	if aName == "" || bName == "" {
		return syscall.EBUSY
	}
	n, old := a.entries[aName], b.entries[bName]
	switch {
	case n == nil:
		return syscall.ENOENT
	case noReplace && old != nil:
		return syscall.EEXIST
	case noReplace && d.world.o.PlainRenames:
		return syscall.EINVAL
	case n.isDir() && d.within(n, b):
		return syscall.EINVAL
	case n == old:
		return 0
	case old != nil && n.isDir() && !old.isDir():
		return syscall.ENOTDIR
	case old != nil && !n.isDir() && old.isDir():
		return syscall.EISDIR
	case old != nil && len(old.entries) > 0:
		return syscall.ENOTEMPTY
	}
	d.setEntries(entrySet{dir: b, name: bName, node: n}, entrySet{dir: a, name: aName})
	return 0
}

// within reports whether the directory inner is dir or below it.
func (d *disk) within(dir, inner *node) bool {
	if dir == inner {
		return true
	}
	for _, name := range slices.Sorted(maps.Keys(dir.entries)) {
		if next := dir.entries[name]; next.isDir() && d.within(next, inner) {
			return true
		}
	}
	return false
}

// pagesFree returns how many more pages files may take.
func (d *disk) pagesFree() uint64 { return d.world.o.DiskBytes/pageSize - d.used }
