package storage

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/zeebo/xxh3"

	"galgo/components"
	"galgo/ecs"
	"galgo/uring"
	"galgo/wire"
)

// RecoverInput is what RecoverPartition has to know of a partition, from the catalog and from the list of files.
type RecoverInput struct {
	Root          string // the data directory
	Secret        uint64
	Entity        ecs.Entity
	CreatedSeq    uint64 // with PartitionID it names the files
	PartitionID   uint32
	Epoch         uint64   // purge epoch
	Begin         uint64   // messages below this offset are removed, whatever files there are
	SegmentIDs    []uint64 // of the segments that have a log, ascending
	IndexIDs      []uint64 // of those that have an index, ascending
	Level         components.Level
	Run           uint64                // of this life
	BelongsToBoot func(run uint64) bool // whether a run was in the machine's present boot
	ReadOnly      bool                  // find out, and write nothing: for the dump
}

// InputOf is what RecoverPartition has to know of a partition by its catalog, its files and its stored offsets. What depends on the start is left
// to the caller: Root, Secret, Level, Run, BelongsToBoot and ReadOnly. A partition without a file and a beginning has nothing to be recovered.
func InputOf(catalog *components.Catalog, row int, list *SegmentList, offsets *OffsetsStart) (in RecoverInput, ok bool) {
	p := &catalog.Partitions
	of := PartitionFiles{CreatedSeq: p.Created[row], PartitionID: p.ID[row]}
	in = RecoverInput{Entity: p.Entity(row), CreatedSeq: of.CreatedSeq, PartitionID: of.PartitionID, Epoch: p.Epoch[row],
		Begin: offsets.Begin(catalog, row), SegmentIDs: list.Logs[of], IndexIDs: list.Indexes[of]}
	return in, len(in.SegmentIDs) > 0 || len(in.IndexIDs) > 0 || in.Begin > 0
}

// RecoverPartition finds the end of a partition's log, and cuts what a crash left behind it. The rules:
//
//   - Everything below the last index entry that vouches is relied upon. From there records are walked.
//   - Where a record is missing, what lies behind decides. If something there was written after the missing bytes had reached the file for
//     good, they were acknowledged, and it is damage: the partition is Faulted, and nothing is written. Otherwise nobody had an answer to
//     them: the log is cut there, later segments with it, and a voucher is durable before this returns.
//   - Segments of an earlier purge epoch, and those below the offset at which the log is to begin, are removed: a crash may have left them.
//   - A log that ends well is left as it is, save that at LevelDurable what no voucher covers is synced and vouched for.
//
// The time it takes depends on the number of segments, not on their size. Nothing else may use the files meanwhile.
//
// An error means that the server must not start: files of another version (wire.ErrVersion), or a call that fails for reasons that are not the
// partition's, such as too many open files. Bytes that are wrong or cannot be read make the partition Faulted.
func RecoverPartition(files uring.Files, in RecoverInput) (*components.Recovered, error) {
	r := &recovery{RecoverInput: in, files: files, out: &components.Recovered{}}
	err := r.recover()
	for _, l := range r.logs {
		l.close()
	}
	var failed *FileError
	if errors.As(err, &failed) && isDamage(failed) {
		r.out.Faulted, r.out.Vouched, r.out.CutBytes, r.out.Notes = true, false, 0, nil
		r.out.DamagePath, r.out.DamageAt, r.out.Damage = failed.Path, failed.Position, failed.Op+": "+failed.Err.Error()
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("partition %v: %w", in.Entity, err)
	}
	r.sum()
	return r.out, nil
}

// isDamage tells what is wrong with a partition from what is wrong with the machine or the build.
func isDamage(err error) bool {
	return errors.Is(err, ErrCorrupt) || errors.Is(err, errNotCut) || isUnreadable(err)
}

// recovery is one call of RecoverPartition.
type recovery struct {
	RecoverInput
	files   uring.Files
	out     *components.Recovered
	logs    []*segmentLog // those of this purge epoch, ascending; dropped ones are taken off the end
	dropped []*segmentLog // segments to be removed
}

// forever is the offset that no walk reaches.
const forever = ^uint64(0)

func (r *recovery) recover() error {
	if err := r.load(); err != nil {
		return err
	}
	if err := r.lostLast(); err != nil {
		return r.acceptBefore(err)
	}
	if err := r.dropPurged(); err != nil {
		return err
	}
	r.dropRemoved()
	if err := r.dropUnused(); err != nil {
		return err
	}
	if err := r.dropLeftovers(); err != nil {
		return err
	}
	if err := r.dropBeginning(); err != nil {
		return err
	}
	begin, p, err := r.relyOn()
	if err != nil {
		return err
	}
	for i := begin; i < len(r.logs); i++ {
		l := r.logs[i]
		if p.position > l.size {
			return r.endsEarly(l, p)
		}
		from, next := p.position, r.baseAfter(i)
		bad, err := l.walk(&p, next)
		if err != nil || bad != "" {
			r.accept(l, p)
		}
		switch {
		case err != nil:
			return err
		case bad == "":
			r.accept(l, p)
			p.enter(r.logs[i+1])
		case p.position == from && l.vouchesForRecord():
			return corrupt(l.path, p.position, "the index vouches for a record here: %s", bad)
		default:
			return r.settle(begin, i, p, bad)
		}
	}
	return r.finish() // no segment at all
}

// load reads the heads and indexes of all segments. The last log stays open: the end of the partition is most often there.
func (r *recovery) load() error {
	for i, id := range r.SegmentIDs {
		l := newSegmentLog(r.files, &r.RecoverInput, id)
		err := l.load(r.BelongsToBoot)
		if err == nil && l.headless == nil {
			h := &l.head
			if h.SegmentID != id || h.Partition != uint64(r.Entity) || h.CreatedSeq != r.CreatedSeq || h.PartitionID != r.PartitionID || h.PurgeEpoch > r.Epoch {
				err = corrupt(l.path, 0, "the head is of segment %#x of partition %v, epoch %d", h.SegmentID, ecs.Entity(h.Partition), h.PurgeEpoch)
			}
		}
		if err != nil || i < len(r.SegmentIDs)-1 {
			l.close()
		}
		if err != nil {
			return r.acceptBefore(err)
		}
		r.logs = append(r.logs, l)
	}
	return nil
}

// dropPurged takes off the segments of earlier purge epochs. One whose first write was torn, or lost with the machine's power, has no head that
// says so. It is one of them if it lies before the segment with which the present epoch began; or, where there is no head of the present epoch and
// nothing vouches for it, if it lies behind another of them, or follows what the present epoch does not have. Until a write has returned nothing
// of the next epoch is appended.
func (r *recovery) dropPurged() error {
	if r.Epoch == 0 {
		return nil
	}
	present := 0
	for present < len(r.logs) && (r.logs[present].headless != nil || r.logs[present].head.PurgeEpoch < r.Epoch) {
		present++
	}
	none := present == len(r.logs)
	begins := !none && r.logs[present].head.BaseOffset == 0
	var kept []*segmentLog
	for i, l := range r.logs {
		purged := l.headless == nil && l.head.PurgeEpoch < r.Epoch || l.headless != nil && i < present && begins
		if !purged && none && l.index.vouching == nil {
			follows, err := l.follows(r.Begin, r.counts(0))
			if err != nil {
				return err
			}
			purged = follows || len(r.dropped) > 0
		}
		if purged {
			l.close()
			r.note("%s: purged, removed", l.path)
			r.dropped = append(r.dropped, l)
		} else {
			kept = append(kept, l)
		}
	}
	r.logs = kept
	return nil
}

// follows says whether all that is left of a segment without a head is a first write, which was handed over when there were messages at or above an
// offset.
func (l *segmentLog) follows(offset uint64, counts func(wire.Seal) bool) (bool, error) {
	found, err := l.search(0, counts)
	return err == nil && found.counting > 0 && found.least > offset && found.safeBelow == found.least, err
}

// dropRemoved takes off the segments below Begin of which files are left.
func (r *recovery) dropRemoved() {
	if r.Begin == 0 {
		return
	}
	first := len(r.logs)
	for i, l := range r.logs {
		if l.headless == nil && l.head.BaseOffset <= r.Begin && (first == len(r.logs) || l.head.BaseOffset > r.logs[first].head.BaseOffset) {
			first = i
		}
	}
	if first == len(r.logs) {
		return
	}
	for _, l := range r.logs[:first] {
		r.note("%s: below offset %d, removed", l.path, r.Begin)
	}
	r.dropped = append(r.dropped, r.logs[:first]...)
	r.logs = r.logs[first:]
}

// dropRest takes off what is left when all of it lies below Begin: the log behind it was lost with the machine's power. Offsets do not begin anew.
func (r *recovery) dropRest() {
	n := len(r.out.Segments)
	if n == 0 || r.Begin == 0 || r.out.Segments[n-1].Next > r.Begin {
		return
	}
	for i := n - 1; i >= 0; i-- {
		r.drop(i, fmt.Sprintf("below offset %d", r.Begin))
	}
	r.out.Segments, r.out.Vouched = nil, true
}

// acceptBefore accepts what is good of the segments that were loaded before one was found damaged.
func (r *recovery) acceptBefore(damage error) error {
	if !isDamage(damage) {
		return damage
	}
	if err := r.dropPurged(); err != nil {
		return err
	}
	r.dropRemoved()
	var p place
	for i, l := range r.logs {
		if i == 0 {
			p.offset = l.head.BaseOffset
		}
		if l.headless != nil || l.head.BaseOffset != p.offset {
			break
		}
		p.enter(l)
		if err := r.relyOnSegment(i, &p); err != nil {
			return err
		}
	}
	return damage
}

// dropUnused takes off the end what was made when the crash came: files without a head and without a record. What an earlier life left in
// a recycled file need not be searched: its beginning was made zero, and an index is as good as always there once there is a record.
func (r *recovery) dropUnused() error {
	for n := len(r.logs) - 1; n >= 0; n-- {
		l := r.logs[n]
		if l.headless == nil || l.index.vouching != nil {
			return nil
		}
		begins, err := l.peek(0, emptyHeadSize)
		if err != nil {
			return err
		}
		if l.index.last == nil && len(trimZeros(begins)) == 0 {
			r.drop(n, "made but never used")
			continue
		}
		found, err := l.search(0, r.counts(0))
		if err != nil {
			return err
		}
		if found.counting > 0 {
			return nil // the head is written along with the first records: settle sees what to make of it
		}
		r.drop(n, "made but never used")
	}
	return nil
}

// dropLeftovers takes out what was given up because there was no room for it, and came back when the machine lost its power before the removal
// was durable: files without a head, a record or an index, where the next segment begins at the same offset. Whether it does after another
// one shows when the log is walked.
func (r *recovery) dropLeftovers() error {
	for i := len(r.logs) - 2; i >= 0; i-- {
		l, next := r.logs[i], r.logs[i+1]
		if l.headless == nil || l.index.last != nil || i == 0 && (next.headless != nil || next.head.BaseOffset > 0) {
			continue
		}
		found, err := l.search(0, r.counts(0))
		if err != nil {
			return err
		}
		if found.seals == 0 {
			r.note("%s: given up before it was used, removed", l.path)
			r.dropped = append(r.dropped, l)
			r.logs = slices.Delete(r.logs, i, i+1)
		}
	}
	return nil
}

// dropBeginning takes off everything when the first segment has no head, and nothing says that anybody had an answer to what there is: its
// first write was torn, or lost with the machine's power.
func (r *recovery) dropBeginning() error {
	for i, l := range r.logs {
		if (i == 0 && l.headless == nil) || l.index.vouching != nil {
			return nil
		}
	}
	for n := len(r.logs) - 1; n >= 0; n-- {
		l, first := r.logs[n], r.logs[0]
		if r.Epoch == 0 && first.index.last != nil && first.index.last.BaseOffset > r.Begin {
			return nil // there was a log before it; after a purge its index may be of the epoch before
		}
		if err := r.settleLater(l, first, place{offset: r.Begin}, first.headless.Error()); err != nil {
			return err
		}
	}
	for n := len(r.logs) - 1; n >= 0; n-- {
		r.out.CutBytes += r.logs[n].size
		r.drop(n, fmt.Sprintf("%d bytes behind a first write that was torn", r.logs[n].size))
	}
	return nil
}

// drop takes the last segment off; remove removes its files.
func (r *recovery) drop(n int, why string) {
	l := r.logs[n]
	l.close()
	r.note("%s: %s, removed", l.path, why)
	r.dropped = append(r.dropped, l)
	r.logs = r.logs[:n]
}

func (r *recovery) note(format string, args ...any) {
	r.out.Notes = append(r.out.Notes, fmt.Sprintf(format, args...))
}

// counts says which seals say something: those of runs that are not below floor, if what was in the file then still is. That is so where it had
// been made durable, which is not a matter of the present level, and else if the machine has not been restarted since.
func (r *recovery) counts(floor uint64) func(wire.Seal) bool {
	return func(seal wire.Seal) bool {
		return seal.Run >= floor && (seal.Durably || r.BelongsToBoot(seal.Run))
	}
}

// baseAfter is the base offset of the segment after number i, or forever when there is none or its head does not say.
func (r *recovery) baseAfter(i int) uint64 {
	if i+1 == len(r.logs) || r.logs[i+1].headless != nil {
		return forever
	}
	return r.logs[i+1].head.BaseOffset
}

// relyOn finds the last segment with an entry that vouches, accepts the segments before it, and returns its number and where to
// walk from. Without such an entry that is the beginning of the log.
func (r *recovery) relyOn() (begin int, p place, err error) {
	begin = len(r.logs) - 1
	for begin > 0 && r.logs[begin].index.vouching == nil {
		begin--
	}
	for i := range r.logs[:begin+1] {
		l := r.logs[i]
		if l.headless != nil {
			return 0, p, fileError("recover", l.path, 0, damaged(l.headless))
		}
		if i == 0 {
			p.offset = l.head.BaseOffset
		}
		if l.head.BaseOffset != p.offset {
			return 0, p, corrupt(l.path, 0, "the segment begins at offset %d, the one before it ends below %d", l.head.BaseOffset, p.offset)
		}
		p.enter(l)
		if i == begin {
			break
		}
		if err := r.relyOnSegment(i, &p); err != nil {
			return 0, p, err
		}
	}
	if begin >= 0 && r.logs[begin].index.vouching != nil {
		p = placeOf(r.logs[begin].index.vouching)
	}
	return max(begin, 0), p, nil
}

// syncFrom is the number of the last segment, begin or one before it, with an entry that vouches whatever becomes of the machine: what lies before it
// is durable. What is relied upon because the machine has not been restarted may still be lost with its power, and a voucher is to outlast that.
func (r *recovery) syncFrom(begin int) int {
	for begin > 0 {
		if v := r.logs[begin].index.vouching; v != nil && v.Vouches(func(uint64) bool { return false }) {
			break
		}
		begin--
	}
	return begin
}

// relyOnSegment accepts a segment that a later one vouches for: as its final voucher says, or walked from its last entry.
func (r *recovery) relyOnSegment(i int, p *place) error {
	l, next := r.logs[i], r.baseAfter(i)
	if last := l.index.last; last != nil && last.Offset <= next {
		*p = placeOf(last)
		if last.Kind == wire.IndexVoucher && last.Offset == next && last.Position <= l.size {
			r.accept(l, *p)
			return nil
		}
	}
	if p.position > l.size {
		return r.endsEarly(l, *p)
	}
	bad, err := l.walk(p, next)
	r.accept(l, *p)
	if err == nil && bad != "" && next != forever { // else the next one's head is at fault
		err = corrupt(l.path, p.position, "%s; a later segment vouches for all before it", bad)
	}
	l.close()
	return err
}

// endsEarly is damage: the file is shorter than an entry that vouches says. What there is of it is accepted.
func (r *recovery) endsEarly(l *segmentLog, p place) error {
	good := l.start()
	_, err := l.walk(&good, p.offset)
	r.accept(l, good)
	if err != nil {
		return err
	}
	return corrupt(l.path, l.size, "the file ends here, the index vouches for it up to byte %d", p.position)
}

// vouchesForRecord says whether the walk began at a record that the index vouches for: the entry was written after the record.
func (l *segmentLog) vouchesForRecord() bool {
	return l.index.vouching != nil && l.index.vouching.Kind == wire.IndexRecord
}

// vouched says whether the last entry is a voucher for just what lies below a place.
func (l *segmentLog) vouched(p place) bool {
	last := l.index.last
	return last != nil && last.Kind == wire.IndexVoucher && last.Position == p.position && last.Offset == p.offset
}

// accept enters a segment with the records below a place.
func (r *recovery) accept(l *segmentLog, p place) {
	r.out.Segments = append(r.out.Segments, components.RecoveredSegment{ID: l.id, Base: l.head.BaseOffset, Next: p.offset, End: p.position,
		TimeLast: p.time, Allocated: components.AlignDown(l.size)})
}

// settle decides what the bad bytes behind the last good record are, in segment number i which is the last accepted one.
func (r *recovery) settle(begin, i int, p place, bad string) error {
	l := r.logs[i]
	behind, err := l.behind(p)
	if err != nil {
		return err
	}
	torn, found := len(trimZeros(behind)) > 0, remains{end: p.position}
	if torn || len(behind) < hintMin || !l.vouched(p) {
		if found, err = l.search(p.position, r.counts(p.run)); err != nil {
			return err
		}
	}
	if found.safeBelow > p.offset {
		return corrupt(l.path, p.position, "%s; the offsets below %d were written before byte %d was", bad, found.safeBelow, found.at)
	}
	for _, later := range r.logs[i+1:] {
		if err := r.settleLater(later, l, p, bad); err != nil {
			return err
		}
	}
	half := l.size%components.UnitSize != 0 // a cut that a crash interrupted
	cut := len(r.logs) > i+1 || found.seals > 0 || l.index.beyond(p) || (torn && !l.vouched(p)) || half
	if cut {
		r.noteCut(i, p, found, bad)
	}
	begin = r.syncFrom(begin)
	r.out.VouchFrom = r.logs[begin].id
	if r.ReadOnly {
		r.out.Vouched = !cut && l.vouched(p)
		return r.finish()
	}
	synced := r.logs[begin : i+1]
	for _, earlier := range synced[:len(synced)-1] { // their vouchers are still to come
		if err := r.tidyIndex(earlier); err != nil {
			return notCut(err)
		}
	}
	switch {
	case cut:
		err = r.cut(synced, p)
	case l.vouched(p):
		r.out.Vouched = true
		err = r.tidyIndex(l)
	case r.Level == components.LevelDurable:
		err = r.vouch(synced, p)
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			r.note("%s: no room for a voucher: %v", l.path, err) // the log is synced, and nothing was cut
			err = syncSegments(r.files, r.Root)                  // its name comes last where there is a voucher
		}
	default:
		err = r.tidyIndex(l)
	}
	if err != nil {
		return notCut(err)
	}
	return r.finish()
}

// hintMin is how many zeros behind the end say that no record was ever handed over there, in bytes: the part of a record's header that always
// has something in it.
const hintMin = 32

// behind is the rest of the block in which a log ends, as far as a record's header reaches: whoever wrote the last record made it zero. Together
// with a voucher for just what lies before it, that saves the search of a file that is as long as its roll limit and full of what
// an earlier life left there.
func (l *segmentLog) behind(p place) ([]byte, error) {
	return l.peek(p.position, int(min(components.AlignUp(p.position)-p.position, wire.BatchHeaderSize)))
}

// settleLater looks whether a later segment proves that the bytes missing in l were written.
func (r *recovery) settleLater(later, l *segmentLog, p place, bad string) error {
	defer later.close()
	if later.headless != nil {
		found, err := later.search(0, r.counts(p.run))
		if err == nil && (found.safeBelow > p.offset || found.safeBelow > found.least) { // the second: its first write was complete
			err = fileError("recover", later.path, 0, damaged(later.headless))
		}
		return err
	}
	first, err := later.peek(wire.SegmentHeadSize, wire.BatchHeaderSize)
	if err != nil {
		return err
	}
	seal, ok := wire.ReadSeal(first, wire.SegmentHeadSize, r.Secret)
	switch {
	case !ok || seal.SegmentID != later.id || !r.counts(p.run)(seal):
		return nil
	case seal.SafeBelow > p.offset:
		return corrupt(l.path, p.position, "%s; the offsets below %d were written before segment %#x was", bad, seal.SafeBelow, later.id)
	case later.head.BaseOffset < p.offset:
		return corrupt(later.path, 0, "the segment begins at offset %d, the one before it ends below %d", later.head.BaseOffset, p.offset)
	}
	return nil
}

// beyond says whether the index knows of records behind a place.
func (x *segmentIndex) beyond(p place) bool {
	return x.last != nil && (x.last.Offset > p.offset || x.last.Position > p.position ||
		(x.last.Kind == wire.IndexRecord && x.last.Position == p.position))
}

// noteCut counts what is lost.
func (r *recovery) noteCut(i int, p place, found remains, bad string) {
	l := r.logs[i]
	r.out.CutBytes = found.end - p.position
	r.note("%s: cut at byte %d, offset %d (%s): %d bytes", l.path, p.position, p.offset, bad, r.out.CutBytes)
	if l.index.beyond(p) {
		r.note("%s: its index knew of offset %d", l.path, l.index.last.Offset)
	}
	for n := len(r.logs) - 1; n > i; n-- {
		later := r.logs[n]
		r.out.CutBytes += later.size - min(later.size, wire.SegmentHeadSize)
		r.drop(n, fmt.Sprintf("%d bytes from offset %d behind the cut", later.size, later.head.BaseOffset))
	}
}

// finish removes what was dropped and hashes the tail.
func (r *recovery) finish() error {
	r.dropRest()
	if len(r.logs) == 0 {
		r.out.Vouched = true
	}
	if !r.ReadOnly {
		if err := r.removeDropped(); err != nil {
			return notCut(err)
		}
	}
	if len(r.out.Segments) == 0 {
		return nil
	}
	end := r.out.Segments[len(r.out.Segments)-1].End
	from := components.AlignDown(end)
	tail, err := r.logs[len(r.out.Segments)-1].peek(from, int(end-from))
	r.out.TailHash = xxh3.HashSeed(tail, r.Secret)
	return err
}

// sum fills in what follows from the segments.
func (r *recovery) sum() {
	out := r.out
	out.OffsetFirst, out.OffsetNext = r.Begin, r.Begin
	for i, s := range out.Segments {
		if i == 0 {
			out.OffsetFirst = max(s.Base, min(r.Begin, out.Segments[len(out.Segments)-1].Next))
		}
		out.OffsetNext, out.TimeLast = s.Next, max(out.TimeLast, s.TimeLast)
		out.Size += s.End - wire.SegmentHeadSize
	}
}
