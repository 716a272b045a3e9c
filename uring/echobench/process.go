package echobench

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
)

// roleEnv makes the test binary one side of a comparison: the name of a server, or "client address connections milliseconds spin".
const roleEnv = "GALGO_ECHO_ROLE"

// Servers are the servers that may be compared, by name.
type Servers map[string]func() (*baseline.Echo, error)

// Main runs the tests, or the part in a comparison that this process has. Client makes the host of the load.
func Main(m *testing.M, servers Servers, client func() uring.Host) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(role, servers, client); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// play serves until standard input ends, or runs the client once.
func play(role string, servers Servers, client func() uring.Host) error {
	if start := servers[role]; start != nil {
		server, err := start()
		if err != nil {
			return err
		}
		fmt.Println(server.Address)
		_, err = io.Copy(io.Discard, os.Stdin)
		return errors.Join(err, server.Stop())
	}
	var address string
	var connections, millis int
	var spinMicros uint64
	if _, err := fmt.Sscanf(role, "client %s %d %d %d", &address, &connections, &millis, &spinMicros); err != nil {
		return fmt.Errorf("echo role %q: %w", role, err)
	}
	rate, err := baseline.EchoLoad(client(), address, connections, time.Duration(millis)*time.Millisecond, spinMicros)
	fmt.Println(rate)
	return err
}

// process is one side.
type process struct {
	command *exec.Cmd
	in      io.Closer
	out     *bufio.Reader
}

// start starts a process on some cores: it inherits them from the thread that forks. It may use one thread more, as a server does that lets
// the system and not Go's scheduler share the cores.
func start(role string, cores unix.CPUSet) (*process, error) {
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), roleEnv+"="+role, fmt.Sprintf("GOMAXPROCS=%d", cores.Count()+1))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, err
	}
	if err := unix.SchedSetaffinity(0, &cores); err != nil {
		return nil, err
	}
	err = errors.Join(command.Start(), unix.SchedSetaffinity(0, &before))
	return &process{command, in, bufio.NewReader(out)}, err
}

// end ends a server, or waits for the client, and returns the time that it had a core for.
func (p *process) end() (time.Duration, error) {
	err := errors.Join(p.in.Close(), p.command.Wait())
	state := p.command.ProcessState
	return state.UserTime() + state.SystemTime(), err
}

// splitCores returns the cores of the servers and of the client: all but the last, and the last.
func splitCores() (servers, client unix.CPUSet, err error) {
	if err := unix.SchedGetaffinity(0, &servers); err != nil {
		return servers, client, err
	}
	for cpu := len(servers)*64 - 1; servers.Count() > 1; cpu-- {
		if servers.IsSet(cpu) {
			servers.Clear(cpu)
			client.Set(cpu)
			return servers, client, nil
		}
	}
	return servers, servers, nil
}
