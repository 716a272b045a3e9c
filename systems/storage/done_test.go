package storage

import (
	"encoding/binary"
	"syscall"
	"testing"

	"galgo/components"
	"galgo/wire"
)

// idleStorage is a shard's storage that nothing drives, and a view of its State.
func idleStorage(t *testing.T) (components.StateView, *components.Storage) {
	shared := components.NewShared(4 << 20)
	number := shared.Memory.Add(make([]byte, 4<<20), 1<<40)
	arena := components.NewArena(shared.Memory, number, shared.Budget, nil)
	cfg := &components.Config{Shards: 1, Secret: testSecret, Run: 1, ConnectionsMax: 4, ClientsMax: 4}
	facts, orders := components.NewExchange(cfg)
	state, st := components.NewState(cfg, shared, arena, components.NewCatalog(), facts, orders), components.NewStorage(shared, arena, facts, orders, 16)
	st.Log = testLog{t: t}
	return state.View(), st
}

// An operation that did less than it was to do has failed, whatever the kernel calls it.
func TestShortOperationsFail(t *testing.T) {
	for _, test := range []struct {
		name string
		kind components.OpKind
		size int32
		end  func(v components.StateView, st *components.Storage, slot uint32, res int32) (failed bool)
	}{
		{"journal write", OpWriteLog, 8192, func(v components.StateView, st *components.Storage, slot uint32, res int32) bool {
			st.Inflight.Size[slot], st.Writes = 8192, 1
			writeDone(v, st, slot, res)
			return st.Out.Wrote.Pop().Err == syscall.EIO
		}},
		{"read of the last block", OpReadTail, components.UnitSize, func(v components.StateView, st *components.Storage, slot uint32, res int32) bool {
			tailDone(v, st, slot, res)
			tail := st.Out.Tails.Pop()
			st.Arena.Free(tail.Span)
			return tail.Err == syscall.EIO
		}},
		{"entries of the index", OpWriteIndex, 3 * wire.IndexEntrySize, func(v components.StateView, st *components.Storage, slot uint32, res int32) bool {
			st.Indexing = 1
			indexDone(v, st, slot, res)
			return st.Segments.IndexDead[0]
		}},
		{"voucher", OpWriteVoucher, wire.IndexEntrySize, func(v components.StateView, st *components.Storage, slot uint32, res int32) bool {
			st.Vouching.Put(uint64(slot), components.VouchOrder{File: st.Segments.File[0]})
			vouchDone(v, st, slot, res)
			if err := st.Out.Vouched.Pop().Err; err != 0 {
				t.Errorf("voucher: got %v for the partition, want the log synced all the same", err)
			}
			return st.Segments.IndexDead[0]
		}},
	} {
		for _, res := range []int32{test.size, test.size - 1, 0} {
			v, st := idleStorage(t)
			row := st.Segments.Row(wire.SegmentFile{SegmentID: 7})
			st.Segments.Inflight[row] = 1
			slot, _ := take(st, test.kind, uint64(row))
			st.Inflight.Span[slot], _ = st.Alloc(uint32(test.size))
			if got, want := test.end(v, st, slot, res), res < test.size; got != want {
				t.Errorf("%s: got failed %v for %d bytes of %d, want %v", test.name, got, res, test.size, want)
			}
			if st.Arena.InUse() != 0 || st.Inflight.Len() != 0 || st.Segments.Inflight[row] != 0 || st.Writes != 0 || st.Indexing != 0 {
				t.Errorf("%s: got %d bytes, %d slots, %d operations of the segment, %d writes, %d of indexes left, want none", test.name,
					st.Arena.InUse(), st.Inflight.Len(), st.Segments.Inflight[row], st.Writes, st.Indexing)
			}
		}
	}
}

// A log goes into the pool with blocks for all its bytes, and once the directory says durably that it is there.
func TestPoolTakesWhatIsSafe(t *testing.T) {
	const size = 4 << 20
	for _, test := range []struct {
		name   string
		blocks uint64 // of 512 bytes
		failed bool
		want   int
	}{
		{"whole", size / 512, false, 1},
		{"with more blocks", size/512 + 8, false, 1},
		{"with a hole", size/512 - 1, false, 0},
		{"in a directory that was not synced", size / 512, true, 0},
	} {
		_, st := idleStorage(t)
		st.Space.SizeMax = 1 << 30
		r := &st.Pool.Retiring
		memory, _ := st.Alloc(components.UnitSize)
		r.Files = []components.RetiringFile{{Memory: memory}}
		if test.failed {
			st.Names.Fail()
		}
		file := &r.Files[0]
		stat := st.Memory.Bytes(memory.Slice(retireStat, statxSize))
		binary.LittleEndian.PutUint64(stat[statxSizeAt:], size)
		binary.LittleEndian.PutUint64(stat[statxBlocksAt:], test.blocks)
		if file.Size = blocksOf(st, file); st.Pool.Claim(st.Space, file.Size) {
			file.Number = 1
		}
		retired(st)
		if got, held := len(st.Pool.Files), st.Space.SizeMax-st.Space.Room(); got != test.want || held != uint64(test.want)*size {
			t.Errorf("%s: got %d files in the pool and %d bytes claimed, want %d", test.name, got, held, test.want)
		}
	}
}

// A sync of the directory that failed, for whatever purpose, is not made good by a later one that succeeds: it may have given up what the later one finds
// nothing of. So no name counts as durable any more.
func TestFailedSyncOfDirectoryStands(t *testing.T) {
	// Each of them is a sync that returns, and the answer says whether it made anything durable.
	syncs := map[string]func(v components.StateView, st *components.Storage, res int32) bool{
		"for vouchers": func(_ components.StateView, st *components.Storage, res int32) bool {
			slot, _ := take(st, OpSyncNames, 0)
			st.Inflight.Aux[slot], st.Names.Syncing = st.Names.Made, true
			namesDone(st, slot, res)
			return st.Names.Synced == st.Names.Made
		},
		"of a durable partition": func(v components.StateView, st *components.Storage, res int32) bool {
			row := st.Segments.Row(wire.SegmentFile{SegmentID: 7})
			slot, _ := startStep(st, OpSyncDir, row, 0)
			st.Inflight.More[slot] = st.Names.Made
			growDone(v, st, slot, res)
			durable := st.Names.Synced == st.Names.Made
			if grown := st.Out.Grown.Pop(); durable != (grown.Err == 0) {
				t.Errorf("sync of a durable partition: got error %v for the partition, and names durable: %v", grown.Err, durable)
			}
			return durable
		},
		"of a retired log": func(_ components.StateView, st *components.Storage, res int32) bool {
			memory, _ := st.Alloc(components.UnitSize)
			r := &st.Pool.Retiring
			r.Files, r.Last = []components.RetiringFile{{Memory: memory, Number: 1, Size: 4 << 20}}, []components.Unlink{{Partition: 1}}
			st.Pool.Claim(st.Space, 4<<20)
			r.Pending++
			slot, _ := take(st, OpRetire, uint64(retireSyncs))
			retireDone(st, slot, res)
			retired(st)
			durable := len(st.Pool.Files) == 1
			if told := st.Out.Removed.Len() == 1; told != durable || !durable && st.Space.Room() != st.Space.SizeMax {
				t.Errorf("sync of a retired log: got it in the pool: %v, the partition told to be gone: %v, %d bytes of the pool free", durable, told, st.Space.Room())
			}
			return durable
		},
	}
	for first, fails := range syncs {
		for second, succeeds := range syncs {
			for _, res := range []int32{0, -int32(syscall.EIO)} {
				v, st := idleStorage(t)
				st.Space.SizeMax, st.Names.Made = 1<<30, 3
				if got, want := fails(v, st, res), res == 0; got != want {
					t.Fatalf("sync %s: got it durable: %v for %d, want %v", first, got, res, want)
				}
				st.Names.Made++
				st.Pool.Files, st.Pool.Retiring = nil, components.Retiring{}
				for st.Out.Removed.Len() > 0 {
					st.Out.Removed.Pop()
				}
				if got, want := succeeds(v, st, 0), res == 0; got != want {
					t.Errorf("sync %s returned %d, then one %s 0: got durable: %v, want %v", first, res, second, got, want)
				}
			}
		}
	}
}
