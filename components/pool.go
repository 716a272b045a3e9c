package components

import (
	"slices"
	"sync/atomic"

	"galgo/wire"
)

// PoolFileMin is the size of the smallest file that a pool keeps, in bytes: smaller ones are made as fast as they are taken out of it.
const PoolFileMin = 1 << 20

// poolFilesMax is how many files a shard's pool keeps at most.
const poolFilesMax = 1024

// Pool is the Storage component of logs that nobody needs any more and that are kept with their blocks, to become logs again: a write into
// blocks that were written before does not wait for the filesystem to convert them. Each shard has a pool of its own; a start deals the files out
// anew. What is in them is of no meaning.
//
// Invariant: the name of a file in Files is durable, or the file was never a log. So whatever is written over its beginning cannot come back
// under the name that it had.
type Pool struct {
	Files    []PoolFile // ready to be taken, the smallest first
	Retiring Retiring
	Filling  Filling
	Missing  uint64 // bytes that rolls found no file for
	Want     uint64 // bytes of the file that the last one of them would have taken
	BusyAt   uint64 // mono µs at which the disk had something else to do
	number   uint64 // counter of the names given in this run
	seen     uint64 // Space.Short when the pool last gave way
}

// PoolFile is a file of the pool. Its number names it.
type PoolFile struct{ Number, Size uint64 }

// Space is what the pools of all shards have in common, and their files: they grow on one disk.
type Space struct {
	SizeMax uint64        // bytes that their files may have together; 0: there is no pool. It is set before the first tick
	claimed atomic.Uint64 // bytes of the files that are in a pool, or about to be
	Pooled  atomic.Uint64 // bytes of those that are ready to be taken
	Files   atomic.Int64  // how many these are
	short   atomic.Uint64 // how often somebody found no room on the disk
	taken   atomic.Uint64 // bytes by which files were let grow since the start
	grown   atomic.Uint64 // bytes of them whose growth has returned, well or not
}

// Left is how much of the disk is free, as far as a shard knows: what it found, less all that any shard has taken and that may not have been to be seen
// then.
func (s *Space) Left(k *Disk) uint64 { return k.left(s.taken.Load()) }

func (k *Disk) left(taken uint64) uint64 {
	return k.Free - min(k.Free, taken-min(taken, k.Grown))
}

// Take lets a file grow by n bytes, unless that touches the reserve. Grew follows when the growth has returned.
func (s *Space) Take(k *Disk, n uint64) bool {
	for {
		taken := s.taken.Load()
		if k.left(taken) < k.Reserve+n {
			return false
		}
		if s.taken.CompareAndSwap(taken, taken+n) {
			return true
		}
	}
}

// Full says that n bytes touch the reserve even if all that anybody had taken when a shard looked was gone from what it found: Take counts what was
// growing then as still to come.
func (s *Space) Full(k *Disk, n uint64) bool {
	return k.Free-min(k.Free, s.taken.Load()-k.Taken) < k.Reserve+n
}

// Taken is how much anybody has taken until now.
func (s *Space) Taken() uint64 { return s.taken.Load() }

// Grew says that a growth of n bytes has returned: how much is free can be seen.
func (s *Space) Grew(n uint64) { s.grown.Add(n) }

// Grown is how much that was, before how much is free is looked up.
func (s *Space) Grown() uint64 { return s.grown.Load() }

// Shorten asks every pool to give a file back to the filesystem.
func (s *Space) Shorten() { s.short.Add(1) }

// Short is how often that was.
func (s *Space) Short() uint64 { return s.short.Load() }

// Name is a number that no file of the pool has.
func (p *Pool) Name(cfg *Config) uint64 {
	p.number++
	return cfg.Number(p.number)
}

// Claim makes room for one more file of so many bytes, and says whether there is.
func (p *Pool) Claim(space *Space, size uint64) bool {
	return size >= PoolFileMin && len(p.Files) < poolFilesMax && addWithin(&space.claimed, size, space.SizeMax)
}

// Unclaim gives back what was claimed for a file.
func (s *Space) Unclaim(size uint64) { s.claimed.Add(^(size - 1)) }

// Room is how many bytes can still be claimed.
func (s *Space) Room() uint64 { return s.SizeMax - min(s.SizeMax, s.claimed.Load()) }

// Add makes a file ready to be taken. There is a claim for it.
func (p *Pool) Add(space *Space, file PoolFile) {
	at, _ := slices.BinarySearchFunc(p.Files, file.Size, func(f PoolFile, size uint64) int {
		if f.Size < size {
			return -1
		}
		return 1
	})
	p.Files = slices.Insert(p.Files, at, file)
	space.Pooled.Add(file.Size)
	space.Files.Add(1)
}

// Take takes the largest file that does not exceed max.
func (p *Pool) Take(space *Space, max uint64) (PoolFile, bool) {
	at := len(p.Files) - 1
	for at >= 0 && p.Files[at].Size > max {
		at--
	}
	if at < 0 {
		return PoolFile{}, false
	}
	file := p.Drop(at)
	p.Dropped(space, file)
	return file, true
}

// Drop takes number i off the list; Dropped, once its blocks are somebody else's, off the sums.
func (p *Pool) Drop(i int) PoolFile {
	file := p.Files[i]
	p.Files = slices.Delete(p.Files, i, i+1)
	return file
}

// Dropped is the second half of Drop.
func (p *Pool) Dropped(space *Space, file PoolFile) {
	space.Unclaim(file.Size)
	space.Pooled.Add(^(file.Size - 1))
	space.Files.Add(-1)
}

// GivesWay says whether somebody found no room on the disk since it was last asked.
func (p *Pool) GivesWay(space *Space) bool {
	if short := space.Short(); short != p.seen {
		p.seen = short
		return true
	}
	return false
}

// Retiring is a round of files that go into the pool, or away.
type Retiring struct {
	Step    RetireStep
	Files   []RetiringFile
	Last    []Unlink // partitions that have no file left after this round
	Pending int      // operations in flight
}

// RetireStep is how far a round is.
type RetireStep uint8

const (
	RetireIdle    RetireStep = iota
	RetireMeasure            // how many bytes the logs have is being found out
	RetireMove               // logs are renamed or unlinked, indexes unlinked
	RetireSync               // the directory is being synced: after that no name comes back
)

// RetiringFile is a segment that goes.
type RetiringFile struct {
	Unlink
	Memory Span   // for names, and for what is found out of the log
	Number uint64 // in the pool, or 0: the log is unlinked
	Size   uint64 // bytes
}

// Filling is a file that is being made for the pool.
type Filling struct {
	Step FillStep
	File PoolFile
	FD   int32
	At   uint64 // bytes of it that are written
	Busy bool   // an operation is in flight
}

// FillStep is what is to be done next for it.
type FillStep uint8

const (
	FillIdle FillStep = iota
	FillOpen
	FillAllocate
	FillWrite
	FillSync
	FillClose
	FillRemove // it cannot be made: what there is of it goes
)

// PooledName is the name of a file of the pool.
func PooledName(file PoolFile) string { return string(wire.AppendPoolName(nil, file.Number)) }
