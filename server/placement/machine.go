package placement

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Machine is what the process was given to run on.
type Machine struct {
	CPUs   []int   // cores in the affinity mask, ascending; at least one
	Online int     // cores of the machine that are online; 0 if unknown
	Quota  float64 // cores' worth of CPU time that control groups allow; 0: no quota
	Memory uint64  // bytes: the smaller of the machine's memory and the control groups' limit; 0 if unknown
}

// ReadMachine reads the machine below root, "/" for the real one. The error names the file that tells the affinity mask; what
// else cannot be read counts as unlimited, because many containers hide it.
func ReadMachine(root string) (Machine, error) {
	var m Machine
	status, err := os.ReadFile(filepath.Join(root, "proc/self/status"))
	if err != nil {
		return m, fmt.Errorf("affinity mask: %w", err)
	}
	mask, _ := field(string(status), "Cpus_allowed_list:")
	if m.CPUs, err = parseCPUs(mask); err != nil || len(m.CPUs) == 0 {
		return m, fmt.Errorf("affinity mask: Cpus_allowed_list in %s is %q", filepath.Join(root, "proc/self/status"), mask)
	}
	if online, err := os.ReadFile(filepath.Join(root, "sys/devices/system/cpu/online")); err == nil {
		cpus, _ := parseCPUs(string(online))
		m.Online = len(cpus)
	}
	if info, err := os.ReadFile(filepath.Join(root, "proc/meminfo")); err == nil {
		total, _ := field(string(info), "MemTotal:")
		kibibytes, _ := strconv.ParseUint(strings.TrimSuffix(total, " kB"), 10, 64)
		m.Memory = kibibytes << 10
	}
	groups := readGroups(root)
	m.Quota = groups.quota()
	if limit := groups.memory(); limit != 0 && (m.Memory == 0 || limit < m.Memory) {
		m.Memory = limit
	}
	return m, nil
}

// field returns what follows name at the start of a line.
func field(text, name string) (string, bool) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// parseCPUs reads the kernel's list of cores, such as "0-3,8,10-11".
func parseCPUs(list string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		if part == "" {
			continue
		}
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseUint(from, 10, 16)
		if err != nil {
			return nil, err
		}
		last, err := strconv.ParseUint(to, 10, 16)
		if err != nil {
			return nil, err
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, int(cpu))
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}
