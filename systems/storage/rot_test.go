package storage

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

var rotStep = flag.Int("rot.step", 1, "TestRot flips a bit in every byte of this number; 1 is every byte of every file. With -short it is 41 at least")

// held is what a start finds in a directory, and what can be read then.
type held struct {
	catalog    string
	partitions map[ecs.Entity]*heldLog
	offsets    map[offsetKey]uint64
	notes      []string
}

// heldLog is a partition: the records that can be read, by their offset, and how far it is said to go.
type heldLog struct {
	faulted bool
	next    uint64
	records map[uint64]uint64 // hash of what a client is sent
	last    uint64            // offset of the last record
}

// startOn starts on a directory, as a server does, and reads all that is there: what does not hold is not read.
func startOn(files *memoryFiles) (*held, error) {
	d, err := OpenDirectory(files, "/data", false, func([]byte) {}, 1, 1)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	secret := d.Secret()
	catalog, start, err := LoadControl(files, "/data", secret)
	if err != nil {
		return nil, err
	}
	h := &held{partitions: map[ecs.Entity]*heldLog{}, offsets: map[offsetKey]uint64{}, notes: start.Notes}
	var text strings.Builder
	components.NewPrinter(&text).Catalog(catalog, 1)
	_, h.catalog, _ = strings.Cut(text.String(), "\n") // the first line is of runs
	if start, err = StartRun(files, "/data", secret, catalog, start, RunInfo{Shards: 1, TimeMicros: 1}); err != nil {
		return nil, err
	}
	if err := Snapshot(files, "/data", secret, start.File.First, 1); err != nil {
		return nil, err
	}
	list, err := ListSegments(files, "/data")
	if err != nil {
		return nil, err
	}
	offsets, err := LoadOffsets(files, "/data", secret, EpochIn(catalog))
	if err != nil {
		return nil, err
	}
	for row := range catalog.Partitions.All {
		entity := catalog.Partitions.Entity(row)
		of := PartitionFiles{catalog.Partitions.Created[row], catalog.Partitions.ID[row]}
		level := components.LevelWritten
		if catalog.Topics.Options[catalog.Topics.MustRow(catalog.Partitions.Topic[row])].Persisted {
			level = components.LevelDurable
		}
		found, err := RecoverPartition(files, RecoverInput{Root: "/data", Secret: secret, Entity: entity, CreatedSeq: of.CreatedSeq, PartitionID: of.PartitionID,
			Epoch: catalog.Partitions.Epoch[row], Begin: offsets.Begin(catalog, row), SegmentIDs: list.Logs[of], IndexIDs: list.Indexes[of],
			Level: level, Run: start.Run, BelongsToBoot: func(uint64) bool { return true }})
		if err != nil {
			return nil, err
		}
		h.partitions[entity] = readRecovered(files, of, found, secret)
		h.notes = append(h.notes, found.Notes...)
	}
	h.notes = append(h.notes, offsets.Notes...)
	return h, h.takeOffsets(files, &offsets, secret, start.Run)
}

// readRecovered reads the records of a partition, and stops where one does not hold, as a reader does.
func readRecovered(files *memoryFiles, of PartitionFiles, found *components.Recovered, secret uint64) *heldLog {
	log := &heldLog{faulted: found.Faulted, next: found.OffsetNext, records: map[uint64]uint64{}}
	for _, s := range found.Segments {
		content := files.content[path.Join("/data", components.SegmentsDir, wire.SegmentName(of.CreatedSeq, of.PartitionID, s.ID, wire.SegmentLog))]
		for position := uint64(wire.SegmentHeadSize); position < s.End; {
			info, err := wire.CheckRecord(content[min(position, uint64(len(content))):], position, s.ID, secret)
			if err != nil {
				return log
			}
			sent := bytes.Clone(content[position : position+info.Length])
			clear(sent[wire.BatchHeaderSize-204 : wire.BatchHeaderSize]) // the seal
			log.records[info.BaseOffset], log.last = xxh3.Hash(sent), info.BaseOffset
			position += info.Length
		}
	}
	return log
}

// takeOffsets takes the stored offsets as they hold for the logs, and writes them anew as a start does.
func (h *held) takeOffsets(files *memoryFiles, offsets *OffsetsStart, secret, run uint64) error {
	kept, notes := LowerOffsets(offsets.Records, func(partition ecs.Entity) (uint64, bool) {
		return h.partitions[partition].next, h.partitions[partition].faulted
	})
	h.notes = append(h.notes, notes...)
	for _, r := range kept {
		h.offsets[offsetKey{r.Partition, components.ConsumerKey{Kind: r.Kind, ID: r.Consumer}}] = r.Value
	}
	if _, err := RewriteOffsets(files, "/data", secret, run, 0, slices.Concat(offsets.Begins, kept)); err != nil {
		return err
	}
	return RemoveOldOffsets(files, "/data", run)
}

// window is what may be missing when bytes of one file are wrong: what the last write to it brought.
type window struct {
	from    int               // the byte at which the write begins; no byte of the file lies there without one
	catalog string            // without it, for the control log
	next    map[uint64]uint64 // the partition's next offset without it, by that with it
}

// compare says what is wrong with what a start finds after a flip of a bit, given what it finds without.
func compare(got, want *held, name string, at int, w window) error {
	lost := at >= w.from // bytes of the last write: it may count as torn
	if got.catalog != want.catalog && (!lost || got.catalog != w.catalog) {
		return fmt.Errorf("got catalog\n%swant\n%s", got.catalog, want.catalog)
	}
	for entity, g := range got.partitions {
		p := want.partitions[entity]
		for offset, hash := range g.records {
			if p.records[offset] != hash {
				return fmt.Errorf("partition %v: got another record at offset %d", entity, offset)
			}
		}
		if !g.faulted && g.next != p.next && (!lost || g.next != w.next[p.next]) {
			return fmt.Errorf("partition %v: got %d messages, want %d, or that it is damaged", entity, g.next, p.next)
		}
		if g.next > p.next {
			return fmt.Errorf("partition %v: got %d messages, want %d", entity, g.next, p.next)
		}
		if len(g.records) < len(p.records) && !g.faulted && g.next == p.next && !strings.HasSuffix(name, ".log") {
			return fmt.Errorf("partition %v: got %d records that can be read, want %d", entity, len(g.records), len(p.records))
		}
	}
	for key, value := range got.offsets {
		if want, ok := want.offsets[key]; ok && value > want {
			return fmt.Errorf("got offset %d stored for %v, want %d or less", value, key, want)
		}
	}
	if !maps.Equal(got.offsets, want.offsets) && len(got.notes) == 0 && got.catalog == want.catalog {
		return fmt.Errorf("got stored offsets %v, want %v or a line that says why not", got.offsets, want.offsets)
	}
	return nil
}

// A bit is wrong, anywhere in any file of a directory that was stopped or killed: the start and what is read then give what is right, or the
// start is refused with the file named, or a partition is damaged and serves what is right of it. What one start finds the next one finds.
//
// Only the last write to a file is taken for torn where nothing vouches for it: the window that README names.
func TestRot(t *testing.T) {
	for _, dir := range []string{"v1", "crashed"} {
		t.Run(dir, func(t *testing.T) {
			files := loadFiles(t, "../../testdata/dirs/"+dir)
			want, err := startOn(files.with("/data/other", nil))
			if err != nil {
				t.Fatal(err)
			}
			windows := windowsOf(t, files, want, dir)
			counts, number, step := map[string]int{}, 0, *rotStep
			if testing.Short() {
				step = max(step, 41)
			}
			for _, name := range slices.Sorted(maps.Keys(files.content)) {
				w, ok := windows[name]
				if !ok {
					w.from = len(files.content[name])
				}
				for at := range files.content[name] {
					if number++; number%step == 0 {
						outcome, err := flipOne(files, want, name, at, w)
						if err != nil {
							t.Fatalf("bit %d of byte %d of %s: %v", at%8, at, name, err)
						}
						counts[outcome]++
					}
				}
			}
			t.Logf("%d flips: %v", number/step, counts)
			for _, kind := range []string{"refused", "no matter", "damaged", "not to be read"} {
				if counts[kind] == 0 {
					t.Errorf("got no flip that is %q", kind)
				}
			}
			if dir == "crashed" && counts["taken for torn"] == 0 {
				t.Error("got no flip in the window, want those of the last write")
			}
		})
	}
}

// flipOne flips a bit of a byte, starts twice, and says what came of it.
func flipOne(files *memoryFiles, want *held, name string, at int, w window) (string, error) {
	flipped := bytes.Clone(files.content[name])
	flipped[at] ^= 1 << (at % 8)
	rotten := files.with(name, flipped)
	got, err := startOn(rotten)
	if err != nil {
		if !strings.Contains(err.Error(), path.Base(name)) {
			return "", fmt.Errorf("got %w, want the file named", err)
		}
		return "refused", nil
	}
	if err := compare(got, want, name, at, w); err != nil {
		return "", err
	}
	again, err := startOn(rotten)
	if err == nil {
		err = again.same(got)
	}
	if err != nil {
		return "", fmt.Errorf("the second start: %w", err)
	}
	return outcomeOf(got, want), nil
}

func outcomeOf(got, want *held) string {
	kind := "no matter"
	if got.catalog != want.catalog {
		return "taken for torn"
	}
	for entity, g := range got.partitions {
		p := want.partitions[entity]
		switch {
		case g.faulted:
			return "damaged"
		case g.next < p.next:
			return "taken for torn"
		case len(g.records) < len(p.records):
			kind = "not to be read"
		}
	}
	return kind
}

// same says what differs from what the start before found.
func (h *held) same(before *held) error {
	if h.catalog != before.catalog {
		return fmt.Errorf("got catalog\n%swant\n%s", h.catalog, before.catalog)
	}
	for entity, p := range before.partitions {
		if g := h.partitions[entity]; g.faulted != p.faulted || g.next != p.next || !maps.Equal(g.records, p.records) {
			return fmt.Errorf("partition %v: got %+v, want %+v", entity, g, p)
		}
	}
	if !maps.Equal(h.offsets, before.offsets) {
		return fmt.Errorf("got offsets %v, want %v", h.offsets, before.offsets)
	}
	return nil
}

// windowsOf finds the last write to each file of which something may be taken for torn: the last record of the control log, and in a directory
// that a kill left the last record of each log.
func windowsOf(t *testing.T, files *memoryFiles, want *held, dir string) map[string]window {
	t.Helper()
	windows := map[string]window{}
	marker, err := wire.DecodeMarker(files.content["/data/"+components.MarkerFile])
	if err != nil {
		t.Fatal(err)
	}
	list, err := listControl(files, "/data/"+components.ControlDir)
	if err != nil {
		t.Fatal(err)
	}
	name := path.Join("/data", components.ControlDir, wire.ControlLogName(list[len(list)-1]))
	reader, err := wire.NewControlReader(files.content[name], marker.Secret)
	last := 0
	for err == nil {
		position := reader.Position()
		if _, _, err = reader.Next(); err == nil {
			last = position
		}
	}
	without, err := startOn(files.with(name, files.content[name][:last]))
	if err != nil {
		t.Fatal(err)
	}
	windows[name] = window{from: last, catalog: without.catalog}
	if dir != "crashed" {
		return windows
	}
	segments, err := ListSegments(files, "/data")
	if err != nil {
		t.Fatal(err)
	}
	for of, ids := range segments.Logs {
		for _, id := range ids {
			name := path.Join("/data", components.SegmentsDir, wire.SegmentName(of.CreatedSeq, of.PartitionID, id, wire.SegmentLog))
			w := window{next: map[uint64]uint64{}}
			first := true
			for position := uint64(wire.SegmentHeadSize); ; {
				info, err := wire.CheckRecord(files.content[name][position:], position, id, marker.Secret)
				if err != nil {
					break
				}
				w.next[info.OffsetNext()] = info.BaseOffset
				if w.from = int(position); first {
					w.from = 0 // the head is written along with the first record
				}
				first = false
				position += info.Length
			}
			windows[name] = w
		}
	}
	return windows
}
