package ecs

import "testing"

func TestEntityParts(t *testing.T) {
	e := MakeEntity(12, 3)
	if e != Entity(3<<32|12) {
		t.Errorf("got %#x, want %#x", uint64(e), uint64(3<<32|12))
	}
	if e.Index() != 12 || e.Generation() != 3 {
		t.Errorf("got index %d generation %d, want 12 and 3", e.Index(), e.Generation())
	}
}

func TestEntityString(t *testing.T) {
	for e, want := range map[Entity]string{
		None:                               "none",
		MakeEntity(0, 1):                   "0v1",
		MakeEntity(12, 3):                  "12v3",
		MakeEntity(4294967295, 4294967295): "4294967295v4294967295",
	} {
		if got := e.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestGenerationSkipsZeroWhenItWraps(t *testing.T) {
	if got := generationAfter(4294967295); got != 1 {
		t.Errorf("got generation %d, want 1", got)
	}
}
