package server

import (
	"os"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"

	"galgo/uring"
	"galgo/wire"
)

// machine reads what GET_STATS tells of process and machine. It is run by workers, never by a shard.
type machine struct {
	files   uring.Files
	root    string
	started time.Time
	self    *process.Process // nil where /proc cannot be read: its numbers are then 0
	info    *host.InfoStat
}

func newMachine(files uring.Files, root string) *machine {
	m := &machine{files: files, root: root, started: time.Now(), info: &host.InfoStat{OS: runtime.GOOS}}
	if self, err := process.NewProcess(int32(os.Getpid())); err == nil {
		m.self = self
	}
	if info, err := host.Info(); err == nil {
		m.info = info
	}
	return m
}

// read fills in the machine's part of stats. A number that cannot be read is 0.
func (m *machine) read(stats *wire.Stats) {
	stats.ProcessID = uint32(os.Getpid())
	stats.StartTimeMicros = uint64(m.started.UnixMicro())
	stats.RunTimeMicros = uint64(time.Since(m.started).Microseconds())
	stats.Hostname, stats.OSName, stats.OSVersion, stats.KernelVersion = m.info.Hostname, m.info.OS, m.info.PlatformVersion, m.info.KernelVersion
	if m.self != nil {
		if usage, err := m.self.CPUPercent(); err == nil {
			stats.CPUUsage = float32(usage)
		}
		if memory, err := m.self.MemoryInfo(); err == nil {
			stats.MemoryUsage = memory.RSS
		}
		if threads, err := m.self.NumThreads(); err == nil {
			stats.ThreadsCount = uint32(threads)
		}
	}
	if usage, err := cpu.Percent(0, false); err == nil && len(usage) == 1 {
		stats.TotalCPUUsage = float32(usage[0])
	}
	if memory, err := mem.VirtualMemory(); err == nil {
		stats.TotalMemory, stats.AvailableMemory = memory.Total, memory.Available
	}
	if total, free, err := m.files.StatFS(m.root); err == nil {
		stats.TotalDiskSpace, stats.FreeDiskSpace = total, free
	}
}
