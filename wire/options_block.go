package wire

import (
	"bytes"

	"github.com/zeebo/xxh3"
)

// The bounds of an options block. Source: protocol.md, 6.7.
const (
	OptionsSizeMax  = 100_000 // bytes
	OptionsCountMax = 1024
)

// CheckOptions judges the shape of an options block, the pairs that fill the tail of a request:
// StatusOptionsBlockTooLarge beyond the bounds, StatusInvalidCommand where it is no sequence of pairs with String keys, or a
// key comes twice. It does not look at the values. It allocates nothing and takes time in proportion to the block.
func CheckOptions(block []byte) Status {
	if len(block) > OptionsSizeMax {
		return StatusOptionsBlockTooLarge
	}
	// The keys seen so far, by hash, as ranges of block. No key ends at 0, so that is a free place. At most half of
	// the places fill.
	var seen [2 * OptionsCountMax]struct{ begin, end uint32 }
	it := PairsIn(block)
	for count := 0; ; count++ {
		key, value, ok := it.Next()
		if it.Malformed() {
			return StatusInvalidCommand
		}
		if !ok {
			return StatusOK
		}
		if count == OptionsCountMax {
			return StatusOptionsBlockTooLarge
		}
		if key.Kind != ValueString || !key.Valid() {
			return StatusInvalidCommand
		}
		// What follows the key: the value's kind and length, its data, and the pairs not walked yet.
		end := len(block) - len(it.r.src) - len(value.Data) - 5
		at := xxh3.Hash(key.Data) % uint64(len(seen))
		for ; seen[at].end != 0; at = (at + 1) % uint64(len(seen)) {
			if bytes.Equal(block[seen[at].begin:seen[at].end], key.Data) {
				return StatusInvalidCommand
			}
		}
		seen[at].begin, seen[at].end = uint32(end-len(key.Data)), uint32(end)
	}
}

// options reads the rest of a request body as an options block.
func (r *bodyReader) options() (block []byte, status Status) {
	block = r.rest()
	if r.bad {
		return nil, StatusInvalidCommand
	}
	return block, CheckOptions(block)
}

// noOptions reads the rest of a request body where the catalog of options is empty: StatusUnsupportedOptionKey for
// a sound block with any key.
func (r *bodyReader) noOptions() Status {
	block, status := r.options()
	if status == StatusOK && len(block) > 0 {
		return StatusUnsupportedOptionKey
	}
	return status
}
