package portable_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"galgo/uring"
	"galgo/uring/baseline"
	"galgo/uring/portable"
)

// echoRoleEnv makes this binary one side of BenchmarkEcho: the name of a server, or "client address connections milliseconds".
const echoRoleEnv = "PORTABLE_ECHO_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(echoRoleEnv); role != "" {
		if err := echoRole(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// echoRole serves until standard input ends, or runs the client once.
func echoRole(role string) error {
	var server *baseline.Echo
	var err error
	switch role {
	case "portable":
		server, err = baseline.EchoRing(portable.New(), 0)
	case "uring":
		server, err = baseline.EchoRing(uring.NewKernel(), 0)
	case "net":
		server, err = baseline.EchoNet()
	default:
		var address string
		var connections, millis int
		if _, err := fmt.Sscanf(role, "client %s %d %d", &address, &connections, &millis); err != nil {
			return err
		}
		load := uring.Host(portable.New())
		if uring.Probe() == nil {
			load = uring.NewKernel()
		}
		rate, err := baseline.EchoLoad(load, address, connections, time.Duration(millis)*time.Millisecond)
		fmt.Println(rate)
		return err
	}
	if err != nil {
		return err
	}
	fmt.Println(server.Address)
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, server.Stop())
}

// BenchmarkEcho compares echoes per second (64 bytes, one message in flight on each connection) with those of a plain Go server and of
// io_uring, in turns of 0.3 s, each server and the client in a process of its own: the client on the last core, the servers on the others.
// Wanted is no less than the plain server.
func BenchmarkEcho(b *testing.B) {
	for _, connections := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) { echo(b, connections) })
	}
}

func echo(b *testing.B, connections int) {
	roles := []string{"portable", "net"}
	if uring.Probe() == nil {
		roles = append(roles, "uring")
	}
	servers, client := splitCores(b)
	addresses := make([]string, len(roles))
	for i, role := range roles {
		command, out := echoProcess(b, role)
		stop, err := command.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		startOn(b, command, servers)
		defer func() {
			_ = stop.Close()
			if err := command.Wait(); err != nil {
				b.Error(err)
			}
		}()
		if _, err := fmt.Fscan(bufio.NewReader(out), &addresses[i]); err != nil {
			b.Fatal(err)
		}
	}
	rates := make([][]float64, len(roles))
	for b.Loop() {
		for i, address := range addresses {
			command, out := echoProcess(b, fmt.Sprintf("client %s %d 300", address, connections))
			startOn(b, command, client)
			var rate float64
			if _, err := fmt.Fscan(out, &rate); err != nil {
				b.Fatal(err)
			}
			if err := command.Wait(); err != nil {
				b.Fatal(err)
			}
			rates[i] = append(rates[i], rate)
		}
	}
	report(b, rates, "echo/s", "net/s", "uring/s")
}

func echoProcess(b *testing.B, role string) (*exec.Cmd, io.Reader) {
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), echoRoleEnv+"="+role, "GOMAXPROCS=2") // the shard's and one more
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	return command, out
}

// splitCores returns the cores of the servers and of the client.
func splitCores(b *testing.B) (servers, client unix.CPUSet) {
	if err := unix.SchedGetaffinity(0, &servers); err != nil {
		b.Fatal(err)
	}
	for cpu := len(servers)*64 - 1; servers.Count() > 1; cpu-- {
		if servers.IsSet(cpu) {
			servers.Clear(cpu)
			client.Set(cpu)
			return servers, client
		}
	}
	return servers, servers
}

// startOn starts a process on these cores: it inherits them from the thread that forks.
func startOn(b *testing.B, command *exec.Cmd, cores unix.CPUSet) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	err := unix.SchedGetaffinity(0, &before)
	if err == nil {
		err = unix.SchedSetaffinity(0, &cores)
	}
	if err == nil {
		err = errors.Join(command.Start(), unix.SchedSetaffinity(0, &before))
	}
	if err != nil {
		b.Fatal(err)
	}
}
