package acceptance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// command runs a program of the system, and returns an error that says what it wrote.
func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// needMounts skips a test where filesystems in files cannot be mounted: it takes root and these programs.
func needMounts(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: mounting a filesystem takes root")
	}
	for _, program := range append(programs, "mkfs.ext4", "mount") {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped: there is no %s", program)
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		t.Skip("skipped: there are no loop devices: ", err)
	}
}

// makeImage makes a file with an empty filesystem in it.
func makeImage(t *testing.T, image string, size int64, mkfs ...string) {
	t.Helper()
	file, err := os.Create(image)
	if err == nil {
		err = errors.Join(file.Truncate(size), file.Close())
	}
	if err == nil {
		err = command(mkfs[0], append(mkfs[1:], image)...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// mountImage mounts the filesystem in a file until the test ends, and after the servers that were started since.
func mountImage(t *testing.T, image string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mounted")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := command("mount", "-o", "loop", image, dir); err != nil {
		t.Skip("skipped: mounting is not allowed here: ", err)
	}
	t.Cleanup(func() {
		err := unix.Unmount(dir, 0)
		for begin := time.Now(); errors.Is(err, unix.EBUSY) && time.Since(begin) < 10*time.Second; {
			time.Sleep(10 * time.Millisecond) // the ring of a process that was killed lets its files go a little later
			err = unix.Unmount(dir, 0)
		}
		if err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}
