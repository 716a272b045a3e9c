package snapshot

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/process"

	"galgo/wire"
)

const (
	// linesMax is how many files, or processes, a section lists.
	linesMax = 50_000
	// logBytesMax is how much of the end of the log a section holds: what the slowest compressor packs in a few seconds.
	logBytesMax = 8 << 20
)

// read is the text of a section. What cannot be read is said in its place: a sick machine is what the file is for.
func (c *Collector) read(section wire.SnapshotType) []byte {
	var out bytes.Buffer
	var err error
	switch section {
	case wire.SnapshotFilesystemOverview:
		err = c.filesystem(&out)
	case wire.SnapshotProcessList:
		err = processes(&out)
	case wire.SnapshotResourceUsage:
		err = c.resources(&out)
	case wire.SnapshotTest:
		out.WriteString("test\n") // what clients look for to know that snapshots work
	case wire.SnapshotServerLogs:
		err = c.logs(&out)
	case wire.SnapshotServerConfig:
		err = c.Config(&out)
	default:
		panic(fmt.Sprintf("snapshot: no section has number %d", section))
	}
	if err != nil {
		fmt.Fprintf(&out, "\ncould not be read: %v\n", err)
	}
	return out.Bytes()
}

// filesystem lists the files of the data directory, and how full the file system is.
func (c *Collector) filesystem(out io.Writer) error {
	if usage, err := disk.Usage(c.Data); err == nil {
		fmt.Fprintf(out, "%s: %s, %d bytes, %d free (%.1f %% used), %d inodes free\n\n", c.Data, usage.Fstype, usage.Total, usage.Free, usage.UsedPercent, usage.InodesFree)
	}
	lines, size, listed := 0, int64(0), tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(listed, "mode\tbytes\tmodified\t  file\n")
	err := filepath.WalkDir(c.Data, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return nil // it was removed meanwhile
		}
		lines++
		size += info.Size()
		if lines <= linesMax {
			relative, _ := filepath.Rel(c.Data, name)
			fmt.Fprintf(listed, "%v\t%d\t%s\t  %s\n", info.Mode(), info.Size(), info.ModTime().UTC().Format(time.RFC3339), relative)
		}
		return nil
	})
	if flushed := listed.Flush(); err == nil {
		err = flushed
	}
	fmt.Fprintf(out, "\n%d files and directories, %d bytes\n", lines, size)
	return err
}

// processes lists the processes of the machine by what they are, never with their command lines: people pass secrets there.
func processes(out io.Writer) error {
	list, err := process.Processes()
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b *process.Process) int { return cmp.Compare(a.Pid, b.Pid) })
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "pid\tparent\tthreads\tresident\tcpu s\tstarted\t  program\n")
	for _, p := range list[:min(len(list), linesMax)] {
		name, err := p.Name()
		if err != nil {
			continue // it has ended
		}
		parent, _ := p.Ppid() // 0 for what a process that ends does not say any more, here and below
		threads, _ := p.NumThreads()
		started, _ := p.CreateTime()
		var resident uint64
		if memory, err := p.MemoryInfo(); err == nil {
			resident = memory.RSS
		}
		var seconds float64
		if times, err := p.Times(); err == nil {
			seconds = times.User + times.System
		}
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t%.1f\t%s\t  %s\n", p.Pid, parent, threads, resident, seconds, time.UnixMilli(started).UTC().Format(time.RFC3339), name)
	}
	return table.Flush()
}

// resources says what process and machine use, and what the server has counted.
func (c *Collector) resources(out io.Writer) error {
	var stats wire.Stats
	c.Machine(&stats)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(name string, value any) { fmt.Fprintf(table, "%s\t%v\n", name, value) }
	row("host", stats.Hostname)
	row("system", stats.OSName+" "+stats.OSVersion)
	row("kernel", stats.KernelVersion)
	row("cores", runtime.NumCPU())
	row("cpu of the machine, %", stats.TotalCPUUsage)
	row("cpu of the process, %", stats.CPUUsage)
	if average, err := load.Avg(); err == nil {
		row("load over 1, 5, 15 minutes", fmt.Sprint(average.Load1, average.Load5, average.Load15))
	}
	row("memory, bytes", stats.TotalMemory)
	row("memory available, bytes", stats.AvailableMemory)
	row("resident, bytes", stats.MemoryUsage)
	row("heap in use, bytes", memory.HeapInuse)
	row("heap from the system, bytes", memory.HeapSys)
	row("collections", memory.NumGC)
	row("longest pause of late, µs", slices.Max(memory.PauseNs[:])/1000)
	row("goroutines", runtime.NumGoroutine())
	row("threads", stats.ThreadsCount)
	row("disk, bytes", stats.TotalDiskSpace)
	row("disk free, bytes", stats.FreeDiskSpace)
	row("running since", time.UnixMicro(int64(stats.StartTimeMicros)).UTC().Format(time.RFC3339))
	row("running for", time.Duration(stats.RunTimeMicros)*time.Microsecond)
	c.Counts(row)
	return table.Flush()
}

// logs copies the last lines of the log files, oldest first.
func (c *Collector) logs(out io.Writer) error {
	if c.Logs == "" {
		_, err := fmt.Fprintln(out, "no log files are written: logging.file_enabled is false")
		return err
	}
	entries, err := os.ReadDir(c.Logs)
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	last, room := 0, int64(logBytesMax)
	for ; last < len(files) && room > 0; last++ {
		room -= files[last].Size()
	}
	for i := last - 1; i >= 0; i-- {
		skip := int64(0)
		if i == last-1 {
			skip = max(-room, 0)
		}
		fmt.Fprintf(out, "=== %s, from byte %d\n", files[i].Name(), skip)
		if err := copyFrom(out, filepath.Join(c.Logs, files[i].Name()), skip, files[i].Size()-skip); err != nil {
			return err
		}
	}
	return nil
}

func copyFrom(out io.Writer, name string, position, size int64) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(out, io.NewSectionReader(file, position, size))
	return err
}
