package storage

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"galgo/components"
	"galgo/uring"
	"galgo/wire"
)

// ControlStart is where the control log stands: as LoadControl found it, and after StartRun as it goes on.
type ControlStart struct {
	Record  uint64                 // number of the next record; the first one ever is 1
	LastSeq uint64                 // of the last record, 0 without one
	Run     uint64                 // after StartRun: the number of this life
	Counter uint64                 // after StartRun: of the last seq given; seq = Run << 40 | Counter
	File    components.ControlFile // after StartRun: the open file
	Notes   []string               // for the log

	tail   *controlTail // of the last file that holds something
	lost   bool         // the last file has no record left: a run's first one may have stood there
	unused string       // a last file that holds nothing, its head not even
}

// controlTail is where the records of a control file end.
type controlTail struct {
	path     string
	position uint64
	torn     bool // what follows is cut by StartRun
}

// controlFirst is the number of the first record there ever was.
const controlFirst = 1

// LoadControl reads the catalog: the newest valid snapshot, and the control log from there on. It writes nothing.
//
// Errors are about damage that no crash explains (a *FileError that wraps ErrCorrupt), about files of another version
// (wire.ErrVersion) and about failed reads. The server must not start then: what was acknowledged cannot be told.
func LoadControl(files uring.Files, root string, secret uint64) (*components.Catalog, ControlStart, error) {
	dir := path.Join(root, components.ControlDir)
	start := ControlStart{Record: controlFirst}
	snapshot, notes, err := newestSnapshot(files, dir, secret)
	start.Notes = notes
	if err != nil {
		return nil, start, err
	}
	catalog := components.NewCatalog()
	if snapshot != nil {
		if err := snapshot.restore(catalog); err != nil {
			return nil, start, err
		}
		start.Record, start.LastSeq = snapshot.head.LastNumber+1, snapshot.head.LastSeq
	}
	logs, err := listControl(files, dir)
	if err != nil {
		return nil, start, err
	}
	if err := start.replay(files, dir, secret, logs, catalog); err != nil {
		return nil, start, err
	}
	return catalog, start, nil
}

// listControl lists the first numbers of the control log's files, ascending.
func listControl(files uring.Files, dir string) ([]uint64, error) {
	names, err := files.List(dir)
	if err != nil {
		return nil, fileError("list", dir, 0, err)
	}
	var logs []uint64
	for _, name := range names {
		if first, ok := wire.ParseControlLogName(name); ok {
			logs = append(logs, first)
		}
	}
	slices.Sort(logs)
	return logs, nil
}

// replay applies the records from start.Record on. The files that hold them follow each other without a gap.
func (start *ControlStart) replay(files uring.Files, dir string, secret uint64, logs []uint64, catalog *components.Catalog) error {
	from, found := slices.BinarySearch(logs, start.Record)
	if !found {
		from-- // the file before begins below the record
	}
	if from < 0 {
		if len(logs) == 0 && start.Record == controlFirst {
			return nil // the first start
		}
		return corrupt(dir, 0, "no file holds control record %d", start.Record)
	}
	next := logs[from]
	for i := from; i < len(logs); i++ {
		name := path.Join(dir, wire.ControlLogName(logs[i]))
		if logs[i] != next {
			return corrupt(name, 0, "begins at control record %d, but the file before it ends below %d", logs[i], next)
		}
		last := i == len(logs)-1
		after, err := start.replayFile(files, name, secret, logs[i], last, catalog)
		if err != nil {
			return err
		}
		next = after
	}
	start.lost = next == logs[len(logs)-1]
	if next < start.Record {
		name := path.Join(dir, wire.ControlLogName(logs[len(logs)-1]))
		return corrupt(name, 0, "ends below control record %d, but a snapshot holds all up to %d", next, start.Record-1)
	}
	return nil
}

// replayFile applies the records of one file from start.Record on and returns the number after its last one.
func (start *ControlStart) replayFile(files uring.Files, name string, secret, first uint64, last bool, catalog *components.Catalog) (uint64, error) {
	content, err := readWhole(files, name)
	if err != nil {
		return 0, err
	}
	reader, err := wire.NewControlReader(content, secret)
	switch {
	case err != nil && !errors.Is(err, wire.ErrVersion) && last && len(content) <= wire.HeadSize:
		// The first record is not written before the head is durable: a crash came while the file was made.
		start.unused = name
		start.Notes = append(start.Notes, name+": made but never used, removed")
		return first, nil
	case err != nil:
		return 0, fileError("recover", name, 0, err)
	case reader.Number() != first:
		return 0, corrupt(name, 0, "its head says that it begins at control record %d", reader.Number())
	}
	for {
		position := uint64(reader.Position())
		number, event, err := reader.Next()
		switch {
		case err == io.EOF:
			start.tail = &controlTail{path: name, position: position}
			return reader.Number(), nil
		case err == wire.ErrChecksum && reader.TailTorn():
			start.tail = &controlTail{path: name, position: position, torn: last}
			if last {
				start.Notes = append(start.Notes, fmt.Sprintf("%s: torn at byte %d, cut %d bytes that nobody had an answer to",
					name, position, uint64(len(content))-position))
			}
			return reader.Number(), nil // a successor must begin with this number, which replay sees to
		case err != nil:
			return 0, fileError("recover", name, position, fmt.Errorf("control record %d: %w", reader.Number(), damaged(err)))
		case number < start.Record:
			continue
		case event.Seq <= start.LastSeq:
			return 0, corrupt(name, position, "control record %d has sequence %#x after %#x", number, event.Seq, start.LastSeq)
		}
		catalog.Apply(&event)
		start.Record, start.LastSeq = number+1, event.Seq
	}
}

// damaged marks an error about bytes as damage; a file of another version is none.
func damaged(err error) error {
	if errors.Is(err, wire.ErrVersion) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// RunInfo is what a run says of itself.
type RunInfo struct {
	BootID     [16]byte // of the machine
	Shards     uint32
	TimeMicros uint64 // wall time
}

// StartRun begins a life of the server: it cuts what LoadControl found torn, makes the rest durable, makes a new file of the control log and, in
// it, durably logs the next run's RunStarted and then the events, in order. It gives them their Seq and Time and applies them to catalog. Only
// after it may anything else be written to the directory. The returned start's File is open and belongs to the caller, its directory with it.
func StartRun(files uring.Files, root string, secret uint64, catalog *components.Catalog, start ControlStart, run RunInfo,
	events ...*wire.Event) (ControlStart, error) {
	dir := path.Join(root, components.ControlDir)
	if err := start.cut(files, dir); err != nil {
		return start, err
	}
	first := start.Record
	start.Run, start.Counter = start.NextRun(catalog), 0
	content := wire.AppendControlLogHead(nil, first, secret)
	events = append([]*wire.Event{{Kind: wire.EventRunStarted, Run: start.Run, BootID: run.BootID, Shards: run.Shards}}, events...)
	for _, e := range events {
		start.Counter++
		e.Seq, e.Time = start.Run<<wire.RunShift|start.Counter, run.TimeMicros
		content = wire.AppendControlRecord(content, start.Record, first, e, secret)
		start.Record++
	}
	fd, _, err := writeWhole(files, dir, wire.ControlLogName(first), content)
	if err != nil {
		return start, err
	}
	dirFD, err := files.Open(dir, uring.O_RDONLY|uring.O_DIRECTORY, 0)
	if err != nil {
		return start, errors.Join(fileError("open", dir, 0, err), files.Close(fd))
	}
	for _, e := range events {
		catalog.Apply(e)
		start.LastSeq = e.Seq
	}
	start.File = components.ControlFile{FD: fd, DirFD: dirFD, Position: uint64(len(content)), First: first, Next: start.Record}
	return start, nil
}

// NextRun is the number of the run that StartRun would start. A run's RunStarted is durable before anything else of that run is written, so no
// crash tears it; rot does, and looks the same where nothing came after it. Then its number is passed over: what bears it is of another run.
func (start *ControlStart) NextRun(catalog *components.Catalog) uint64 {
	last := max(catalog.Run, start.LastSeq>>wire.RunShift)
	if start.lost {
		last++
	}
	return last + 1
}

// cut makes the directory what LoadControl has read, durably: the last record may be of a write that a kill has kept from being made durable, and
// the next file begins behind it.
func (start *ControlStart) cut(files uring.Files, dir string) error {
	if err := removeFresh(files, dir); err != nil {
		return err
	}
	if start.unused != "" {
		if err := remove(files, start.unused); err != nil {
			return err
		}
	}
	if start.tail == nil {
		return nil
	}
	tail := start.tail
	fd, err := files.Open(tail.path, uring.O_RDWR, 0)
	if err != nil {
		return fileError("open", tail.path, 0, err)
	}
	if tail.torn {
		err = files.Truncate(fd, tail.position)
	}
	if err == nil {
		err = files.Sync(fd)
	}
	if err = errors.Join(err, files.Close(fd)); err != nil {
		return fileError("cut", tail.path, tail.position, err)
	}
	start.tail = nil
	return nil
}

// RootCreated is the event that makes the root user, for StartRun of a catalog without users.
func RootCreated(catalog *components.Catalog, name, passwordHash []byte) *wire.Event {
	return &wire.Event{Kind: wire.EventUserCreated, User: uint64(catalog.Users.Entities.Take()), UserID: components.RootID,
		UserStatus: uint8(wire.UserActive), Name: name, PasswordHash: passwordHash}
}

// bootIDPath is where Linux tells one boot of the machine from another. Source: proc_sys_kernel(5).
const bootIDPath = "/proc/sys/kernel/random/boot_id"

// BootID is the id of the machine's present boot. Where there is none to be read it is random: nothing then counts as
// written in this boot, which is the careful answer.
func BootID(files uring.Files, random func([]byte)) [16]byte {
	var id [16]byte
	if !readBootID(files, &id) {
		random(id[:])
	}
	return id
}

func readBootID(files uring.Files, id *[16]byte) bool {
	fd, err := files.Open(bootIDPath, uring.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer func() { _ = files.Close(fd) }()
	var text [64]byte // a UUID and a line end
	n, err := files.ReadAt(fd, text[:], 0)
	if err != nil {
		return false
	}
	digits := strings.ReplaceAll(strings.TrimSpace(string(text[:n])), "-", "")
	decoded, err := hex.DecodeString(digits)
	return err == nil && copy(id[:], decoded) == len(id) && len(decoded) == len(id)
}
