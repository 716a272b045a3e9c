package state

import (
	"bytes"

	"galgo/components"
	"galgo/wire"
)

// beginSnapshot has a worker collect a system snapshot. Statuses: protocol.md, 7.1.
func beginSnapshot(s *components.State, row int) {
	want, status := wire.DecodeGetSnapshot(body(s, row))
	if status != wire.StatusOK {
		answer(s, row, status)
		return
	}
	if !allowed(s, row, ReadServers, noRow, noRow) {
		answer(s, row, wire.StatusUnauthorized)
		return
	}
	want.Types = bytes.Clone(want.Types) // they lie in the frame
	parcel, collect, sizeMax := &components.Parcel{}, s.Collect, int(min(s.FrameMax, wire.FrameSizeMax)-wire.FrameHeaderSize)
	s.Conns.Parcel[row] = parcel
	s.Out.Jobs.Push(components.Job{Kind: components.JobCollect, Conn: s.Conns.Entity(row), Run: func() int32 {
		parcel.File, parcel.Err = collect(want, sizeMax)
		return 0
	}})
}

// FinishSnapshots answers GET_SNAPSHOT. Reads In.Jobs, of which it takes those of kind JobCollect. Writes Conns.Parcel, Replies.
func FinishSnapshots(s *components.State) {
	for done := range s.In.JobsOf(components.JobCollect) {
		row := s.Conns.MustRow(done.Conn)
		parcel := s.Conns.Parcel[row]
		s.Conns.Parcel[row] = nil
		if parcel.Err != nil {
			s.Log.Log(components.LogWarn, "no system snapshot", components.Str("why", parcel.Err.Error()))
			answer(s, row, wire.StatusSnapshotFileCompletionFailed)
			continue
		}
		answerOwn(s, row, parcel.File)
	}
}
