package storage

import "testing"

func TestZerosBehind(t *testing.T) {
	const kib = 1 << 10
	for _, c := range []struct {
		name                             string
		from, to, initialized, allocated uint64
		want                             uint64
	}{
		{"the first write doubles what there is", 0, 8 * kib, 0, 256 * kib, 8 * kib},
		{"within what is initialized", 8 * kib, 16 * kib, 16 * kib, 256 * kib, 0},
		{"a block behind it", 12 * kib, 20 * kib, 16 * kib, 256 * kib, 20 * kib},
		{"never more than the most", 1020 * kib, 1024 * kib, 1020 * kib, 4096 * kib, ZerosMax},
		{"never behind the blocks", 240 * kib, 244 * kib, 240 * kib, 256 * kib, 12 * kib},
		{"a filesystem without allocation", 240 * kib, 244 * kib, 240 * kib, 0, 0},
		{"a large write", 0, smallWrite + 4*kib, 0, 256 * kib, 0},
		{"a file that was opened again", 100 * kib, 104 * kib, 0, 256 * kib, 104 * kib},
	} {
		if got := zerosBehind(c.from, c.to, c.initialized, c.allocated); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}
