package acceptance

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fileWatch sees names come and go in a data directory, as the kernel tells it: a file made, renamed or removed.
type fileWatch struct {
	events *os.File
	names  chan string // folder/name
}

// watchFiles watches the folders of a data directory, which it makes where they are missing.
func watchFiles(t *testing.T, dir string) *fileWatch {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	w := &fileWatch{events: os.NewFile(uintptr(fd), "inotify"), names: make(chan string, 1<<16)}
	folders := map[int32]string{}
	for _, folder := range []string{"segments", "control", "offsets"} {
		path := filepath.Join(dir, folder)
		if _, err := os.Stat(path); os.IsNotExist(err) {
			continue // the first start makes them, and nobody wants to see that
		}
		watch, err := unix.InotifyAddWatch(fd, path, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_DELETE)
		if err != nil {
			t.Fatal(err)
		}
		folders[int32(watch)] = folder
	}
	go w.read(folders)
	return w
}

// read passes events on until the watch is closed. Source of the layout: inotify(7), struct inotify_event.
func (w *fileWatch) read(folders map[int32]string) {
	defer close(w.names)
	buffer := make([]byte, 64<<10)
	for {
		n, err := w.events.Read(buffer)
		if err != nil {
			return
		}
		for at := 0; at < n; {
			watch := int32(binary.NativeEndian.Uint32(buffer[at:]))
			size := int(binary.NativeEndian.Uint32(buffer[at+12:]))
			name := strings.TrimRight(string(buffer[at+16:at+16+size]), "\x00")
			select {
			case w.names <- folders[watch] + "/" + name:
			default: // nobody looks
			}
			at += 16 + size
		}
	}
}

func (w *fileWatch) close() { _ = w.events.Close() }

// after waits for the nth change from now on in a folder, or in any; false when it did not come in time.
func (w *fileWatch) after(folder string, n int, patience time.Duration) bool {
	for drained := false; !drained; {
		select {
		case <-w.names:
		default:
			drained = true
		}
	}
	late := time.After(patience)
	for n > 0 {
		select {
		case name := <-w.names:
			if strings.HasPrefix(name, folder) {
				n--
			}
		case <-late:
			return false
		}
	}
	return true
}
