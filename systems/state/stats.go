package state

import (
	"fmt"

	"galgo/components"
	"galgo/wire"
)

// beginStats has a worker read what the machine says of itself; the rest is counted when it is back.
func beginStats(s *components.State, row int) {
	if !allowed(s, row, ReadServers, noRow, noRow) {
		answer(s, row, wire.StatusUnauthorized)
		return
	}
	stats, machine := &wire.Stats{}, s.Machine
	s.Conns.Stats[row] = stats
	s.Out.Jobs.Push(components.Job{Kind: components.JobStats, Conn: s.Conns.Entity(row), Run: func() int32 {
		machine(stats)
		return 0
	}})
}

// FinishStats answers GET_STATS. Reads In.Jobs, Catalog, Counters, Gauges. Writes Replies.
func FinishStats(s *components.State) {
	for done := range s.In.JobsOf(components.JobStats) {
		row := s.Conns.MustRow(done.Conn)
		stats := s.Conns.Stats[row]
		s.Conns.Stats[row] = nil
		count(s, stats)
		answerBody(s, row, wire.AppendStats(nil, *stats), wire.StatusOK)
	}
	if left := s.In.Jobs.Front(); left != nil {
		panic(fmt.Sprintf("state: nobody takes a job of kind %d", left.Kind))
	}
}

// count fills in what the server itself knows.
func count(s *components.State, stats *wire.Stats) {
	catalog := s.Catalog
	stats.StreamsCount = uint32(catalog.Streams.Len())
	stats.TopicsCount = uint32(catalog.Topics.Len())
	stats.ConsumerGroupsCount = uint32(catalog.Groups.Len())
	stats.PartitionsCount = uint32(catalog.Partitions.Len())
	for row := range catalog.Partitions.All {
		counts := s.Counters.Of(catalog.Partitions.Entity(row))
		stats.SegmentsCount += counts.Segments
		stats.MessagesCount += counts.Messages()
		stats.MessagesSizeBytes += counts.Size
	}
	stats.ClientsCount = uint32(s.Gauges.Connections.Load())
	stats.ReadBytes, stats.WrittenBytes = s.Gauges.BytesRead.Load(), s.Gauges.BytesWritten.Load()
	stats.ServerVersion, stats.ServerSemver = s.ServerVersion, semver(s.ServerVersion)
}

// semver packs a version of three numbers, or returns 0.
func semver(version string) uint32 {
	var major, minor, patch uint32
	if n, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n != 3 || err != nil {
		return 0
	}
	return wire.PackSemver(major, minor, patch)
}
