package simtest

import (
	"bytes"

	"galgo/components"
	"galgo/systems/storage"
	"galgo/wire"
)

// audit looks at everything that has to have survived, after a start. It returns false when the disk broke its word, and the play is over.
func (p *play) audit() bool {
	c := p.connect("audit")
	for _, t := range p.messages.topics {
		for _, partition := range t.partitions {
			if p.messages.audit(c, partition); p.broken {
				return false
			}
		}
	}
	p.messages.settle()
	p.offsets.audit(c)
	p.auditOwn(c)
	c.hangUp()
	return !p.broken
}

// progress wants the server to take messages and metadata once faults have ended, save where it said that it would not.
func (p *play) progress() {
	c := p.connect("progress")
	for _, t := range p.messages.topics {
		for _, partition := range t.partitions {
			b, bytes := p.messages.build(t, 1)
			b.partition = partition
			prefix := wire.AppendSendMessages(nil, wire.SendMessages{Stream: wire.IdentNamed(dataStream), Topic: t.ident(), MessagesCount: 1,
				Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: partition.id}})
			p.messages.acknowledged(b, c.call(wire.OpSendMessages, 0, append(prefix, bytes...)))
		}
	}
	got := c.call(wire.OpJoinConsumerGroup, 0, wire.AppendGroupRef(nil, wire.GroupRef{Stream: wire.IdentNamed(dataStream), Topic: wire.IdentNamed([]byte("t0")), Group: group}))
	p.mustWrite(got, "join after the faults")
	c.hangUp()
}

// observe looks for states worth having been in, and wants the memory budget to be kept.
func (p *play) observe() {
	for _, sh := range p.server.Shards {
		s := sh.State
		partitions := &s.Partitions
		for row := range partitions.All {
			p.noteIf(partitions.Segments[row].Len() > 1, "segment rolled")
			p.noteIf(partitions.Phase[row] == components.Faulted, "partition faulted")
			p.noteIf(partitions.TailCold[row], "tail given up")
			p.noteIf(partitions.Late[row], "write late")
			p.noteIf(s.Marks.Len(row) > 1 && partitions.Waiting[row] == 0 && !partitions.Writing(row), "index entries held")
			p.noteIf(sh.Storage.Bulk > 0 && s.Out.Write.Has(row) && partitions.Sealed[row]-partitions.Written[row] > 160<<10, "bulk write waits")
			p.noteIf(partitions.Doubted[row], "removal in doubt")
			p.noteIf(partitions.Phase[row] == components.Purging && partitions.Writing(row), "purged in a write")
		}
		for _, home := range p.server.Shards {
			p.noteIf(s.HotIn(home.Storage.Arena) > 0, "batch left where it was received")
		}
		p.noteIf(s.Polls.Live > 0, "poll from disk")
		p.noteIf(s.Fenced.Len() > 0, "request fenced")
		p.noteIf(s.Sends.Total() > 0, "send in line")
		p.noteIf(sh.Storage.Budget.Refused() > 0, "memory short")
		p.noteIf(sh.Storage.Descriptors.Open >= sh.Storage.Descriptors.Max, "descriptors all in use")
		p.noteIf(sh.Storage.Names.Failed(), "names failed")
		for row := range s.Segments.ID {
			p.noteIf(s.Segments.ID[row] != 0 && s.Segments.Gone[row] && s.Segments.Users[row] > 0, "segment gone in use")
		}
		for slot, kind := range sh.Storage.Inflight.Kind {
			p.noteIf(kind == storage.OpWriteIndex && sh.Storage.Inflight.Span[slot].Len > wire.IndexEntrySize, "index entries together")
		}
		files := &sh.Storage.Segments
		for row := range files.File {
			if files.File[row].SegmentID == 0 {
				continue
			}
			p.noteIf(files.Recycled[row].Number != 0, "file recycled")
			p.noteIf(files.Initialized[row] > 0 && files.Allocated[row] > 0 && files.Initialized[row] < files.Allocated[row], "zeros behind a log")
			p.noteIf(files.IndexDead[row], "index dead")
		}
	}
	partitions := &p.server.Shards[0].State.Catalog.Partitions
	for row := range partitions.All {
		entity := partitions.Entity(row)
		if created, known := p.entities[entity]; known && created != partitions.Created[row] && !p.rotten() {
			p.fail("partition entity %v: got created %x, and %x before: no entity lives twice", entity, partitions.Created[row], created)
		}
		p.entities[entity] = partitions.Created[row]
	}
	budget := p.server.Shards[0].Storage.Budget
	if granted := budget.Granted(); granted > budget.Limit() {
		p.fail("memory: got %d bytes granted, want %d at most", granted, budget.Limit())
	}
}

// account wants all memory that is handed out to have an owner. What is given back to an arena by other shards it takes then, so it is not asked often.
func (p *play) account() {
	if wrong := p.server.Unaccounted(); wrong != "" {
		p.fail("memory: %s", wrong)
	}
}

// checkCatalogs compares the catalogs of shards that have applied the same.
func (p *play) checkCatalogs() {
	texts := map[uint64][]byte{}
	for i, sh := range p.server.Shards {
		catalog := sh.State.Catalog
		text := printed(catalog)
		if other, ok := texts[catalog.Applied]; ok && !bytes.Equal(other, text) {
			p.fail("catalogs differ at sequence %x: shard %d has\n%s", catalog.Applied, i, firstDifference(text, other))
		}
		texts[catalog.Applied] = text
	}
	if len(texts) == 1 && len(p.server.Shards) > 1 {
		p.note("catalogs equal on all shards")
	}
}

func printed(c *components.Catalog) []byte {
	var out bytes.Buffer
	print := components.NewPrinter(&out)
	print.Catalog(c, 1)
	number := uint64(0)
	for e := range c.Events {
		number++
		print.Event(number, e)
	}
	return out.Bytes()
}

// firstDifference is the first line that differs, of both.
func firstDifference(a, b []byte) string {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return string(x[i]) + "\n and another has\n" + string(y[i])
		}
	}
	return "more or fewer lines"
}

// checkHistories looks for an order that explains all answers about metadata. Rot may take the last write of the control log, which nobody can
// tell from one that was torn: it is called before there is any, and not after.
func (p *play) checkHistories() {
	if p.rotten() {
		return
	}
	p.catalog.check(p)
	p.accounts.check(p)
}
