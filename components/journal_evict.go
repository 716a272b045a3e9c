package components

// elsewhereMax is how much memory of other arenas Evict lets go of in vain, in bytes.
const elsewhereMax = 8 << 20

// Evict gives back journal memory that is written and referred to by no one, partitions that were not polled lately first,
// oldest bytes first, until at least n bytes of this shard's arena are free or nothing can go.
func (s *State) Evict(n uint64) { s.evictIn(s.Arena.slab, n) }

// evictIn is Evict for the arena of any slab. Two rounds spare what was polled, and what is being sent with all that is behind it. Where that is not
// enough two more spare nothing: a client may take its time with a reply, which must not keep more than it refers to.
func (s *State) evictIn(slab uint32, n uint64) {
	j := &s.Journal
	freed, elsewhere := uint64(0), uint64(0)
	for idle := 0; idle <= 4*j.Hot.Len() && j.Hot.Len() > 0; idle++ {
		row, ok := j.Hot.Next(j.cursor)
		if !ok {
			j.cursor = 0
			if row, ok = j.Hot.Next(0); !ok {
				break
			}
		}
		j.cursor = row + 1
		if s.Partitions.Touched[row] {
			s.Partitions.Touched[row] = false
			continue
		}
		if idle > 2*j.Hot.Len() {
			s.forgetSent(row)
		}
		got := s.evictOldest(row)
		if got.Slab == slab {
			freed += uint64(got.Len)
		} else {
			elsewhere += uint64(got.Len)
		}
		if freed >= n || elsewhere >= elsewhereMax {
			return
		}
		if got.Len > 0 {
			idle = 0
		}
	}
}

// evictOldest frees the oldest run of a partition if all in it is written and nobody sends from it, and returns as many bytes as it freed of it.
// Of a run with the partition's last block that block stays, and some room behind it. A run that was reserved and not needed goes first.
func (s *State) evictOldest(row int) (freed Span) {
	p, x, runs := &s.Partitions, &s.Journal.Extents, &s.Journal.Runs
	if spare := p.Spare[row]; spare != NoRow && row+1 != s.Journal.growing {
		freed = runs.Span[spare]
		s.dropSpare(row)
		return freed
	}
	list := &p.Extents[row]
	if list.Len() == 0 {
		return Span{}
	}
	run := x.Run[list.At(0)]
	n := s.oldestWritten(row)
	if runs.Refs[run] > 0 || n == 0 {
		return Span{}
	}
	span, kept := runs.Span[run], uint32(0)
	if n == list.Len() && p.Phase[row] != Faulted { // else nothing will be appended behind the last block
		tail, ok := s.tailExtent(row)
		switch {
		case span.Len <= runSize:
			if row+1 == s.Journal.growing || !s.releaseTail(row) {
				return Span{}
			}
		case ok && x.end(tail)%UnitSize > 0:
			n--
			s.keepTail(row, tail)
			kept = runs.Span[run].Len
		}
	}
	for range n {
		s.popExtent(row)
	}
	s.Journal.Evicted++
	return span.Slice(0, span.Len-min(span.Len, kept))
}

// oldestWritten is how many extents of a partition lie in its oldest run, or none if not all of them are written. What is abandoned need not be.
func (s *State) oldestWritten(row int) (n int) {
	x, list := &s.Journal.Extents, &s.Partitions.Extents[row]
	abandoned := s.Partitions.Abandoned(row)
	for n < list.Len() && x.Run[list.At(n)] == x.Run[list.At(0)] {
		if !abandoned && !s.written(row, list.At(n)) {
			return 0
		}
		n++
	}
	return n
}

// forgetSent takes the oldest runs of a partition out of the journal that replies are being sent from, but for the one with the log's end.
func (s *State) forgetSent(row int) {
	x, runs, list := &s.Journal.Extents, &s.Journal.Runs, &s.Partitions.Extents[row]
	for list.Len() > 0 && runs.Refs[x.Run[list.At(0)]] > 0 {
		n := s.oldestWritten(row)
		if n == 0 || n == list.Len() {
			return
		}
		for range n {
			s.popExtent(row)
		}
		s.Journal.Evicted++
	}
}

// popExtent takes the oldest extent of a partition out of the journal. Its run is freed with the last one in it, or with the last reply that is
// being sent from it.
func (s *State) popExtent(row int) {
	x, runs, list := &s.Journal.Extents, &s.Journal.Runs, &s.Partitions.Extents[row]
	e := list.Pop()
	x.slots.Put(e)
	run := x.Run[e]
	if runs.Extents[run]--; runs.Extents[run] == 0 && runs.Refs[run] == 0 {
		s.freeRun(run)
	}
	if list.Len() == 0 {
		s.Journal.Hot.Clear(row)
	}
}

// keepTail frees a run but for the last block of the log, in which the extent ends: that moves to a small piece of memory or, if there is none,
// stays with what lies behind it, up to runSize.
func (s *State) keepTail(row int, tail uint32) {
	x, runs := &s.Journal.Extents, &s.Journal.Runs
	run, skip := x.Run[tail], AlignDown(x.Len[tail])
	x.Mem[tail] += skip
	x.File[tail] += skip
	x.Len[tail] -= skip
	if x.FirstPos[tail] != NoPosition && x.FirstPos[tail] < x.File[tail] {
		x.FirstPos[tail], x.FirstOffset[tail] = NoPosition, s.Partitions.OffsetNext[row]
	}
	span := runs.Span[run]
	if small, ok := s.Arena.Alloc(runSize); ok {
		copy(s.Memory.Bytes(small), s.extentBytes(tail))
		runs.Span[run], x.Mem[tail] = small, small.Off
		s.freeUnits(span.Slab, unitsOf(span))
		return
	}
	room := s.extentRoom(tail)
	runs.Span[run] = room.Slice(0, min(runSize, room.Len))
	before, behind := unitsOf(span).around(unitsOf(runs.Span[run]))
	s.freeUnits(span.Slab, behind)
	s.freeUnits(span.Slab, before)
}

// written says whether all bytes of an extent are in the file, and none of its blocks is needed for a write.
func (s *State) written(row int, extent uint32) bool {
	p, x := &s.Partitions, &s.Journal.Extents
	if x.Segment[extent] != p.Write[row] {
		return s.Segments.Base[x.Segment[extent]] < s.Segments.Base[p.Write[row]]
	}
	if p.Writing(row) { // it begins with the block in which the last one ended
		return x.end(extent) <= AlignDown(p.Written[row])
	}
	return x.end(extent) <= p.Written[row]
}

// releaseTail lets go of the partly filled last block of an idle partition: everything is written and vouched for, so the
// next append can read the block back and check it.
func (s *State) releaseTail(row int) bool {
	p := &s.Partitions
	if !p.Vouched[row] || p.Waiting[row] != 0 || p.Vouching[row] || p.Phase[row] != Ready {
		return false
	}
	tail, ok := s.tailExtent(row)
	if ok {
		end := s.Journal.Extents.end(tail)
		if end%UnitSize != 0 {
			p.TailHash[row] = s.Hash(s.Memory.Bytes(s.extentSpan(tail, AlignDown(end), end)))
			p.TailCold[row] = true
		}
	}
	return true
}

// dropSpare frees what is reserved for the next append.
func (s *State) dropSpare(row int) {
	if spare := &s.Partitions.Spare[row]; *spare != NoRow {
		s.freeRun(*spare)
		*spare = NoRow
	}
}

// releaseRun takes back a reference of a reply that was being sent from a run. The piece of the log that it was may be gone.
func (s *State) releaseRun(run uint32) {
	runs := &s.Journal.Runs
	if runs.Refs[run]--; runs.Refs[run] == 0 && runs.Extents[run] == 0 {
		s.freeRun(run)
	}
}

func (s *State) freeRun(run uint32) {
	runs := &s.Journal.Runs
	s.freeUnits(runs.Span[run].Slab, unitsOf(runs.Span[run]))
	runs.Extents[run], runs.Span[run] = 0, Span{}
	runs.slots.Put(run)
}

// freeUnits frees memory of this shard's arena, or gives it back to that of the frame that it was.
func (s *State) freeUnits(slab uint32, u units) {
	if slab == s.Arena.slab {
		s.Arena.free(u)
	} else {
		s.Memory.returnUnits(slab, u)
	}
}

// HotIn is how many bytes of an arena the journal holds.
func (s *State) HotIn(a *Arena) (bytes uint64) {
	for _, span := range s.Journal.Runs.Span {
		if span.Slab == a.slab {
			bytes += uint64(span.Len)
		}
	}
	return bytes
}

// ForgetExtents takes the extents at the beginning of a partition's list out of the journal while they are of segments that are gone.
func (s *State) ForgetExtents(row int) {
	list := &s.Partitions.Extents[row]
	for list.Len() > 0 && s.Segments.Gone[s.Journal.Extents.Segment[list.At(0)]] {
		s.popExtent(row)
		s.Journal.Evicted++
	}
	if list.Len() == 0 {
		s.dropSpare(row)
	}
}

// DropJournal forgets all journal memory of a partition whose files go. It returns false while a reply is being sent from it or a write is in
// flight.
func (s *State) DropJournal(row int) bool {
	p, x, runs := &s.Partitions, &s.Journal.Extents, &s.Journal.Runs
	list := &p.Extents[row]
	if p.Writing(row) {
		return false
	}
	for i := range list.Len() {
		if runs.Refs[x.Run[list.At(i)]] > 0 {
			return false
		}
	}
	for list.Len() > 0 {
		s.popExtent(row)
	}
	s.dropSpare(row)
	s.Unsealed.Clear(row)
	return true
}
