package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"galgo/wire"
)

// durationMax is how long a collection may take: clients wait for 30 s.
const durationMax = 20 * time.Second

// ErrBusy says that another collection is under way.
var ErrBusy = errors.New("another collection is under way")

// ErrTooLarge says that the file does not fit into a frame.
var ErrTooLarge = errors.New("the file does not fit into a frame")

// ErrTooSlow says that the collection took longer than durationMax.
var ErrTooSlow = fmt.Errorf("it took longer than %v", durationMax)

// Sources is where the sections come from.
type Sources struct {
	Data    string                  // the data directory
	Logs    string                  // directory of the log files; "" is none
	Config  func(io.Writer) error   // writes the effective configuration, secrets masked
	Machine func(stats *wire.Stats) // reads what process and machine say of themselves

	Counts func(row func(name string, value any)) // gives what the server counts, by names for people
}

// Collector makes the files of one server. Collect may be called from any goroutine that may wait.
type Collector struct {
	Sources
	busy sync.Mutex
}

// New returns a collector for a server.
func New(sources Sources) *Collector { return &Collector{Sources: sources} }

// Collect returns a ZIP file with one entry for each section wanted, of at most sizeMax bytes. A section that cannot be read says so in its
// place. The error is ErrBusy, ErrTooLarge or ErrTooSlow, wrapped, or one of a compressor.
func (c *Collector) Collect(want wire.GetSnapshot, sizeMax int) ([]byte, error) {
	if !c.busy.TryLock() {
		return nil, ErrBusy
	}
	defer c.busy.Unlock()
	out := &file{sizeMax: sizeMax, deadline: time.Now().Add(durationMax)}
	archive := newArchive(out, want.Compression)
	for _, section := range sectionsOf(want.Types) {
		if err := archive.add(section.String()+".txt", c.read(section)); err != nil {
			return nil, fmt.Errorf("section %s: %w", section, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// sectionsOf lists the sections that are asked for, each once and in the order of their numbers.
func sectionsOf(types []byte) (sections []wire.SnapshotType) {
	for section := wire.SnapshotFilesystemOverview; section <= wire.SnapshotServerConfig; section++ {
		if bytes.IndexByte(types, byte(section)) >= 0 || bytes.IndexByte(types, byte(wire.SnapshotAll)) >= 0 {
			sections = append(sections, section)
		}
	}
	return sections
}

// file is the ZIP file in the making. It takes no more than it may hold, and nothing after its deadline.
type file struct {
	bytes.Buffer
	sizeMax  int
	deadline time.Time
}

// Write implements io.Writer.
func (f *file) Write(p []byte) (int, error) {
	switch {
	case f.Len()+len(p) > f.sizeMax:
		return 0, ErrTooLarge
	case time.Now().After(f.deadline):
		return 0, ErrTooSlow
	}
	return f.Buffer.Write(p)
}
