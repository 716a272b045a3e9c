package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems/storage"
	"galgo/wire"
)

// inOrder yields the partitions of the catalog, by the wire ids of stream, topic and partition.
func (c *contents) inOrder(yield func(ecs.Entity) bool) {
	catalog := c.world.Catalog
	for stream := range catalog.StreamsByID {
		for topic := range catalog.TopicsByID(stream) {
			for row := range catalog.PartitionsByID(topic) {
				if !yield(catalog.Partitions.Entity(row)) {
					return
				}
			}
		}
	}
}

// segments prints the segments of one partition, or of all and then the files that nobody names.
func (d *directory) segments(p *components.Printer, partition string, records bool) error {
	c, err := d.load()
	if err != nil {
		return err
	}
	s := segmentDump{directory: d, contents: c, print: p, records: records}
	if partition != "" {
		entity, err := findPartition(c.world.Catalog, partition)
		if err != nil {
			return err
		}
		err = s.partition(entity)
		return errors.Join(err, result(p, s.damage))
	}
	for entity := range c.inOrder {
		if err := s.partition(entity); err != nil {
			return err
		}
	}
	return errors.Join(s.unnamed(), result(p, s.damage))
}

// findPartition resolves STREAM/TOPIC/ID. Names may hold slashes: what is no name in one reading may be one in another.
func findPartition(c *components.Catalog, name string) (ecs.Entity, error) {
	slash := strings.LastIndexByte(name, '/')
	if slash < 0 {
		return ecs.None, fmt.Errorf("--partition: got %q, want STREAM/TOPIC/ID", name)
	}
	id, err := strconv.ParseUint(name[slash+1:], 10, 32)
	if err != nil {
		return ecs.None, fmt.Errorf("--partition: got id %q, want a number", name[slash+1:])
	}
	path := name[:slash]
	for at := range path {
		if path[at] != '/' {
			continue
		}
		for _, stream := range identsOf(path[:at]) {
			for _, topic := range identsOf(path[at+1:]) {
				if streamRow, ok := c.FindStream(stream); ok {
					if topicRow, ok := c.FindTopic(streamRow, topic); ok {
						if row, ok := c.PartitionByID(topicRow, uint32(id)); ok {
							return c.Partitions.Entity(row), nil
						}
					}
				}
			}
		}
	}
	return ecs.None, fmt.Errorf("--partition: the catalog has no partition %s", name)
}

// identsOf is what a text can mean: a name, or else an id.
func identsOf(text string) []wire.Ident {
	idents := []wire.Ident{wire.IdentNamed([]byte(text))}
	if id, err := strconv.ParseUint(text, 10, 32); err == nil {
		idents = append(idents, wire.IdentOf(uint32(id)))
	}
	return idents
}

// segmentDump prints segments.
type segmentDump struct {
	*directory
	*contents
	print   *components.Printer
	records bool
}

// partition prints the segments of a partition: those that are its log, and then what else there is of files.
func (s *segmentDump) partition(entity ecs.Entity) error {
	catalog := s.world.Catalog
	row := catalog.Partitions.MustRow(entity)
	of := storage.PartitionFiles{CreatedSeq: catalog.Partitions.Created[row], PartitionID: catalog.Partitions.ID[row]}
	s.print.Line(0, "partition %s %v created=%s", components.PartitionName(catalog, entity), entity, components.RunCounter(of.CreatedSeq))
	found := s.recovered[entity]
	if found == nil {
		return nil
	}
	s.print.Recovered(found)
	for _, id := range s.list.Logs[of] {
		at := slices.IndexFunc(found.Segments, func(g components.RecoveredSegment) bool { return g.ID == id })
		end := uint64(0)
		if at < 0 {
			s.print.Line(1, "segment %s is not part of the log", components.RunCounter(id))
		} else {
			s.print.RecoveredSegment(found.Segments[at])
			end = found.Segments[at].End
		}
		if err := s.segment(of, id, end); err != nil {
			return err
		}
	}
	return nil
}

// segment prints the files of a segment; records are those below end.
func (s *segmentDump) segment(of storage.PartitionFiles, id, end uint64) error {
	path := func(kind wire.SegmentKind) string {
		return filepath.Join(s.root, components.SegmentsDir, wire.SegmentName(of.CreatedSeq, of.PartitionID, id, kind))
	}
	log, err := os.Open(path(wire.SegmentLog))
	if err != nil {
		return err
	}
	defer log.Close()
	head := make([]byte, wire.SegmentHeadSize)
	if _, err := log.ReadAt(head, 0); err != nil && err != io.EOF {
		return err
	}
	if h, err := wire.DecodeSegmentHead(head, s.secret); err == nil {
		s.print.SegmentHead(h)
	} else {
		s.print.Line(2, "head %v", err)
	}
	if s.records {
		if err := s.walk(log, id, end); err != nil {
			return err
		}
	}
	return s.index(path(wire.SegmentIndex), id)
}

// walk prints the records below end, and checks each.
func (s *segmentDump) walk(log *os.File, id, end uint64) error {
	var record []byte
	for position := uint64(wire.SegmentHeadSize); position < end; {
		size := uint64(wire.BatchHeaderSize)
		var info wire.RecordInfo
		for {
			record = slices.Grow(record[:0], int(size))[:size]
			n, err := log.ReadAt(record, int64(position))
			if err != nil && err != io.EOF {
				return err
			}
			if info, err = wire.CheckRecord(record[:n], position, id, s.secret); err == nil {
				break
			}
			if errors.Is(err, wire.ErrShort) && info.Length > size {
				size = info.Length
				continue
			}
			s.print.Line(2, "damage @%d: %v", position, err)
			s.damage = append(s.damage, fmt.Errorf("%s at byte %d: %w", log.Name(), position, err))
			return nil
		}
		s.print.Record(info, position)
		position += info.Length
	}
	return nil
}

// index prints the entries of an index. One that does not hold costs a start some time and nothing else, so it is no damage.
func (s *segmentDump) index(path string, id uint64) error {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		s.print.Line(2, "no index")
		return nil
	}
	if err != nil {
		return err
	}
	for at := 0; at < len(content); at += wire.IndexEntrySize {
		e, err := wire.DecodeIndexEntry(content[at:], s.secret)
		switch {
		case err != nil:
			s.print.Line(2, "entry %d: %v", at/wire.IndexEntrySize, err)
		case e.SegmentID != id:
			s.print.Line(2, "entry %d: of segment %s", at/wire.IndexEntrySize, components.RunCounter(e.SegmentID))
		default:
			s.print.IndexEntry(e)
		}
	}
	return nil
}

// pooled prints a file of the pool: what is in it means nothing.
func (s *segmentDump) pooled(number uint64) error {
	info, err := os.Stat(filepath.Join(s.root, components.SegmentsDir, string(wire.AppendPoolName(nil, number))))
	if err != nil {
		return err
	}
	s.print.Line(0, "pool %s size=%d", components.RunCounter(number), info.Size())
	return nil
}

// unnamed prints the files that no partition has: those of a pending removal, those of the pool, and those that nobody names.
func (s *segmentDump) unnamed() error {
	catalog := s.world.Catalog
	known := map[storage.PartitionFiles]bool{}
	for row := range catalog.Partitions.All {
		known[storage.PartitionFiles{CreatedSeq: catalog.Partitions.Created[row], PartitionID: catalog.Partitions.ID[row]}] = true
	}
	for _, removal := range catalog.RemovalsInOrder() {
		of := storage.PartitionFiles{CreatedSeq: removal.Created, PartitionID: removal.ID}
		known[of] = true
		s.print.Line(0, "removal %v id=%d created=%s logs=%d indexes=%d", removal.Partition, removal.ID, components.RunCounter(removal.Created),
			len(s.list.Logs[of]), len(s.list.Indexes[of]))
	}
	for _, number := range s.list.Pool {
		if err := s.pooled(number); err != nil {
			return err
		}
	}
	for _, name := range s.list.Unnamed(func(of storage.PartitionFiles) bool { return known[of] }) {
		s.print.Line(0, "nobody names %s", name)
	}
	return nil
}
