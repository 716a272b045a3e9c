package state

import (
	"bytes"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// createStream decides CreateStream. Statuses: protocol.md, 7.2.
func createStream(s *components.State, a *ask) outcome {
	create, status := wire.DecodeCreateStream(a.body)
	if status != wire.StatusOK {
		return denied(status)
	}
	if !a.may(s, ManageStreams, ecs.None, ecs.None) {
		return rejected(wire.StatusUnauthorized)
	}
	catalog := s.Control.Decided
	if _, taken := catalog.StreamNamed(create.Name); taken {
		return rejected(wire.StatusStreamNameAlreadyExists)
	}
	if catalog.Streams.Free() == 0 {
		return rejected(wire.StatusTooManyStreams)
	}
	return outcome{build: components.BuildStream, event: newEvent(s, wire.Event{Kind: wire.EventStreamCreated,
		Stream: uint64(catalog.Streams.Entities.Take()), StreamID: catalog.NextStreamID(), Name: bytes.Clone(create.Name)})}
}

// deleteStream decides DeleteStream: with one event, unless that would take too long.
func deleteStream(s *components.State, a *ask) outcome {
	row, out := locateStream(s, a)
	if out != (outcome{}) {
		return out
	}
	catalog := s.Control.Decided
	if e := deletionOfStream(catalog, row); e.Kind == wire.EventStreamDeleted {
		return outcome{event: newEvent(s, e)}
	}
	return outcome{series: &components.Series{Stream: catalog.Streams.Entity(row)}}
}

// locateStream decodes a body that names a stream and nothing else, and finds it, if the asker may manage it; out is not zero if that fails.
func locateStream(s *components.State, a *ask) (row int, out outcome) {
	ident, status := wire.DecodeStreamRef(a.body)
	if status != wire.StatusOK {
		return 0, denied(status)
	}
	return a.streamFor(s, ManageStream, ident)
}

// streamFor finds a stream, if the asker may do with it what is to be done; out is not zero if that fails.
func (a *ask) streamFor(s *components.State, action Action, ident wire.Ident) (row int, out outcome) {
	catalog := s.Control.Decided
	row, ok := catalog.FindStream(ident)
	if !ok {
		return 0, rejected(wire.StatusStreamIdNotFound)
	}
	if !a.may(s, action, catalog.Streams.Entity(row), ecs.None) {
		return 0, rejected(wire.StatusUnauthorized)
	}
	return row, outcome{}
}
