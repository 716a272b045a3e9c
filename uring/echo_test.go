package uring_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"galgo/uring"
	"galgo/uring/baseline"
)

// echoRoleEnv makes this binary one side of BenchmarkEcho: "ring", "net", or "client address connections milliseconds".
const echoRoleEnv = "GALGO_ECHO_ROLE"

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
	case "ring":
		server, err = baseline.EchoRing(uring.NewKernel(), echoSpinMicros)
	case "net":
		server, err = baseline.EchoNet()
	default:
		var address string
		var connections, millis int
		if _, err := fmt.Sscanf(role, "client %s %d %d", &address, &connections, &millis); err != nil {
			return err
		}
		rate, err := baseline.EchoLoad(uring.NewKernel(), address, connections, time.Duration(millis)*time.Millisecond)
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

const (
	echoSpinMicros = 50
	echoTurn       = 400 * time.Millisecond
)

// BenchmarkEcho compares a ring with a plain Go server under the same client (64 bytes, one message in flight on each connection), in turns: each
// iteration is 0.4 s of both. The ratio is that of the medians; -benchtime 9x gives a steady one. Wanted are 2, 1.5 and 1.2 at 1, 4 and 16
// connections. The client is a process of its own on the last core, the server's on the others, and drives a ring itself: one of package
// net fills its core before either server does, and hides the difference.
func BenchmarkEcho(b *testing.B) {
	for _, connections := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) { echo(b, connections) })
	}
}

func reportEcho(b *testing.B, rates [2][]float64) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(rates[0]), "ring/s")
	b.ReportMetric(median(rates[1]), "net/s")
	b.ReportMetric(median(rates[0])/median(rates[1]), "ratio")
}

// splitCores returns the cores of the servers and of the client: all but the last, and the last.
func splitCores(b *testing.B) (servers, client unix.CPUSet) {
	if err := unix.SchedGetaffinity(0, &servers); err != nil {
		b.Fatal(err)
	}
	if servers.Count() == 1 {
		return servers, servers
	}
	for cpu := len(servers)*64 - 1; ; cpu-- {
		if servers.IsSet(cpu) {
			servers.Clear(cpu)
			client.Set(cpu)
			return servers, client
		}
	}
}

func echo(b *testing.B, connections int) {
	kernel(b) // skips where there is none
	servers, client := splitCores(b)
	var commands [2]*exec.Cmd
	var stops [2]io.Closer
	var addresses [2]string
	for i, role := range []string{"ring", "net"} {
		command, out := echoProcess(b, role, servers)
		stop, err := command.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		startOn(b, command, servers)
		if _, err := fmt.Fscan(bufio.NewReader(out), &addresses[i]); err != nil {
			b.Fatal(err)
		}
		commands[i], stops[i] = command, stop
	}
	var rates [2][]float64
	for b.Loop() {
		for i, address := range addresses {
			command, out := echoProcess(b, fmt.Sprintf("client %s %d %d", address, connections, echoTurn.Milliseconds()), client)
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
	for i, command := range commands {
		stops[i].Close()
		if err := command.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	reportEcho(b, rates)
}

func echoProcess(b *testing.B, role string, cpus unix.CPUSet) (*exec.Cmd, io.Reader) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), echoRoleEnv+"="+role, fmt.Sprintf("GOMAXPROCS=%d", cpus.Count()))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	return command, out
}

// startOn starts a process on these cores: it inherits them from the thread that forks.
func startOn(b *testing.B, command *exec.Cmd, cpus unix.CPUSet) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	err := unix.SchedGetaffinity(0, &before)
	if err == nil {
		err = unix.SchedSetaffinity(0, &cpus)
	}
	if err == nil {
		err = errors.Join(command.Start(), unix.SchedSetaffinity(0, &before))
	}
	if err != nil {
		b.Fatal(err)
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
