package server

import (
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"

	"galgo/uring"
	"galgo/wire"
)

// usageAge is how old a CPU usage may be that is shown again: over a shorter time it would be noise.
const usageAge = 250 * time.Millisecond

// machine reads what GET_STATS tells of process and machine. It is run by workers, never by a shard, and by one at a time: the library keeps
// what it read last.
type machine struct {
	uring   uring.Host
	root    string
	started time.Time
	info    *host.InfoStat

	mu      sync.Mutex
	self    *process.Process // nil where /proc cannot be read: its numbers are then 0
	sampled time.Time        // when the usages were taken: they are those since the time before
	usage   float32          // of one core by the process, in %
	total   float32          // of all cores by everybody, in %
}

func newMachine(behind uring.Host, root string) *machine {
	m := &machine{uring: behind, root: root, started: time.Now(), info: &host.InfoStat{OS: runtime.GOOS}}
	if self, err := process.NewProcess(int32(os.Getpid())); err == nil {
		m.self = self
	}
	if info, err := host.Info(); err == nil {
		m.info = info
	}
	m.sample(m.started) // from here on usage is counted
	return m
}

// sample takes the usages since the last time.
func (m *machine) sample(now time.Time) {
	if now.Sub(m.sampled) < usageAge {
		return
	}
	m.sampled = now
	if m.self != nil {
		if usage, err := m.self.Percent(0); err == nil {
			m.usage = float32(usage)
		}
	}
	if usage, err := cpu.Percent(0, false); err == nil && len(usage) == 1 {
		m.total = float32(usage[0])
	}
}

// read fills in the machine's part of stats. A number that cannot be read is 0.
func (m *machine) read(stats *wire.Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.sample(now)
	stats.CPUUsage, stats.TotalCPUUsage = m.usage, m.total
	stats.ProcessID = uint32(os.Getpid())
	stats.StartTimeMicros = uint64(m.started.UnixMicro())
	stats.RunTimeMicros = uint64(now.Sub(m.started).Microseconds())
	stats.Hostname, stats.OSName, stats.OSVersion = m.info.Hostname, m.info.Platform, m.info.PlatformVersion
	if stats.OSName == "" {
		stats.OSName = m.info.OS // no distribution says its name
	}
	stats.KernelVersion = m.info.KernelVersion + " (" + m.uring.Name() + ")" // what stands behind the rings, which is nowhere else to be seen
	if m.self != nil {
		if memory, err := m.self.MemoryInfo(); err == nil {
			stats.MemoryUsage = memory.RSS
		}
		if threads, err := m.self.NumThreads(); err == nil {
			stats.ThreadsCount = uint32(threads)
		}
	}
	if memory, err := mem.VirtualMemory(); err == nil {
		stats.TotalMemory, stats.AvailableMemory = memory.Total, memory.Available
	}
	if total, free, err := m.uring.Files().StatFS(m.root); err == nil {
		stats.TotalDiskSpace, stats.FreeDiskSpace = total, free
	}
}
