package placement

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"galgo/server/config"

	"golang.org/x/sys/unix"
)

const mib = 1 << 20

// tree makes a root directory with the given files.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReadMachine(t *testing.T) {
	const eight = "Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t0-7\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  Machine
	}{
		{"bare metal", map[string]string{
			"proc/self/status": eight, "sys/devices/system/cpu/online": "0-7\n", "proc/meminfo": "MemTotal:       16384 kB\nMemFree: 1 kB\n",
			"proc/self/cgroup": "0::/\n",
		}, Machine{CPUs: []int{0, 1, 2, 3, 4, 5, 6, 7}, Online: 8, Memory: 16 * mib}},
		{"v2, the ancestor's quota is smaller", map[string]string{
			"proc/self/status": eight, "proc/meminfo": "MemTotal: 16384 kB\n", "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/b/cpu.max": "400000 100000\n", "sys/fs/cgroup/a/cpu.max": "250000 100000\n", "sys/fs/cgroup/cpu.max": "max 100000\n",
			"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "8388608\n",
		}, Machine{CPUs: []int{0, 1, 2, 3, 4, 5, 6, 7}, Quota: 2.5, Memory: 8 * mib}},
		{"v2, the smallest of several limits", map[string]string{
			"proc/self/status": eight, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "8388608\n", "sys/fs/cgroup/a/memory.max": "4194304\n",
			"sys/fs/cgroup/memory.max": "12582912\n", "sys/fs/cgroup/a/b/cpu.max": "300000 100000\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
			"sys/fs/cgroup/cpu.max": "400000 100000\n",
		}, Machine{CPUs: []int{0, 1, 2, 3, 4, 5, 6, 7}, Quota: 2, Memory: 4 * mib}},
		{"v2, the host's path seen from a container", map[string]string{
			"proc/self/status": eight, "proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/cpu.max": "50000 100000\n", "sys/fs/cgroup/memory.max": "4194304\n",
		}, Machine{CPUs: []int{0, 1, 2, 3, 4, 5, 6, 7}, Quota: 0.5, Memory: 4 * mib}},
		{"v1", map[string]string{
			"proc/self/status": "Cpus_allowed_list:\t1,3-4\n", "sys/devices/system/cpu/online": "0-7\n", "proc/meminfo": "MemTotal: 16384 kB\n",
			"proc/self/cgroup": "4:memory:/m\n3:cpu,cpuacct:/c\n1:name=systemd:/\n",
			"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us": "150000\n", "sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/memory/m/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "2097152\n",
		}, Machine{CPUs: []int{1, 3, 4}, Online: 8, Quota: 1.5, Memory: 2 * mib}},
		{"nothing but the mask", map[string]string{"proc/self/status": "Cpus_allowed_list:\t5\n"}, Machine{CPUs: []int{5}}},
	} {
		got, err := ReadMachine(tree(t, test.files))
		if err != nil || !slices.Equal(got.CPUs, test.want.CPUs) || got.Online != test.want.Online || got.Quota != test.want.Quota || got.Memory != test.want.Memory {
			t.Errorf("%s: got %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
	for _, files := range []map[string]string{{}, {"proc/self/status": "Cpus_allowed_list:\tx\n"}, {"proc/self/status": "Name: y\n"}} {
		if m, err := ReadMachine(tree(t, files)); err == nil || !strings.Contains(err.Error(), "proc/self/status") {
			t.Errorf("%v: got %+v, %v, want an error that names the file", files, m, err)
		}
	}
}

func TestDecideShardsAndPinning(t *testing.T) {
	cpus := func(n int) []int { return []int{2, 3, 4, 5, 6, 7, 8, 9}[:n] }
	for _, test := range []struct {
		name string
		wish Wish
		m    Machine
		want Plan
	}{
		{"all cores, shared", Wish{}, Machine{CPUs: cpus(4), Online: 4}, Plan{Shards: 4}},
		{"dedicated mask", Wish{}, Machine{CPUs: cpus(4), Online: 8}, Plan{Shards: 4, Pin: true, CPUs: cpus(4), SpinMicros: 50}},
		{"unknown online cores", Wish{}, Machine{CPUs: cpus(4)}, Plan{Shards: 4}},
		{"fewer shards than the dedicated mask", Wish{Shards: 2}, Machine{CPUs: cpus(4), Online: 8}, Plan{Shards: 2, Pin: true, CPUs: cpus(2), SpinMicros: 50}},
		{"quota cuts", Wish{}, Machine{CPUs: cpus(4), Online: 8, Quota: 2.9}, Plan{Shards: 2}},
		{"quota below one core", Wish{}, Machine{CPUs: cpus(4), Online: 4, Quota: 0.5}, Plan{Shards: 1}},
		{"quota as large as the mask", Wish{}, Machine{CPUs: cpus(4), Online: 8, Quota: 4}, Plan{Shards: 4, Pin: true, CPUs: cpus(4), SpinMicros: 50}},
		{"told off", Wish{Pin: config.PinOff}, Machine{CPUs: cpus(4), Online: 8}, Plan{Shards: 4}},
		{"told on, shared: no spinning", Wish{Pin: config.PinOn}, Machine{CPUs: cpus(4), Online: 4}, Plan{Shards: 4, Pin: true, CPUs: cpus(4)}},
		{"told on, quota: no spinning", Wish{Pin: config.PinOn}, Machine{CPUs: cpus(4), Online: 8, Quota: 2}, Plan{Shards: 2, Pin: true, CPUs: cpus(2)}},
		{"more shards than cores", Wish{Shards: 3}, Machine{CPUs: cpus(2), Online: 8}, Plan{Shards: 3}},
		{"more pinned shards than cores", Wish{Shards: 3, Pin: config.PinOn}, Machine{CPUs: cpus(2), Online: 8}, Plan{Shards: 3, Pin: true, CPUs: []int{2, 3, 2}}},
	} {
		if test.wish.Pin == "" {
			test.wish.Pin = config.PinAuto
		}
		got := Decide(test.wish, test.m)
		if got.Shards != test.want.Shards || got.Pin != test.want.Pin || got.SpinMicros != test.want.SpinMicros || !slices.Equal(got.CPUs, test.want.CPUs) {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
	if got := Decide(Wish{}, Machine{CPUs: make([]int, 300)}); got.Shards != config.ShardsMax {
		t.Errorf("300 cores: got %d shards, want %d", got.Shards, config.ShardsMax)
	}
}

func TestDecideMemory(t *testing.T) {
	for _, test := range []struct {
		name          string
		wish          uint64
		frame         uint64
		machine       uint64
		memory, limit uint64
		note          string
	}{
		{"a quarter", 0, 64 * mib, 1024 * mib, 256 * mib, 64 * mib, ""},
		{"a quarter that is too small for the frame", 0, 64 * mib, 512 * mib, 128 * mib, 32 * mib, "largest frame is 32 MiB"},
		{"never below the floor", 0, 64 * mib, 8 * mib, 16 * mib, 4 * mib, "more than the 8.0 MiB"},
		{"unknown", 0, 64 * mib, 0, 256 * mib, 64 * mib, "unknown"},
		{"told, just enough", 160 * mib, 64 * mib, 1024 * mib, 160 * mib, 64 * mib, ""},
		{"told, just not enough", 159 * mib, 64 * mib, 1024 * mib, 159 * mib, 159 * mib / 4, "below the 160 MiB"},
		{"told, small frames", 16 * mib, mib, 1024 * mib, 16 * mib, mib, ""},
		{"told, large frames", 320 * mib, 256 * mib, 1024 * mib, 320 * mib, 80 * mib, "largest frame is 80 MiB"},
	} {
		p := Decide(Wish{Memory: test.wish, FrameMax: test.frame}, Machine{CPUs: []int{0}, Memory: test.machine})
		if p.Memory != test.memory || uint64(p.FrameMax) != test.limit {
			t.Errorf("%s: got memory %d, frame %d, want %d, %d", test.name, p.Memory, p.FrameMax, test.memory, test.limit)
		}
		if notes := strings.Join(p.Notes, "; "); !strings.Contains(notes, test.note) || test.note == "" && notes != "" {
			t.Errorf("%s: got notes %q, want %q in them", test.name, notes, test.note)
		}
	}
}

func TestForReadsThisMachine(t *testing.T) {
	p, err := For(&config.Config{FrameMax: 64 * mib, Pin: config.PinAuto}, "/")
	if err != nil || p.Shards < 1 || p.Memory == 0 || p.FrameMax == 0 {
		t.Errorf("got %+v, %v, want a plan", p, err)
	}
}

func TestPinThread(t *testing.T) {
	m, err := ReadMachine("/")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	var set unix.CPUSet
	go func() {
		runtime.LockOSThread() // never unlocked: the pinned thread ends with the goroutine
		err := PinThread(m.CPUs[0])
		if err == nil {
			err = unix.SchedGetaffinity(0, &set)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if set.Count() != 1 || !set.IsSet(m.CPUs[0]) {
		t.Errorf("got %d cores, want core %d alone", set.Count(), m.CPUs[0])
	}
	go func() {
		runtime.LockOSThread()
		done <- PinThread(1023)
	}()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "core 1023") {
		t.Errorf("core 1023: got %v, want an error that names it", err)
	}
}

func TestRaiseFiles(t *testing.T) {
	limit, err := RaiseFiles()
	if err != nil {
		t.Fatal(err)
	}
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil || l.Cur != l.Max || limit != l.Cur {
		t.Errorf("got limit %d and %+v, want the hard one", limit, l)
	}
}
