package config

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
)

// ParseSize reads a number of bytes: "64 MiB" (1024s), "2 MB" (1000s) or "4096". "unlimited" and "none" are 0, as they are to
// the reference server. A comma is refused, because "1,5 GB" means different numbers to different readers.
func ParseSize(text string) (uint64, error) {
	text = strings.TrimSpace(text)
	if text == "unlimited" || text == "none" {
		return 0, nil
	}
	if strings.Contains(text, ",") {
		return 0, fmt.Errorf("size %q has a comma", text)
	}
	size, err := humanize.ParseBytes(text)
	if err != nil {
		return 0, fmt.Errorf("size %q: %w", text, err)
	}
	return size, nil
}

// FormatSize writes bytes in the largest unit of 1024s that divides them, so ParseSize reads the same number back.
func FormatSize(bytes uint64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB"}
	unit := 0
	for unit < len(units)-1 && bytes != 0 && bytes%1024 == 0 {
		bytes /= 1024
		unit++
	}
	return fmt.Sprintf("%d %s", bytes, units[unit])
}

// Reserve is the free space of the data directory's filesystem that appends leave alone.
type Reserve struct {
	Auto bool   // the smaller of 1 GiB and 5 % of the filesystem
	Size uint64 // bytes, unless Auto
}

// PoolSize is how many bytes of files are kept to be recycled.
type PoolSize struct {
	Auto bool   // the smaller of 4 GiB and 5 % of the filesystem
	Size uint64 // bytes, unless Auto
}

// Of gives the size in bytes for a filesystem of total bytes.
func (p PoolSize) Of(total uint64) uint64 {
	if p.Auto {
		return min(4<<30, total/20)
	}
	return p.Size
}

// Of gives the reserve in bytes for a filesystem of total bytes.
func (r Reserve) Of(total uint64) uint64 {
	if r.Auto {
		return min(1<<30, total/20)
	}
	return r.Size
}
