package acceptance

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"galgo/wire"
)

// Figures belong to the machine, and are taken where somebody asks for them: go test ./cmd/galgo/acceptance -v -run Figure -figures
var figures = flag.Bool("figures", false, "take the figures of many connections, which want an idle machine")

func wantFigures(t *testing.T) {
	t.Helper()
	if !*figures {
		t.Skip("-figures is not given")
	}
}

// usage is what a process has, as /proc tells.
func (s *server) usage(t *testing.T) (resident int, cpu time.Duration) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, _ := strconv.Atoi(strings.Fields(rest)[0])
			resident = kilobytes << 10
		}
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')'):])) // from the state on, which is field 3
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return resident, time.Duration(user+system) * 10 * time.Millisecond
}

// latencies are times that requests took.
type latencies []time.Duration

func (l latencies) at(quantile float64) time.Duration {
	slices.Sort(l)
	return l[int(quantile*float64(len(l)-1))]
}

func (l latencies) String() string {
	return fmt.Sprintf("p50 %v, p99 %v of %d", l.at(0.5), l.at(0.99), len(l))
}

// Connections that say nothing cost little memory and no time.
func TestFigureIdleConnections(t *testing.T) {
	wantFigures(t)
	const count, bytesMax = 10_000, 4096
	s := start(t, options{env: []string{"IGGY_METADATA_CLIENTS_TABLE_MAX=16384"}})
	root := s.dial(t)
	token, err := root.CreateToken("figures", 0)
	if err != nil {
		t.Fatal(err)
	}
	pings := func() (all latencies) {
		for range 2000 {
			begin := time.Now()
			if err := root.Ping(); err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Since(begin))
		}
		return all
	}
	idle := func() time.Duration {
		_, before := s.usage(t)
		time.Sleep(5 * time.Second)
		_, after := s.usage(t)
		return after - before
	}
	quiet, before := idle(), pings()
	few, _ := s.usage(t)
	begin := time.Now()
	for i := range count {
		c := dialRaw(t, s)
		c.client = wire.U128{Lo: uint64(i) + 1, Hi: 1}
		body := wire.AppendRegister(nil, wire.Register{ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("raw"), SDKVersion: []byte("1"),
			Credentials: wire.AppendTokenCredentials(nil, wire.TokenCredentials{Token: []byte(token)})})
		if a := c.ask(frame(wire.RequestHeader{Command: wire.FrameRequest, Operation: wire.OpRegister, Client: c.client}, body)); a.String() != "ok" {
			t.Fatalf("connection %d: got %s, want ok", i, a)
		}
	}
	made := time.Since(begin)
	busy := idle()
	many, _ := s.usage(t)
	after := pings()
	stats, err := root.Stats()
	if err != nil || stats.ClientsCount != count+1 {
		t.Fatalf("clients: got %d, %v, want %d", stats.ClientsCount, err, count+1)
	}
	t.Logf("%d connections in %v: %d bytes of RSS each (%d MiB before, %d after); CPU of 5 idle s %v before, %v after; ping before: %v; after: %v",
		count, made, (many-few)/count, few>>20, many>>20, quiet, busy, before, after)
	if each := (many - few) / count; each >= bytesMax {
		t.Errorf("RSS of a connection: got %d bytes, want less than %d", each, bytesMax)
	}
}

// Many who log in at once are all let in soon, and disturb others little: passwords are hashed by few workers, and one that was right is known again.
// They are a process of their own, so that they disturb others by way of the server only. A thousand passwords to be hashed keep all cores of a small
// machine busy, and that alone makes others wait, whoever does it: what a process costs them that does nothing else, at the priority that hashing has,
// is shown beside it.
func TestFigureLogins(t *testing.T) {
	wantFigures(t)
	for _, users := range []int{1, loginsCount} {
		t.Run(fmt.Sprintf("users=%d", users), func(t *testing.T) { figureLogins(t, users) })
	}
}

func figureLogins(t *testing.T, users int) {
	const timeMax = 30 * time.Second
	s := start(t, options{})
	b := newBystander(t, s)
	for i := range users {
		if _, err := b.client.CreateUser(wire.CreateUser{Username: loginUser(i), Password: loginUser(i), Status: wire.UserActive}); err != nil {
			t.Fatal(err)
		}
	}
	until := func(done <-chan struct{}) (all latencies) {
		for {
			select {
			case <-done:
				return all
			default:
			}
			begin := time.Now()
			if err := b.roundTrip(); err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Since(begin))
			time.Sleep(time.Millisecond) // without a rest one asker keeps a core busy
		}
	}
	some := func() <-chan struct{} {
		done := make(chan struct{})
		time.AfterFunc(5*time.Second, func() { close(done) })
		return done
	}
	before := until(some())
	stopBurning := burnCores(t)
	burning := until(some())
	stopBurning()
	in := make(chan struct{})
	_, cpuBefore := s.usage(t)
	var said []byte
	go func() {
		defer close(in)
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), fmt.Sprint(loginUsers, "=", users), fmt.Sprint(loginAddress, "=", s.address))
		c.Stderr = os.Stderr
		var err error
		if said, err = c.Output(); err != nil {
			t.Errorf("logins: %v", err)
		}
	}()
	during := until(in)
	_, cpuAfter := s.usage(t)
	var took latencies
	if err := json.Unmarshal(said, &took); err != nil {
		t.Fatalf("logins: got %q: %v", said, err)
	}
	t.Logf("%d logins: the last was in after %v, half of them after %v, with %v of CPU; a send and a poll before: %v; beside busy cores: %v; meanwhile: %v",
		loginsCount, took.at(1), took.at(0.5), cpuAfter-cpuBefore, before, burning, during)
	if last := took.at(1); last > timeMax {
		t.Errorf("the last login: got it after %v, want it within %v", last, timeMax)
	}
	if was, is := before.at(0.99), during.at(0.99); is > 2*was {
		t.Errorf("p99 of a send and a poll: got %v during the logins, want at most twice the %v before", is, was)
	}
}
