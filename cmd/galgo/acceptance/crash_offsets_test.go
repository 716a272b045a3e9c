package acceptance

import (
	"fmt"

	"galgo/wire"
	"galgo/wire/client"
)

// offsetKeeper stores and deletes one offset, and knows what was acknowledged.
type offsetKeeper struct {
	key     wire.OffsetKey
	stored  uint64 // offset plus 1; 0 without one
	storing uint64 // what a request that was not answered makes of it,
	open    bool   // if there is one
}

func (k *offsetKeeper) store(c *client.Client, offset uint64) error {
	k.storing, k.open = offset+1, true
	return k.answered(c.StoreOffset(k.key, offset))
}

func (k *offsetKeeper) remove(c *client.Client) error {
	k.storing, k.open = 0, true
	return k.answered(c.DeleteOffset(k.key))
}

func (k *offsetKeeper) answered(err error) error {
	if err == nil {
		k.stored, k.open = k.storing, false
	}
	return err
}

// check compares what is stored with what was promised, and adopts it. An offset beyond the end of the log, which a crash took back at a level
// that promises nothing, is lowered to the last message.
func (k *offsetKeeper) check(c *client.Client, promised bool, end uint64) error {
	stored, found, err := c.Offset(k.key)
	if err != nil {
		return err
	}
	got := uint64(0)
	if found {
		got = stored.StoredOffset + 1
	}
	if promised && got != min(k.stored, end) && !(k.open && got == min(k.storing, end)) {
		return fmt.Errorf("stored offset plus 1: got %d, want %d, or %d if an answer is missing (%v)", got, k.stored, k.storing, k.open)
	}
	k.stored, k.open = got, false
	return nil
}
