package components

import (
	"cmp"
	"slices"

	"galgo/ecs"
)

// Partitions prints what a shard knows of the partitions it owns, and their segments.
func (p *Printer) Partitions(v StateView) {
	t := &v.s.Partitions
	for _, row := range v.s.partitionsInOrder() {
		p.begin(0)
		p.add("partition %s %v level=%v offsets=[%d,%d) written=%d size=%d", PartitionName(v.s.Catalog, t.Entity(row)), t.Phase[row],
			t.Level[row], t.OffsetFirst[row], t.OffsetNext[row], t.OffsetWritten[row], t.Size[row])
		p.addIf(t.OffsetLevel[row] != t.Level[row], " offsets-level=%v", t.OffsetLevel[row])
		p.addIf(t.Epoch[row] > 0, " epoch=%d", t.Epoch[row])
		p.addIf(t.OffsetNext[row] > 0, " last=%s", moment(t.TimeLast[row]))
		if t.Segments[row].Len() > 0 {
			p.flags(v.s, row)
		}
		if ahead := t.Ahead[row]; ahead != NoRow {
			p.add(" ahead=%s", RunCounter(v.s.Segments.ID[ahead]))
			p.addIf(t.Making[row], "(making)")
		}
		p.addIf(t.InFlight[row] > 0, " in-flight=%d", t.InFlight[row])
		p.addIf(v.s.Sends.Len(row) > 0, " sends=%d", v.s.Sends.Len(row))
		p.addIf(v.s.Acks.Len(row) > 0, " acks=%d", v.s.Acks.Len(row))
		p.end()
		for i := range t.Segments[row].Len() {
			p.segment(v.s, t.Segments[row].At(i))
		}
		for i := range t.Retired[row].Len() {
			p.retired(v.s, t.Retired[row].At(i))
		}
	}
}

// flags prints how far writes, growth and vouchers are.
func (p *Printer) flags(s *State, row int) {
	t := &s.Partitions
	p.addIf(t.Writing(row), " writing=%s[%d,%d)", RunCounter(s.Segments.ID[t.Write[row]]), t.Written[row], t.Sealed[row])
	p.addIf(t.Waiting[row] != 0, " waiting")
	p.addIf(t.Growing[row], " growing=%d", t.GrowTo[row])
	p.addIf(t.Vouched[row], " vouched")
	p.addIf(t.Vouching[row], " vouching")
	p.addIf(t.TailCold[row], " tail-cold")
	p.addIf(t.TailBusy[row], " tail-busy")
}

func (p *Printer) segment(s *State, row uint32) {
	t := &s.Segments
	p.Line(1, "segment %s [%d,%d) end=%d allocated=%d", RunCounter(t.ID[row]), t.Base[row], t.Next[row], t.End[row], t.Allocated[row])
}

func (p *Printer) retired(s *State, row uint32) {
	t := &s.Segments
	p.Line(1, "retired %s [%d,%d) users=%d", RunCounter(t.ID[row]), t.Base[row], t.Next[row], t.Users[row])
}

// Journal prints the part of each log that is in memory, in extents. A range of offsets is that of the records which begin in memory.
func (p *Printer) Journal(v StateView) {
	t, x := &v.s.Partitions, &v.s.Journal.Extents
	for _, row := range v.s.partitionsInOrder() {
		list := &t.Extents[row]
		if list.Len() == 0 {
			continue
		}
		p.begin(0)
		p.add("journal %s", PartitionName(v.s.Catalog, t.Entity(row)))
		if first, ok := v.s.HotFirst(row); ok {
			p.add(" [%d,%d)", first, t.OffsetNext[row])
		}
		p.end()
		for i := range list.Len() {
			e := list.At(i)
			p.begin(1)
			p.add("extent %s bytes=[%d,%d) run=%d", RunCounter(v.s.Segments.ID[x.Segment[e]]), x.File[e], x.end(e), x.Run[e])
			p.addIf(x.FirstPos[e] != NoPosition, " first=%d@%d", x.FirstOffset[e], x.FirstPos[e])
			p.addIf(v.s.handedOver(row, i), " frozen")
			p.addIf(v.s.Journal.Runs.Refs[x.Run[e]] > 0, " sending=%d", v.s.Journal.Runs.Refs[x.Run[e]])
			p.end()
		}
	}
}

// handedOver says whether blocks of extent number i of a partition are covered by a write in flight.
func (s *State) handedOver(row, i int) bool {
	t, x, list := &s.Partitions, &s.Journal.Extents, &s.Partitions.Extents[row]
	e := list.At(i)
	end := x.end(e)
	if i+1 < list.Len() && x.Segment[list.At(i+1)] == x.Segment[e] {
		end = x.File[list.At(i+1)] // the next one holds a copy of this one's last block
	}
	return t.Writing(row) && t.Write[row] == x.Segment[e] && AlignDown(t.Written[row]) < end && x.File[e] < t.Sealed[row]
}

// Offsets prints the stored offsets of a shard's partitions.
func (p *Printer) Offsets(v StateView) {
	type stored struct {
		partition ecs.Entity
		consumer  ConsumerKey
		row       uint32
	}
	var list []stored
	v.s.Offsets.All(func(partition ecs.Entity, consumer ConsumerKey, row uint32) bool {
		list = append(list, stored{partition, consumer, row})
		return true
	})
	created := func(partition ecs.Entity) (uint64, uint32) {
		row := v.s.Partitions.MustRow(partition)
		return v.s.Partitions.Created[row], v.s.Partitions.ID[row]
	}
	slices.SortFunc(list, func(a, b stored) int {
		seqA, idA := created(a.partition)
		seqB, idB := created(b.partition)
		return cmp.Or(cmp.Compare(seqA, seqB), cmp.Compare(idA, idB),
			cmp.Compare(a.consumer.Kind, b.consumer.Kind), cmp.Compare(a.consumer.ID, b.consumer.ID))
	})
	for _, o := range list {
		p.Line(0, "offset %s %s %d: %d order=%s", PartitionName(v.s.Catalog, o.partition), consumerKind(o.consumer.Kind), o.consumer.ID,
			v.s.Offsets.Value[o.row], RunCounter(v.s.Offsets.Order[o.row]))
	}
}
