package acceptance

import (
	"bytes"
	"fmt"

	"galgo/wire"
	"galgo/wire/client"
)

const stormStream = "storm"

// storm makes the offset log and the control log grow until they are written anew: many keepers store offsets of one message, and large
// permissions are given to one user.
type storm struct {
	made     bool
	keepers  []offsetKeeper
	promised bool   // what has the default level was kept by the last round
	version  uint32 // of the user's permissions; 0 is none
	asked    uint32 // the version of the last request
}

func newStorm() *storm {
	s := &storm{keepers: make([]offsetKeeper, 48)}
	for i := range s.keepers {
		s.keepers[i].key = wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(uint32(i + 1))},
			Stream: named(stormStream), Topic: named(stormStream), Partition: wire.OptionalPartition{Present: true}}
	}
	return s
}

// run changes the user's permissions without end.
func (s *storm) run(c *client.Client) error {
	for {
		s.asked++
		if err := c.UpdatePermissions(named(stormStream), stormPermissions(s.asked)); err != nil {
			return err
		}
		s.version = s.asked
	}
}

// stormPermissions are about half a mebibyte.
func stormPermissions(version uint32) []byte {
	var p wire.Permissions
	for i := range uint32(40_000) {
		p.Streams = append(p.Streams, wire.StreamPermissions{StreamID: version*100_000 + i, Grants: wire.StreamReadStream})
	}
	return wire.AppendPermissions(nil, p)
}

// flood stores offsets 0 and 1 in turn.
func (k *offsetKeeper) flood(c *client.Client) error {
	for offset := uint64(0); ; offset = 1 - offset {
		if err := k.store(c, offset); err != nil {
			return err
		}
	}
}

// check makes topic and user at the first time, and afterwards compares them with what was promised.
func (s *storm) check(c *client.Client) error {
	if !s.made {
		s.made = true
		if _, err := c.CreateTopic(wire.CreateTopic{Stream: named(stormStream), PartitionsCount: 1, Name: []byte(stormStream), Options: option("durability", "persisted")}); err != nil {
			return err
		}
		var batch wire.BatchBuilder
		batch.Reset(1)
		batch.Add(wire.U128{Lo: 1}, 0, payload(1), nil)
		batch.Add(wire.U128{Lo: 2}, 0, payload(2), nil)
		if _, err := c.Send(named(stormStream), named(stormStream), wire.Partitioning{Kind: wire.PartitionNumbered}, batch.Bytes()); err != nil {
			return err
		}
		_, err := c.CreateUser(wire.CreateUser{Username: []byte(stormStream), Password: []byte("password"), Status: wire.UserActive})
		return err
	}
	if numbers, err := readNumbers(c, named(stormStream), named(stormStream), 0); err != nil || len(numbers) != 2 {
		return fmt.Errorf("topic %q: got %d messages and %v, want 2", stormStream, len(numbers), err)
	}
	for i := range s.keepers {
		if err := s.keepers[i].check(c, s.promised, 2); err != nil {
			return fmt.Errorf("keeper %d: %w", i, err)
		}
	}
	user, found, err := c.User(named(stormStream))
	if err != nil || !found {
		return fmt.Errorf("user %q: got %v, %v", stormStream, found, err)
	}
	for _, version := range []uint32{s.version, s.asked} {
		if version == 0 && user.Permissions == nil || version > 0 && bytes.Equal(user.Permissions, stormPermissions(version)) {
			s.version, s.asked = version, version
			return nil
		}
	}
	return fmt.Errorf("user %q: got %d bytes of permissions, want those of version %d or %d", stormStream, len(user.Permissions), s.version, s.asked)
}
