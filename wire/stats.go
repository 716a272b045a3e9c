package wire

import (
	"encoding/binary"
	"math"
)

// Stats answers CodeGetStats. The fields are in wire order; strings are str32. Source: protocol.md, 8.10.
type Stats struct {
	ProcessID           uint32
	CPUUsage            float32 // of the process, percent
	TotalCPUUsage       float32 // of the machine, percent
	MemoryUsage         uint64  // bytes
	TotalMemory         uint64  // bytes
	AvailableMemory     uint64  // bytes
	RunTimeMicros       uint64
	StartTimeMicros     uint64 // since the Unix epoch
	ReadBytes           uint64
	WrittenBytes        uint64
	MessagesSizeBytes   uint64
	StreamsCount        uint32
	TopicsCount         uint32
	PartitionsCount     uint32
	SegmentsCount       uint32
	MessagesCount       uint64
	ClientsCount        uint32
	ConsumerGroupsCount uint32
	Hostname            string
	OSName              string
	OSVersion           string
	KernelVersion       string
	ServerVersion       string
	ServerSemver        uint32 // PackSemver of ServerVersion, 0 when unknown
	// Here a count of cache metrics, always 0.
	ThreadsCount   uint32
	FreeDiskSpace  uint64 // bytes
	TotalDiskSpace uint64 // bytes
}

// PackSemver packs a version as Stats carry it, major·10^6 + minor·10^3 + patch.
func PackSemver(major, minor, patch uint32) uint32 { return major*1_000_000 + minor*1_000 + patch }

// AppendStats appends the encoding of s.
func AppendStats(dst []byte, s Stats) []byte {
	u32, u64 := binary.LittleEndian.AppendUint32, binary.LittleEndian.AppendUint64
	dst = u32(dst, s.ProcessID)
	dst = u32(dst, math.Float32bits(s.CPUUsage))
	dst = u32(dst, math.Float32bits(s.TotalCPUUsage))
	for _, v := range [...]uint64{s.MemoryUsage, s.TotalMemory, s.AvailableMemory, s.RunTimeMicros,
		s.StartTimeMicros, s.ReadBytes, s.WrittenBytes, s.MessagesSizeBytes} {
		dst = u64(dst, v)
	}
	for _, v := range [...]uint32{s.StreamsCount, s.TopicsCount, s.PartitionsCount, s.SegmentsCount} {
		dst = u32(dst, v)
	}
	dst = u64(dst, s.MessagesCount)
	dst = u32(dst, s.ClientsCount)
	dst = u32(dst, s.ConsumerGroupsCount)
	for _, v := range [...]string{s.Hostname, s.OSName, s.OSVersion, s.KernelVersion, s.ServerVersion} {
		dst = appendString32(dst, v)
	}
	dst = u32(dst, s.ServerSemver)
	dst = u32(dst, 0)
	dst = u32(dst, s.ThreadsCount)
	dst = u64(dst, s.FreeDiskSpace)
	return u64(dst, s.TotalDiskSpace)
}

// cacheMetricsSize is the size of one entry of the cache metrics that other servers send.
const cacheMetricsSize = 32

// DecodeStats reads a payload; ErrMalformed when it is not whole. Cache metrics are skipped.
func DecodeStats(payload []byte) (Stats, error) {
	r := bodyReader{src: payload}
	s := Stats{
		ProcessID:           r.u32(),
		CPUUsage:            math.Float32frombits(r.u32()),
		TotalCPUUsage:       math.Float32frombits(r.u32()),
		MemoryUsage:         r.u64(),
		TotalMemory:         r.u64(),
		AvailableMemory:     r.u64(),
		RunTimeMicros:       r.u64(),
		StartTimeMicros:     r.u64(),
		ReadBytes:           r.u64(),
		WrittenBytes:        r.u64(),
		MessagesSizeBytes:   r.u64(),
		StreamsCount:        r.u32(),
		TopicsCount:         r.u32(),
		PartitionsCount:     r.u32(),
		SegmentsCount:       r.u32(),
		MessagesCount:       r.u64(),
		ClientsCount:        r.u32(),
		ConsumerGroupsCount: r.u32(),
		Hostname:            string(r.str32()),
		OSName:              string(r.str32()),
		OSVersion:           string(r.str32()),
		KernelVersion:       string(r.str32()),
		ServerVersion:       string(r.str32()),
		ServerSemver:        r.u32(),
	}
	r.skip(uint64(r.u32()) * cacheMetricsSize)
	s.ThreadsCount, s.FreeDiskSpace, s.TotalDiskSpace = r.u32(), r.u64(), r.u64()
	return s, r.err()
}
