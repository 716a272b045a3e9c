package client_test

import (
	"errors"
	"slices"
	"testing"

	"galgo/wire"
)

func TestSyncGroup(t *testing.T) {
	ref := wire.GroupRef{Stream: wire.IdentOf(1), Topic: wire.IdentOf(2), Group: wire.IdentNamed([]byte("g"))}
	body := wire.AppendAssignment(nil, wire.Assignment{Generation: 4, Partitions: []uint32{1, 3}})
	if got, member, err := dial(t, answering(body)).SyncGroup(ref); err != nil || !member || got.Generation != 4 || !slices.Equal(got.Partitions, []uint32{1, 3}) {
		t.Errorf("member: got %+v, %v, %v", got, member, err)
	}
	if _, member, err := dial(t, answering(nil)).SyncGroup(ref); err != nil || member {
		t.Errorf("stranger: got member %v, %v", member, err)
	}
	if _, _, err := dial(t, answering(body[:9])).SyncGroup(ref); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("short body: got %v, want %v", err, wire.ErrMalformed)
	}
}
