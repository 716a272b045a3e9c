package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"galgo/wire/client"
)

// server is a process of `galgo serve`.
type server struct {
	address string // it listens there, host:port
	dir     string
	process *exec.Cmd
	log     strings.Builder // its standard error; whole once read is closed
	read    chan struct{}
	serves  chan string // gets its address once it serves, or "" when it ended before
	ended   bool
}

// options are what differs between servers. The zero value is a server on an empty directory and a free port.
type options struct {
	dir     string   // data directory; "" is a new one
	address string   // "" is a free port
	shards  int      // 0 leaves it to the server
	level   string   // durability.default; "" leaves it to the server
	env     []string // NAME=value
	boot    bool     // as if the machine had been started anew
	files   int      // `ulimit -n`; 0 leaves it as it is
}

// arguments is the command line of a server.
func (o options) arguments() []string {
	args := []string{"serve", "--with-default-root-credentials", "--data", o.dir, "--tcp-address", o.address}
	if o.shards > 0 {
		args = append(args, fmt.Sprintf("--shards=%d", o.shards))
	}
	return args
}

// start starts a server and waits until it serves. It is killed at the end of the test, unless it ended before.
func start(t testing.TB, o options) *server {
	t.Helper()
	s := launch(t, o)
	if s.address = <-s.serves; s.address == "" {
		t.Fatal("the server ended before it served")
	}
	return s
}

// launch starts a server and does not wait.
func launch(t testing.TB, o options) *server {
	t.Helper()
	if o.dir == "" {
		o.dir = t.TempDir()
	}
	if o.address == "" {
		o.address = "127.0.0.1:0"
	}
	s := &server{dir: o.dir, process: exec.Command(galgo, o.arguments()...), read: make(chan struct{}), serves: make(chan string, 1)}
	if o.files > 0 {
		s.process = exec.Command("sh", append([]string{"-c", fmt.Sprintf("ulimit -n %d && exec \"$0\" \"$@\"", o.files), galgo}, o.arguments()...)...)
	}
	s.process.Env = environ(o.env...)
	if io := os.Getenv("ACCEPTANCE_IO"); io != "" {
		s.process.Env = append(s.process.Env, "GALGO_IO="+io)
	}
	if o.level != "" {
		s.process.Env = append(s.process.Env, "GALGO_DURABILITY_DEFAULT="+o.level)
	}
	s.process.Dir = t.TempDir() // no .env of this tree
	if o.boot {
		otherBoot(t, s.process)
	}
	stderr, err := s.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	go s.readLog(stderr)
	t.Cleanup(func() {
		if !s.ended {
			_ = s.process.Process.Kill()
			<-s.read
			_ = s.process.Wait()
		}
		if trouble := s.trouble(); trouble != "" {
			t.Errorf("the server wrote %q", trouble)
		}
		if t.Failed() {
			t.Logf("server at %s on %s wrote:\n%s", s.address, s.dir, &s.log)
		}
	})
	return s
}

// trouble is what a server that has ended wrote and none should: "" for a sound one.
func (s *server) trouble() string {
	for _, trouble := range []string{"panic: ", "fatal error: ", "DATA RACE"} {
		if strings.Contains(s.log.String(), trouble) {
			return trouble
		}
	}
	return ""
}

// readLog collects what the server writes, and passes on the address that its banner names; "" when it ends without one.
func (s *server) readLog(from io.Reader) {
	lines, address := bufio.NewReader(from), s.serves
	for {
		line, err := lines.ReadString('\n')
		s.log.WriteString(line)
		if fields := strings.Fields(line); address != nil && len(fields) == 2 && fields[0] == "tcp" {
			address <- fields[1]
			address = nil
		}
		if err != nil {
			if address != nil {
				address <- ""
			}
			close(s.read)
			return
		}
	}
}

// stop asks the server to end and waits until it has, which must be in good order.
func (s *server) stop(t testing.TB) {
	t.Helper()
	s.end(t, syscall.SIGTERM)
	if code := s.process.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code after SIGTERM: got %d, want 0", code)
	}
}

// kill ends the server at once.
func (s *server) kill(t testing.TB) {
	t.Helper()
	s.end(t, syscall.SIGKILL)
}

func (s *server) end(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	<-s.read
	_ = s.process.Wait() // the process state says it
	s.ended = true
}

// dial connects and logs in. The connection ends with the test.
func (s *server) dial(t testing.TB) *client.Client {
	t.Helper()
	c, err := client.Dial(t.Context(), s.address, client.Options{Username: "iggy", Password: "iggy"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
