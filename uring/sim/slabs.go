package sim

import (
	"fmt"
	"slices"
	"strings"

	"galgo/uring"
)

// addSlab lets entries name a slab. Slabs that lay in its place were freed.
func (k *Kernel) addSlab(slab *uring.Slab) {
	k.slabs = slices.DeleteFunc(k.slabs, func(old *uring.Slab) bool {
		return old.Contains(slab.Base(), 1) || slab.Contains(old.Base(), 1)
	})
	k.slabs = append(k.slabs, slab)
}

// slab finds the slab that the n bytes at a lie in. There always is one: all else is a bug of whoever made the entry.
func (k *Kernel) slab(a uring.Addr, n uint64) *uring.Slab {
	for _, slab := range k.slabs {
		if slab.Contains(a, n) {
			return slab
		}
	}
	panic(fmt.Sprintf("sim: an entry names %d bytes at %#x, which lie in no slab", n, uint64(a)))
}

func (k *Kernel) bytes(a uring.Addr, n uint64) []byte { return k.slab(a, n).At(a, n) }

// path reads a NUL-terminated path.
func (k *Kernel) path(a uring.Addr) string {
	const pathMax = 4096
	slab := k.slab(a, 1)
	b := slab.Bytes(uint64(a-slab.Base()), min(pathMax, slab.Size()-uint64(a-slab.Base())))
	text := string(b)
	end := strings.IndexByte(text, 0)
	if end < 0 {
		panic(fmt.Sprintf("sim: the path at %#x has no end", uint64(a)))
	}
	return text[:end]
}

// vectors resolves count vectors, which may be reused afterwards.
func (k *Kernel) vectors(a uring.Addr, count uint64) [][]byte {
	if count == 0 {
		return nil
	}
	slab := k.slab(a, count*16)
	out := make([][]byte, count)
	for i, v := range slab.Iovecs(uint64(a-slab.Base()), int(count)) {
		if v.Len > 0 {
			out[i] = k.bytes(v.Base, v.Len)
		}
	}
	return out
}
