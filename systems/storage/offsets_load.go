package storage

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

// OffsetsStart is what the offset logs hold.
type OffsetsStart struct {
	Records []wire.OffsetRecord // the changes that hold, by partition, kind and consumer; no deletions
	Begins  []wire.OffsetRecord // where logs begin, by partition
	Notes   []string            // for the log
}

// offsetKey is whose offset a record changes.
type offsetKey struct {
	partition uint64
	consumer  components.ConsumerKey
}

// offsetMerge finds the last change of each offset.
type offsetMerge map[offsetKey]wire.OffsetRecord

func (m offsetMerge) take(r wire.OffsetRecord) {
	key := offsetKey{r.Partition, components.ConsumerKey{Kind: r.Kind, ID: r.Consumer}}
	if have, ok := m[key]; !ok || have.Order <= r.Order {
		m[key] = r
	}
}

// read takes the records of a file and returns how many places between them hold something else. A record is good for itself, and so
// a bad place ends nothing: changes that wanted no durability may be missing in front of one that is durable.
func (m offsetMerge) read(content []byte, secret uint64) (bad int) {
	if len(content) < wire.HeadSize {
		return 0
	}
	rest := content[wire.HeadSize:]
	for len(rest) > 0 {
		count, garbage := wire.ReadOffsetRecords(rest, secret, m.take)
		if !garbage {
			return bad
		}
		bad++
		rest = rest[min((count+1)*wire.OffsetRecordSize, len(rest)):]
	}
	return bad
}

// records lists what was merged and is to be kept, in order.
func (m offsetMerge) records(keep func(wire.OffsetRecord) bool) []wire.OffsetRecord {
	list := make([]wire.OffsetRecord, 0, len(m))
	for _, r := range m {
		if keep(r) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b wire.OffsetRecord) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Consumer, b.Consumer))
	})
	return list
}

// offsetLog is the name of an offset log, taken apart.
type offsetLog struct {
	name  string
	run   uint64
	shard uint32
}

// listOffsets lists the offset logs by run and shard.
func listOffsets(files uring.Files, dir string) ([]offsetLog, error) {
	names, err := files.List(dir)
	if err != nil {
		return nil, fileError("list", dir, 0, err)
	}
	var logs []offsetLog
	for _, name := range names {
		if run, shard, ok := wire.ParseOffsetLogName(name); ok {
			logs = append(logs, offsetLog{name, run, shard})
		}
	}
	slices.SortFunc(logs, func(a, b offsetLog) int { return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.shard, b.shard)) })
	return logs, nil
}

// LoadOffsets reads all offset logs, of whatever run and shard count, and keeps the last change of each offset if its partition
// exists and is still in the epoch of the change, as epochOf says. It writes nothing. Bytes that are no records are noted and passed
// over: what they held is delivered again. Errors are about files of another version (wire.ErrVersion) and about failed reads.
func LoadOffsets(files uring.Files, root string, secret uint64, epochOf func(ecs.Entity) (epoch uint64, ok bool)) (OffsetsStart, error) {
	var start OffsetsStart
	dir := path.Join(root, components.OffsetsDir)
	logs, err := listOffsets(files, dir)
	if err != nil {
		return start, err
	}
	merge := offsetMerge{}
	for _, log := range logs {
		name := path.Join(dir, log.name)
		content, err := readWhole(files, name)
		if err != nil {
			return start, err
		}
		_, err = wire.DecodeOffsetLogHead(content, secret)
		switch {
		case errors.Is(err, wire.ErrVersion):
			return start, fileError("recover", name, 0, err)
		case err != nil: // the name says all that the head does
			start.Notes = append(start.Notes, fmt.Sprintf("%s: %v", name, err))
		}
		if bad := merge.read(content, secret); bad > 0 {
			start.Notes = append(start.Notes, fmt.Sprintf("%s: %d places are not offset changes, passed over", name, bad))
		}
	}
	for _, r := range merge.records(func(r wire.OffsetRecord) bool {
		epoch, ok := epochOf(ecs.Entity(r.Partition))
		return ok && epoch == r.Epoch && !r.Deleted
	}) {
		if r.Kind == wire.OffsetOfLog {
			start.Begins = append(start.Begins, r)
		} else {
			start.Records = append(start.Records, r)
		}
	}
	return start, nil
}

// EpochIn is what LoadOffsets asks of a recovered catalog.
func EpochIn(catalog *components.Catalog) func(ecs.Entity) (epoch uint64, ok bool) {
	return func(partition ecs.Entity) (uint64, bool) {
		row, ok := catalog.Partitions.Row(partition)
		if !ok {
			return 0, false
		}
		return catalog.Partitions.Epoch[row], true
	}
}

// Begin is the offset below which the messages of a partition of the catalog are removed, by request or by retention; 0 is none.
func (start *OffsetsStart) Begin(catalog *components.Catalog, row int) uint64 {
	entity := uint64(catalog.Partitions.Entity(row))
	begin := catalog.Partitions.Removed[row]
	at, found := slices.BinarySearchFunc(start.Begins, entity, func(r wire.OffsetRecord, e uint64) int { return cmp.Compare(r.Partition, e) })
	if found {
		begin = max(begin, start.Begins[at].Value)
	}
	return begin
}

// LowerOffsets lowers each stored offset that lies at or beyond the end of its partition's log, as nextOf says, to the last
// message, and drops it where there is no message at all. Faulted partitions are left alone. The records are changed in place.
func LowerOffsets(records []wire.OffsetRecord, nextOf func(ecs.Entity) (next uint64, faulted bool)) (kept []wire.OffsetRecord, notes []string) {
	kept = records[:0]
	for _, r := range records {
		next, faulted := nextOf(ecs.Entity(r.Partition))
		if faulted || r.Value < next {
			kept = append(kept, r)
			continue
		}
		notes = append(notes, fmt.Sprintf("partition %v: offset %d stored for consumer %d of kind %d, but the log ends below %d: lowered",
			ecs.Entity(r.Partition), r.Value, r.Consumer, r.Kind, next))
		if next > 0 {
			r.Value = next - 1
			kept = append(kept, r)
		}
	}
	return kept, notes
}

// RewriteOffsets writes a shard's offset log of this run, durably, and leaves it open for appending. Records are those of the
// partitions that the shard owns today. Once every shard has done so, RemoveOldOffsets follows.
func RewriteOffsets(files uring.Files, root string, secret, run uint64, shard uint32, records []wire.OffsetRecord) (components.OffsetFile, error) {
	file, _, err := writeOffsetLog(files, root, secret, run, shard, records)
	return file, err
}

func writeOffsetLog(files uring.Files, root string, secret, run uint64, shard uint32, records []wire.OffsetRecord) (_ components.OffsetFile, renamed bool, err error) {
	content := make([]byte, 0, wire.HeadSize+len(records)*wire.OffsetRecordSize)
	content = wire.AppendOffsetLogHead(content, wire.OffsetLogHead{Run: run, Shard: shard}, secret)
	for _, r := range records {
		at := len(content)
		content = content[:at+wire.OffsetRecordSize]
		wire.PutOffsetRecord(content[at:], r, secret)
	}
	fd, renamed, err := writeWhole(files, path.Join(root, components.OffsetsDir), wire.OffsetLogName(run, shard), content)
	size := uint64(len(content))
	return components.OffsetFile{FD: fd, Position: size, Least: size}, renamed, err
}

// RemoveOldOffsets removes the offset logs of all runs but this one, the oldest run first and durably so: a deletion must not go
// before what it deletes.
func RemoveOldOffsets(files uring.Files, root string, run uint64) error {
	dir := path.Join(root, components.OffsetsDir)
	if err := removeFresh(files, dir); err != nil {
		return err
	}
	logs, err := listOffsets(files, dir)
	if err != nil {
		return err
	}
	for i, log := range logs {
		if log.run == run {
			continue
		}
		if err := remove(files, path.Join(dir, log.name)); err != nil {
			return err
		}
		if i+1 == len(logs) || logs[i+1].run != log.run {
			if err := files.SyncDir(dir); err != nil {
				return fileError("sync", dir, 0, err)
			}
		}
	}
	return nil
}
