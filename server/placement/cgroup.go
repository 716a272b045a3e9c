package placement

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// groups lists the directories of the control groups that the process is in, the innermost first. An ancestor's limit binds as
// well, so the smallest one counts. Formats: cgroups(7), and the kernel's documents on cgroup-v1 and cgroup-v2.
type groups struct {
	unified      []string // v2
	cpu, memory1 []string // v1
}

// unlimitedV1 is where v1 memory limits mean none: the kernel shows the largest page-aligned int64 then.
const unlimitedV1 = 1 << 60

// readGroups follows proc/self/cgroup below root. A path in it that does not exist is one of the host seen from a container
// without a namespace of its own; there the mount's root is the container's group, and it is always among the directories.
func readGroups(root string) groups {
	var g groups
	mount := filepath.Join(root, "sys/fs/cgroup")
	list, _ := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	for line := range strings.Lines(string(list)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy, controllers, path
		if len(parts) != 3 {
			continue
		}
		controllers := strings.Split(parts[1], ",")
		switch {
		case parts[1] == "":
			// A v1 machine mounts the unified hierarchy, if at all, one level down.
			g.unified = append(upwards(mount, parts[2]), upwards(filepath.Join(mount, "unified"), parts[2])...)
		case slices.Contains(controllers, "cpu"):
			g.cpu = append(upwards(filepath.Join(mount, "cpu"), parts[2]), upwards(filepath.Join(mount, parts[1]), parts[2])...)
		case slices.Contains(controllers, "memory"):
			g.memory1 = upwards(filepath.Join(mount, "memory"), parts[2])
		}
	}
	return g
}

// upwards lists the directory path below mount and those around it, mount included.
func upwards(mount, path string) []string {
	var dirs []string
	for path = filepath.Clean("/" + path); path != "/"; path = filepath.Dir(path) {
		dirs = append(dirs, filepath.Join(mount, path))
	}
	return append(dirs, mount)
}

// quota is the smallest CPU quota in cores, 0 if there is none.
func (g groups) quota() float64 {
	smallest := 0.0
	take := func(quota, period string) {
		q, errQuota := strconv.ParseFloat(quota, 64)
		p, errPeriod := strconv.ParseFloat(period, 64)
		if errQuota == nil && errPeriod == nil && q > 0 && p > 0 && (smallest == 0 || q/p < smallest) {
			smallest = q / p
		}
	}
	for _, dir := range g.unified {
		quota, period, _ := strings.Cut(read(dir, "cpu.max"), " ") // "max 100000" without a quota
		take(quota, period)
	}
	for _, dir := range g.cpu {
		take(read(dir, "cpu.cfs_quota_us"), read(dir, "cpu.cfs_period_us")) // -1 without a quota
	}
	return smallest
}

// memory is the smallest memory limit in bytes, 0 if there is none.
func (g groups) memory() uint64 {
	smallest := uint64(0)
	take := func(limit string) {
		n, err := strconv.ParseUint(limit, 10, 64)
		if err == nil && n < unlimitedV1 && (smallest == 0 || n < smallest) {
			smallest = n
		}
	}
	for _, dir := range g.unified {
		take(read(dir, "memory.max")) // "max" without a limit
	}
	for _, dir := range g.memory1 {
		take(read(dir, "memory.limit_in_bytes"))
	}
	return smallest
}

// read returns the text of a file in dir, or "" if there is none.
func read(dir, name string) string {
	data, _ := os.ReadFile(filepath.Join(dir, name))
	return strings.TrimSpace(string(data))
}
