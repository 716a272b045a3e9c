package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"galgo/wire"
	"galgo/wire/client"

	"golang.org/x/sys/unix"
)

// filteredEnv makes this binary a child of TestServesWhereIoUringIsForbidden: "filter" forbids io_uring to itself and becomes "serve", which
// serves with the --io and the --data that follow.
const filteredEnv = "GALGO_TEST_FILTERED"

// forbidRings installs a filter under which io_uring_setup fails with EPERM, as in a container's default profile. It holds for this thread, for
// what it executes, and for good. Source: seccomp(2).
func forbidRings() error {
	const number = 0 // of the system call: the first word of struct seccomp_data
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_IO_URING_SETUP, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return os.NewSyscallError("seccomp", errno)
	}
	return nil
}

// filtered is what the child does; it does not return.
func filtered(role string) {
	fields := strings.SplitN(role, " ", 3) // a directory's name may hold spaces
	step, io, dir := fields[0], fields[1], fields[2]
	if step == "serve" {
		os.Unsetenv(filteredEnv) // no name of a setting
		os.Exit(run([]string{"serve", "--io", io, "--data", dir, "--tcp-address", "127.0.0.1:0", "--shards", "2", "--memory", "160 MiB", "--pin", "off",
			"--with-default-root-credentials"}, os.Stdout, os.Stderr))
	}
	runtime.LockOSThread()
	err := forbidRings()
	if err == nil {
		err = os.Setenv(filteredEnv, "serve "+io+" "+dir)
	}
	if err == nil {
		err = unix.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

// forbidden is a server of which the system refuses io_uring.
type forbidden struct {
	t       *testing.T
	command *exec.Cmd
	address string
	out     bytes.Buffer // what it has printed
	read    chan struct{}
}

func forbiddenCommand(io, dir string) *exec.Cmd {
	command := exec.Command("/proc/self/exe", "-test.run=^TestServesWhereIoUringIsForbidden$")
	command.Env = append(os.Environ(), filteredEnv+"=filter "+io+" "+dir)
	return command
}

// startForbidden starts a server and waits until it says where it listens.
func startForbidden(t *testing.T, dir string) *forbidden {
	t.Helper()
	f := &forbidden{t: t, command: forbiddenCommand("auto", dir), read: make(chan struct{})}
	stderr, err := f.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(io.TeeReader(stderr, &f.out))
	for f.address == "" && lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == "tcp" {
			f.address = fields[1]
		}
	}
	if f.address == "" {
		t.Fatalf("got no address from the server (%v), want one:\n%s", f.command.Wait(), &f.out)
	}
	go func() {
		defer close(f.read)
		for lines.Scan() {
		}
	}()
	return f
}

// stop ends the server in good order and returns what it has printed.
func (f *forbidden) stop() string {
	f.t.Helper()
	if err := f.command.Process.Signal(unix.SIGTERM); err != nil {
		f.t.Fatal(err)
	}
	<-f.read
	if err := f.command.Wait(); err != nil {
		f.t.Errorf("got %v, want a clean end:\n%s", err, &f.out)
	}
	return f.out.String()
}

func (f *forbidden) dial() *client.Client {
	f.t.Helper()
	c, err := client.Dial(context.Background(), f.address, client.Options{Username: "iggy", Password: "iggy"})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	return c
}

// wantMessages polls a partition from its first message.
func wantMessages(t *testing.T, c *client.Client, partition uint32, want []string) {
	t.Helper()
	polled, err := c.Poll(wire.PollMessages{
		Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: wire.IdentNamed([]byte("s")),
		Topic: wire.IdentNamed([]byte("t")), Partition: wire.OptionalPartition{Present: true, ID: partition}, Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range polled.All() {
		got = append(got, string(m.Payload))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("partition %d: got %d messages, %.60q, want %d, %.60q", partition, len(got), got, len(want), want)
	}
}

func TestServesWhereIoUringIsForbidden(t *testing.T) {
	if role := os.Getenv(filteredEnv); role != "" {
		filtered(role)
	}
	dir := t.TempDir() + "/data"
	f := startForbidden(t, dir)
	c := f.dial()
	if _, err := c.CreateStream("s"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateTopic(wire.CreateTopic{Stream: wire.IdentNamed([]byte("s")), Name: []byte("t"), PartitionsCount: 2}); err != nil {
		t.Fatal(err)
	}
	var want [2][]string
	var b wire.BatchBuilder
	for i := range 40 {
		partition := uint32(i % 2)
		b.Reset(1)
		text := strings.Repeat(fmt.Sprintf("message %d ", i), 1+i*200) // up to 100 KB: more than one receive
		b.Add(wire.U128{Lo: uint64(i) + 1}, 0, []byte(text), nil)
		if _, err := c.Send(wire.IdentNamed([]byte("s")), wire.IdentNamed([]byte("t")), wire.Partitioning{Kind: wire.PartitionNumbered, ID: partition}, b.Bytes()); err != nil {
			t.Fatal(err)
		}
		want[partition] = append(want[partition], text)
	}
	for partition := range want {
		wantMessages(t, c, uint32(partition), want[partition])
	}
	if stats, err := c.Stats(); err != nil || !strings.HasSuffix(stats.KernelVersion, " (portable)") {
		t.Errorf("got kernel version %q (%v), want it to say that the portable kernel runs", stats.KernelVersion, err)
	}
	printed := f.stop()
	if !strings.Contains(printed, "portable") || !strings.Contains(printed, "it is forbidden") {
		t.Errorf("got\n%s\nwant a line that names the portable kernel and why it runs", printed)
	}

	f = startForbidden(t, dir)
	c = f.dial()
	for partition := range want {
		wantMessages(t, c, uint32(partition), want[partition])
	}
	f.stop()
}

func TestIoUringByNameIsRefusedWhereItIsForbidden(t *testing.T) {
	out, err := forbiddenCommand("io_uring", t.TempDir()+"/data").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "it is forbidden") {
		t.Errorf("got %v and %q, want a failure that says why", err, out)
	}
}
