package acceptance

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"galgo/uring"
	"galgo/wire/client"
)

var (
	crashRounds = flag.Int("crash.rounds", 20, "rounds of TestCrash on each kernel; a round ends with a kill or, sometimes, a stop")
	crashSeed   = flag.Uint64("crash.seed", 0, "what TestCrash does is drawn from this number; 0 draws one")
	crashCopy   = flag.Bool("crash.copy", false, "TestCrash keeps a copy of the directory as each kill left it, beside a directory that it keeps")
)

// A server that is killed at any moment, over and over, keeps what it acknowledged at the levels that promise it, what it showed, and every
// change of metadata, whatever its number of shards and its kernel. What was not acknowledged is there once or not at all.
func TestCrash(t *testing.T) {
	kernels := []string{"io_uring", "portable"}
	if only := os.Getenv("ACCEPTANCE_IO"); only != "" {
		kernels = []string{only}
	}
	for _, kernel := range kernels {
		t.Run(kernel, func(t *testing.T) {
			if err := uring.Probe(); kernel == "io_uring" && err != nil {
				t.Skip(err)
			}
			rounds := *crashRounds
			if testing.Short() {
				rounds = min(rounds, 4)
			}
			newCrash(t, kernel).run(rounds)
		})
	}
}

// crash is a data directory, the servers that are killed on it one after the other, and what clients know.
type crash struct {
	t      *testing.T
	seed   uint64
	random *rand.Rand
	kernel string
	dir    string
	round  int

	topics  []*crashTopic
	authors []*author
	storm   *storm
	ends    map[string]int // how rounds ended
}

func newCrash(t *testing.T, kernel string) *crash {
	t.Helper()
	c := &crash{t: t, seed: *crashSeed, kernel: kernel, ends: map[string]int{}}
	if c.seed == 0 {
		c.seed = rand.Uint64()
	}
	c.random = rand.New(rand.NewPCG(c.seed, 0))
	base, err := os.MkdirTemp("", "galgo-crash-")
	if err != nil {
		t.Fatal(err)
	}
	c.dir = filepath.Join(base, "data")
	t.Logf("seed %d: -crash.seed=%d draws the same again, but for the moments at which the kills hit", c.seed, c.seed)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d, round %d: the data directory is kept in %s", c.seed, c.round, base)
		} else if err := os.RemoveAll(base); err != nil {
			t.Error(err)
		}
	})
	c.topics = []*crashTopic{
		newCrashTopic("default", 3, false, false),
		newCrashTopic("durable", 2, true, true),
		newCrashTopic("durable log", 2, true, false),
		newCrashTopic("default too", 1, false, true),
	}
	c.authors = []*author{newAuthor("a"), newAuthor("b")}
	c.storm = newStorm()
	return c
}

// run plays some rounds, and then checks what the last one left.
func (c *crash) run(rounds int) {
	for c.round = range rounds {
		c.playRound()
		if c.t.Failed() {
			c.t.FailNow()
		}
	}
	s := c.launch(c.level(), c.random.IntN(4)+1)
	c.check(s)
	s.stop(c.t)
	held := 0
	for _, topic := range c.topics {
		for i := range topic.partitions {
			held += len(topic.partitions[i].kept)
		}
	}
	c.t.Logf("%d rounds, ended by: %v; %d messages are there in the end", rounds, c.ends, held)
}

func (c *crash) level() string {
	return []string{"memory", "written", "written", "durable"}[c.random.IntN(4)]
}

func (c *crash) fatal(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("seed %d, round %d: %s", c.seed, c.round, fmt.Sprintf(format, args...))
}

// launch starts a server on the directory.
func (c *crash) launch(level string, shards int) *server {
	c.t.Helper()
	if *crashCopy && c.round > 0 {
		before := c.dir + ".before"
		if err := errors.Join(os.RemoveAll(before), os.CopyFS(before, os.DirFS(c.dir))); err != nil {
			c.t.Fatal(err)
		}
	}
	return launch(c.t, options{dir: c.dir, level: level, shards: shards, env: []string{"GALGO_IO=" + c.kernel, "GALGO_MEMORY=192 MiB", "GALGO_LOGGING_FILE_ENABLED=false"}})
}

// playRound starts a server, which may be killed while it starts, checks what it has, and ends it under load.
func (c *crash) playRound() {
	level, shards := c.level(), c.random.IntN(4)+1
	end := c.drawEnd()
	files := watchFiles(c.t, c.dir)
	defer files.close()
	s := c.launch(level, shards)
	if end.starting > 0 {
		c.t.Logf("round %d: %s, %d shards, %s", c.round, level, shards, end)
		files.after("", end.starting, time.Second)
		time.Sleep(end.delay)
		s.kill(c.t)
		c.ends[end.name]++
		return
	}
	held := c.check(s)
	c.t.Logf("round %d: %s, %d shards, %d messages held, %s", c.round, level, shards, held, end)
	l := &crashLoad{crash: c, server: s, promised: level != "memory" || end.stop, end: end, counted: make(chan struct{}), deleting: make(chan struct{})}
	l.start()
	reached := l.await(files)
	time.Sleep(end.delay)
	select {
	case <-s.read:
		s.ended = true
		_ = s.process.Wait()
		c.fatal("the server ended by itself: %v", s.process.ProcessState)
	default:
	}
	if end.stop {
		s.stop(c.t)
	} else {
		s.kill(c.t)
	}
	l.running.Wait()
	if trouble := s.trouble(); trouble != "" {
		c.fatal("the server wrote %q", trouble)
	}
	if reached {
		c.ends[end.name]++
	} else {
		c.ends["time"]++
		c.t.Logf("round %d: %s was not reached", c.round, end.name)
	}
}

// check waits until a server serves and compares what it has with what was promised. It makes good what is missing with good reason. It
// returns how many messages there are.
func (c *crash) check(s *server) (held int) {
	c.t.Helper()
	if s.address = <-s.serves; s.address == "" {
		c.fatal("the server ended before it served")
	}
	conn := s.dial(c.t)
	if c.round == 0 {
		for _, name := range []string{crashStream, stormStream} {
			if _, err := conn.CreateStream(name); err != nil {
				c.fatal("%v", err)
			}
		}
	}
	for _, topic := range c.topics {
		if err := topic.check(conn); err != nil {
			c.fatal("topic %q: %v", topic.name, err)
		}
		for i := range topic.partitions {
			held += len(topic.partitions[i].kept)
		}
	}
	for _, a := range c.authors {
		if err := a.check(conn); err != nil {
			c.fatal("author %s: %v", a.name, err)
		}
	}
	if err := c.storm.check(conn); err != nil {
		c.fatal("%v", err)
	}
	if err := conn.Close(); err != nil {
		c.fatal("%v", err)
	}
	return held
}

// roundEnd is what ends a round.
type roundEnd struct {
	name     string
	starting int           // the server is killed at that change in its directory while it starts; 0: it is let start
	batches  int64         // under load, it is ended once so many batches were acknowledged,
	folder   string        // or at a change in this folder,
	changes  int           // the one of this number,
	deleting bool          // or when a topic is about to be deleted
	delay    time.Duration // and so long after
	stop     bool          // by SIGTERM
}

func (e roundEnd) String() string {
	return fmt.Sprintf("end: %s (change %d, batch %d, delay %v)", e.name, max(e.starting, e.changes), e.batches, e.delay)
}

// drawEnd draws what ends a round. The first and every fifth round load by batches, so that there always is something to lose.
func (c *crash) drawEnd() roundEnd {
	delay := time.Duration(c.random.IntN(4000)) * time.Microsecond
	batches := int64(50 + c.random.IntN(400))
	n := c.random.IntN(20)
	switch {
	case c.round%5 == 0:
		return roundEnd{name: "load", batches: batches, delay: delay}
	case c.round%10 == 4:
		return roundEnd{name: "offset log rewritten", folder: "offsets", changes: 1 + c.random.IntN(2), delay: delay / 8}
	case c.round%10 == 8:
		return roundEnd{name: "control log rolled", folder: "control", changes: 1 + c.random.IntN(8), delay: delay / 8}
	case n < 6:
		return roundEnd{name: "start", starting: 1 + c.random.IntN(12+2*c.round), delay: delay / 8}
	case n < 10:
		return roundEnd{name: "roll", folder: "segments", changes: 1 + c.random.IntN(20), delay: delay / 4}
	case n < 14:
		return roundEnd{name: "delete and create", deleting: true, delay: 2 * delay}
	case n < 15:
		return roundEnd{name: "stop", batches: batches, delay: delay, stop: true}
	}
	return roundEnd{name: "load", batches: batches, delay: delay}
}

// crashLoad is the clients of a round.
type crashLoad struct {
	*crash
	server   *server
	promised bool // what has the server's default level survives this round
	end      roundEnd
	running  sync.WaitGroup

	mutex    sync.Mutex
	batches  int64
	counted  chan struct{} // closed when the batches that end the round are there
	deleting chan struct{} // closed when a topic is about to be deleted
}

// start starts the clients. Each ends with its connection.
func (l *crashLoad) start() {
	l.mutex.Lock() // the reaper starts clients, too
	defer l.mutex.Unlock()
	reaped := l.topics[l.random.IntN(len(l.topics))]
	for _, topic := range l.topics {
		topic.promised = l.promised
		switch {
		case topic == reaped && (l.end.deleting || topic.size() > 16<<20):
			l.reap(topic)
		case topic == reaped || l.end.folder == "" || l.end.folder == "segments": // what takes long is not to make more than can be checked
			l.work(topic)
		}
	}
	for _, a := range l.authors {
		a.seed = l.random.Uint64()
		l.client("author "+a.name, a.run)
	}
	switch {
	case l.end.folder == "offsets":
		l.storm.promised = l.promised
		for i := range l.storm.keepers {
			l.client("keeper", l.storm.keepers[i].flood)
		}
	case l.end.folder == "control":
		l.client("storm", l.storm.run)
	}
}

// client runs a client until its connection breaks, which no refusal does.
func (l *crashLoad) client(name string, run func(*client.Client) error) {
	l.running.Go(func() {
		c, err := client.Dial(l.t.Context(), l.server.address, client.Options{Username: "iggy", Password: "iggy"})
		if err == nil {
			err = run(c)
			_ = c.Close()
		}
		var refused client.StatusError
		var wrong *wrongError
		if errors.As(err, &refused) || errors.As(err, &wrong) {
			l.t.Errorf("seed %d, round %d: %s: %v", l.seed, l.round, name, err)
		}
	})
}

// wrongError is about an answer that is none of those there may be.
type wrongError struct{ text string }

func (e *wrongError) Error() string { return e.text }

func wrong(format string, args ...any) error { return &wrongError{fmt.Sprintf(format, args...)} }

// work runs the producers and the consumer of a topic.
func (l *crashLoad) work(topic *crashTopic) {
	for range 2 {
		p := topic.producer(l.random.Uint64())
		l.client("producer of "+topic.name, func(c *client.Client) error { return p.run(c, l.count) })
	}
	l.client("consumer of "+topic.name, topic.read)
}

// reap deletes a topic and makes it again, and then it is worked on as others are.
func (l *crashLoad) reap(topic *crashTopic) {
	l.client("reaper of "+topic.name, func(c *client.Client) error {
		close(l.deleting)
		if err := topic.remake(c); err != nil {
			return err
		}
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.work(topic)
		return nil
	})
}

// count counts a batch that was acknowledged.
func (l *crashLoad) count() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.batches++; l.batches == l.end.batches {
		close(l.counted)
	}
}

// await waits for what ends the round, 20 seconds at most.
func (l *crashLoad) await(files *fileWatch) bool {
	reached := l.counted
	switch {
	case l.end.folder != "":
		return files.after(l.end.folder, l.end.changes, 20*time.Second)
	case l.end.deleting:
		reached = l.deleting
	}
	select {
	case <-reached:
		return true
	case <-l.server.read: // it ended by itself
	case <-time.After(20 * time.Second):
	}
	return false
}
