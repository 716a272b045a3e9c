package state

import (
	"galgo/components"
	"galgo/wire"
)

const (
	// waitMicros is how long a request waits for room, a fence or the disk before it is refused: SDKs give up after 30 s.
	waitMicros = 20_000_000
)

// TakeRequests gives each request to the partition it is for: sends into the partition's line, offset writes and polls to their systems.
// A request that is ahead of the events applied here waits for them.
// Reads Requests, Fenced. Writes Sends, Polling, Offsets, Replies.
func TakeRequests(s *components.State) {
	for range s.Fenced.Len() {
		takeRequest(s, s.Fenced.Pop())
	}
	for s.Requests.Len() > 0 {
		takeRequest(s, s.Requests.Pop())
	}
}

func takeRequest(s *components.State, r components.Request) {
	if r.Fence > s.Catalog.Applied {
		if s.Waited(r.Since) >= waitMicros {
			s.Refuse(&r, late(r.Kind))
			return
		}
		s.Fenced.Push(r)
		return
	}
	row, ok := s.Partitions.Row(r.Partition)
	if !ok || s.Partitions.Phase[row] == components.Deleting {
		s.Refuse(&r, missing(r.Kind))
		return
	}
	switch r.Kind {
	case components.RequestSend:
		if !s.Sends.Push(row, r) {
			panic("state: more sends wait than there are connections")
		}
	case components.RequestPoll:
		s.Polling.Push(r)
	case components.RequestStoreOffset:
		storeOffset(s, row, &r)
	case components.RequestDeleteOffset:
		deleteOffset(s, row, &r)
	case components.RequestGetOffset:
		getOffset(s, row, &r)
	case components.RequestTruncate:
		truncate(s, row, &r)
	case components.RequestPropose:
		propose(s, row, &r)
	default:
		panic("state: a partition's owner got a request for shard 0")
	}
}

// late is the status for a request that has waited too long, of which nothing has happened.
func late(kind components.RequestKind) wire.Status {
	switch kind {
	case components.RequestSend:
		return wire.StatusCannotAppendMessage
	case components.RequestPoll, components.RequestGetOffset:
		return wire.StatusCannotReadMessage
	}
	return wire.StatusCannotWriteToFile
}

// missing is the status for a partition that is gone.
func missing(kind components.RequestKind) wire.Status {
	if kind == components.RequestSend {
		return wire.StatusResourceNotFound
	}
	return wire.StatusPartitionNotFound
}
