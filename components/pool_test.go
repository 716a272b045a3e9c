package components

import "testing"

// A roll gets the largest file that does not exceed its limit, and the sums say what is there.
func TestPoolTakesTheLargestThatFits(t *testing.T) {
	space, p := &Space{SizeMax: 20 << 20}, &Pool{}
	for i, size := range []uint64{4 << 20, 1 << 20, 8 << 20, 2 << 20, 4 << 20} {
		if !p.Claim(space, size) {
			t.Fatalf("file of %d bytes: got no room, want some", size)
		}
		p.Add(space, PoolFile{Number: uint64(i + 1), Size: size})
	}
	if p.Claim(space, 2<<20) || p.Claim(space, PoolFileMin-1) || space.Room() != 1<<20 || space.Pooled.Load() != 19<<20 {
		t.Errorf("got room for more than %d bytes, or for one that is too small; %d pooled, want neither and %d", space.Room(), space.Pooled.Load(), 19<<20)
	}
	for _, want := range []struct{ max, size uint64 }{{5 << 20, 4 << 20}, {4 << 20, 4 << 20}, {4 << 20, 2 << 20}, {1 << 20, 1 << 20}, {7 << 20, 0}, {1 << 30, 8 << 20}, {1 << 30, 0}} {
		if got, ok := p.Take(space, want.max); got.Size != want.size || ok != (want.size > 0) {
			t.Errorf("at most %d bytes: got %d %v, want %d", want.max, got.Size, ok, want.size)
		}
	}
	if space.Room() != space.SizeMax || space.Pooled.Load() != 0 || space.Files.Load() != 0 {
		t.Errorf("at the end: got room for %d, %d bytes in %d files, want all of it and none", space.Room(), space.Pooled.Load(), space.Files.Load())
	}
}

// What one shard takes of the disk is not there for another, whatever that one saw last; and what is still to grow is not free because nobody sees it yet.
func TestShardsShareTheDisk(t *testing.T) {
	space := &Space{}
	one, two := &Disk{Reserve: 10, Free: 100}, &Disk{Reserve: 10, Free: 100}
	if !space.Take(one, 60) || space.Take(two, 31) || !space.Take(two, 30) || space.Take(one, 1) {
		t.Fatalf("got %d and %d left, want 10 for both, which is the reserve", space.Left(one), space.Left(two))
	}
	space.Grew(60)
	one.Grown, one.Free = space.Grown(), 40 // the growth of 30 is still under way
	if got := space.Left(one); got != 10 {
		t.Errorf("after a look: got %d left, want 10", got)
	}
	space.Grew(30)
	one.Grown, one.Free = space.Grown(), 70 // somebody gave 60 back
	if got, stale := space.Left(one), space.Left(two); got != 70 || stale != 10 {
		t.Errorf("after another look: got %d left, and %d for who did not look, want 70 and 10", got, stale)
	}
}
