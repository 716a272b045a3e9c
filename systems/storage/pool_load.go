package storage

import (
	"path"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// LoadPool deals the files that the last run left in the pool out to the shards, and unlinks those for which there is no room. Before that the
// directory is synced: the last run may have died between a rename and its sync, and a file may be written over only when its old name
// cannot come back. A file that cannot be opened is left alone: nobody needs it. Where the directory fails, or descriptors are short, that is an error.
func LoadPool(files uring.Files, root string, list *SegmentList, shards []*components.Storage) error {
	if len(list.Pool) == 0 {
		return nil
	}
	if err := syncSegments(files, root); err != nil {
		return err
	}
	for i, number := range list.Pool {
		name := path.Join(root, components.SegmentsDir, string(wire.AppendPoolName(nil, number)))
		st := shards[i%len(shards)]
		bytes, err := sizeOf(files, name)
		if err != nil && short(causeOf(err)) {
			return err
		}
		if err != nil {
			st.Log.Log(components.LogWarn, "file of the pool cannot be opened: left alone", components.Str("reason", err.Error()))
			continue
		}
		if !st.Pool.Claim(st.Space, bytes) {
			if err := remove(files, name); err != nil {
				return err
			}
			continue
		}
		st.Pool.Add(st.Space, components.PoolFile{Number: number, Size: bytes})
	}
	return nil
}
