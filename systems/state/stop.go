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
		switch {
		case s.Conns.Plugin[row] != 0 && s.Conns.Step[row] == components.Idle:
			dismiss(s, row)
		case s.Conns.Plugin[row] != 0: // with its answer
		case s.Conns.Step[row] == components.Idle:
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
		if s.Partitions.Ahead[row] != components.NoRow && !s.Partitions.Making[row] && s.Sends.Len(row) == 0 {
			dropAhead(s, row)
		}
	}
}

// Undone names something that a stopping shard has left to do, for itself or for others; "" is nothing.
func Undone(s *components.State) string {
	switch {
	case !s.Stopping:
		return "not stopping"
	case s.Conns.Len() > 0:
		return "connections"
	case s.Sends.Total() > 0:
		return "sends that wait for room"
	case s.Acks.Total() > 0:
		return "sends that wait for their level"
	case s.Polls.Live+len(s.Polls.Aheads)+s.Polling.Len() > 0:
		return "polls"
	case s.Unsealed.Len() > 0:
		return "messages to be written"
	case s.Unvouched.Len() > 0:
		return "logs without a voucher"
	case len(s.OffsetsPending) > 0 || s.OffsetsBusy:
		return "offsets to be written"
	case s.Requests.Len()+s.Asks.Len()+s.Fenced.Len() > 0:
		return "requests"
	case s.Cuts.Len()+s.Purged.Len()+s.Retiring.Len() > 0:
		return "removals"
	case s.Control != nil && s.Control.Pending.Len()+len(s.Control.Removed)+len(s.Control.Series)+len(s.Control.Proposals) > 0:
		return "changes of metadata"
	case s.In.Removed.Len() > 0 || s.Out.Reports.News || s.Out.Reports.Applied > 0:
		return "reports"
	}
	return ""
}

// Lost names what was acknowledged at LevelMemory and ends with the shard, because its storage has failed; "" is nothing.
func Lost(s *components.State) string {
	p := &s.Partitions
	for row := range p.All {
		if p.Phase[row] == components.Faulted && p.Visible(row) > p.OffsetWritten[row] {
			return "messages of a partition that is faulted"
		}
	}
	if s.OffsetsFailed {
		return "offsets of consumers since their log failed"
	}
	return ""
}
