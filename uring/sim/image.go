package sim

import "slices"

const (
	pageSize   = 4096 // the unit of allocation
	sectorSize = 512  // what the disk writes whole, and what direct I/O is aligned to
)

// image is the content of a file: pages that are there, nil for one that is allocated and was never written.
type image struct {
	size  uint64
	pages map[uint64]*[pageSize]byte // by position / pageSize
}

// change is one step of a file's content.
type change struct {
	kind     changeKind
	position uint64
	size     uint64 // bytes of a write, allocation or hole; the file's new size of a truncation
	keepSize bool   // of an allocation
	data     []byte // of a write
	must     bool   // durable
}

type changeKind uint8

const (
	changeWrite changeKind = iota
	changeTruncate
	changeAllocate
	changeZero // as changeAllocate, and its bytes read as zeros
	changeHole // its bytes read as zeros and whole pages are given back
)

func (m *image) page(n uint64) *[pageSize]byte {
	if m.pages == nil {
		m.pages = map[uint64]*[pageSize]byte{}
	}
	p := m.pages[n]
	if p == nil {
		p = new([pageSize]byte)
		m.pages[n] = p
	}
	return p
}

// write puts data at position; it does not change the size.
func (m *image) write(position uint64, data []byte) {
	for len(data) > 0 {
		n := copy(m.page(position / pageSize)[position%pageSize:], data)
		data, position = data[n:], position+uint64(n)
	}
}

// read fills b with the bytes at position, zeros where there are none, and does not look at the size.
func (m *image) read(position uint64, b []byte) {
	for len(b) > 0 {
		n := min(pageSize-position%pageSize, uint64(len(b)))
		if p := m.pages[position/pageSize]; p != nil {
			copy(b[:n], p[position%pageSize:])
		} else {
			clear(b[:n])
		}
		b, position = b[n:], position+n
	}
}

// nextData returns the next range of pages that are there, less what lies below position or beyond the size.
func (m *image) nextData(position uint64) (from, to uint64) {
	for from = min(position, m.size); from < m.size && m.pages[from/pageSize] == nil; {
		from = min((from/pageSize+1)*pageSize, m.size)
	}
	for to = from; to < m.size && m.pages[to/pageSize] != nil; {
		to = min((to/pageSize+1)*pageSize, m.size)
	}
	return from, to
}

// zero clears [from, to) where pages are.
func (m *image) zero(from, to uint64) {
	for from < to {
		n := min(pageSize-from%pageSize, to-from)
		if p := m.pages[from/pageSize]; p != nil {
			clear(p[from%pageSize : from%pageSize+n])
		}
		from += n
	}
}

// missing returns how many pages of [from, to) are not there.
func (m *image) missing(from, to uint64) uint64 {
	n := uint64(0)
	for page := from / pageSize; page < (to+pageSize-1)/pageSize; page++ {
		if _, ok := m.pages[page]; !ok {
			n++
		}
	}
	return n
}

// apply makes a change. Of a write only the sectors that keep says yes to are written, when it is not nil.
func (m *image) apply(c *change, keep func(sector uint64) bool) {
	end := c.position + c.size
	switch c.kind {
	case changeWrite:
		m.size = max(m.size, end)
		if keep == nil {
			m.write(c.position, c.data)
			return
		}
		for at := c.position; at < end; {
			next := min((at/sectorSize+1)*sectorSize, end)
			if keep(at / sectorSize) {
				m.write(at, c.data[at-c.position:next-c.position])
			}
			at = next
		}
	case changeTruncate:
		if c.size < m.size {
			for page := range m.pages {
				if page >= (c.size+pageSize-1)/pageSize {
					delete(m.pages, page)
				}
			}
			m.zero(c.size, (c.size+pageSize-1)/pageSize*pageSize)
		}
		m.size = c.size
	case changeAllocate, changeZero:
		if m.pages == nil {
			m.pages = map[uint64]*[pageSize]byte{}
		}
		for page := c.position / pageSize; page < (end+pageSize-1)/pageSize; page++ {
			if _, ok := m.pages[page]; !ok {
				m.pages[page] = nil
			}
		}
		if c.kind == changeZero {
			m.zero(c.position, end)
		}
		if !c.keepSize {
			m.size = max(m.size, end)
		}
	case changeHole:
		m.zero(c.position, end)
		for page := (c.position + pageSize - 1) / pageSize; page < end/pageSize; page++ {
			delete(m.pages, page)
		}
	}
}

// reads says whether a reader gets the same from both.
func (m *image) reads(other *image) bool {
	same := func(n uint64) bool {
		var a, b [pageSize]byte
		m.read(n*pageSize, a[:])
		other.read(n*pageSize, b[:])
		return a == b
	}
	for n := range m.pages {
		if !same(n) {
			return false
		}
	}
	for n := range other.pages {
		if !same(n) {
			return false
		}
	}
	return m.size == other.size
}

func (m *image) clone() image {
	c := image{size: m.size, pages: make(map[uint64]*[pageSize]byte, len(m.pages))}
	for n, p := range m.pages {
		if p != nil {
			copied := *p
			p = &copied
		}
		c.pages[n] = p
	}
	return c
}

// What a file may have written and not synced before the machine writes the oldest of it by itself.
const (
	pendingMax      = 4096
	pendingBytesMax = 32 << 20
)

// change makes a change of a file now, and some day durably. The caller has made sure of the space.
func (d *disk) change(n *node, c change) {
	before := len(n.now.pages)
	n.now.apply(&c, nil)
	d.used += uint64(len(n.now.pages)) - uint64(before) // wraps back when pages went
	n.pending = append(n.pending, c)
	n.pendingBytes += uint64(len(c.data))
	n.settle()
	for len(n.pending) > pendingMax || n.pendingBytes > pendingBytesMax {
		n.pending[0].must = true
		n.settle()
	}
}

// settle moves the oldest durable changes into the durable image.
func (n *node) settle() {
	done := 0
	for done < len(n.pending) && n.pending[done].must {
		n.safe.apply(&n.pending[done], nil)
		n.pendingBytes -= uint64(len(n.pending[done].data))
		done++
	}
	n.pending = n.pending[done:]
}

// sync makes all changes of a file durable.
func (n *node) sync() {
	for i := range n.pending {
		n.pending[i].must = true
	}
	n.settle()
}

// forget is a sync that failed: what was not durable never will be, and no later sync knows of it.
func (n *node) forget() {
	before := len(n.pending)
	n.pending = slices.DeleteFunc(n.pending, func(c change) bool { return !c.must })
	n.dropped = n.dropped || len(n.pending) < before
	n.pendingBytes = 0
	for i := range n.pending {
		n.pendingBytes += uint64(len(n.pending[i].data))
	}
	n.settle()
}

// forgets says whether readers see something that a power cut takes although all that is pending is kept.
func (n *node) forgets() bool {
	if !n.dropped {
		return false
	}
	kept := n.safe.clone()
	for i := range n.pending {
		kept.apply(&n.pending[i], nil)
	}
	return !kept.reads(&n.now)
}

// rot flips a bit of the byte at position, now and on the disk.
func (n *node) rot(position uint64, mask byte) {
	for _, m := range []*image{&n.now, &n.safe} {
		if p := m.pages[position/pageSize]; p != nil {
			p[position%pageSize] ^= mask
		}
	}
}
