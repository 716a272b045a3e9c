package storage

import "galgo/wire"

// lostLast tells, as damage, a segment behind the last one of which the log is gone and the index is there, and vouches. No crash leaves that: what is
// removed lies before the last segment, or below Begin; what is cut is vouched for by nothing; and before anything vouches the log's name is durable.
// Two things can be told apart by nothing: a lost segment without an index, and, where no log of the present purge epoch lies before it, one that was
// purged.
func (r *recovery) lostLast() error {
	last, present := uint64(0), r.Epoch == 0
	for _, l := range r.logs {
		last = l.id
		present = present || l.headless == nil && l.head.PurgeEpoch == r.Epoch
	}
	for _, id := range r.IndexIDs {
		if id <= last || !present {
			continue
		}
		l := newSegmentLog(r.files, &r.RecoverInput, id)
		if err := l.loadIndex(r.BelongsToBoot); err != nil {
			return err
		}
		if e := l.index.vouching; e != nil && (e.Offset > r.Begin || e.Kind == wire.IndexRecord && e.Offset == r.Begin) {
			return corrupt(l.path, 0, "the log is gone; its index vouches for messages from offset %d on", max(e.BaseOffset, r.Begin))
		}
	}
	return nil
}
