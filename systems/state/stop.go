package state

import "galgo/components"

// Stop begins the end of the shard's life: idle connections are closed, busy ones after their answer. What is journaled is written,
// synced and vouched for by the systems that always do so, without waiting for more.
func Stop(s *components.State) {
	if s.Stopping {
		return
	}
	s.Stopping = true
	for row := range s.Conns.All {
		switch s.Conns.Step[row] {
		case components.Idle:
			s.Stopped = append(s.Stopped, s.Conns.Entity(row))
		default:
			s.Conns.Ending[row] = true
		}
	}
	for _, conn := range s.Stopped {
		if row, ok := s.Conns.Row(conn); ok {
			breakConn(s, row)
		}
	}
	for row := range s.Partitions.All {
		if s.Partitions.Waiting[row] != 0 {
			s.Unsealed.Set(row)
		}
	}
}

// Drained says whether a stopping shard has nothing left to do, for itself or for others.
func Drained(s *components.State) bool {
	return s.Stopping && s.Conns.Len() == 0 && s.Sends.Total() == 0 && s.Acks.Total() == 0 && s.Polls.Live == 0 &&
		s.Unsealed.Len() == 0 && s.Unvouched.Len() == 0 && len(s.OffsetsPending) == 0 && !s.OffsetsBusy &&
		s.Requests.Len()+s.Asks.Len()+s.Fenced.Len()+s.Polling.Len() == 0 &&
		(s.Control == nil || s.Control.Pending.Len() == 0)
}
