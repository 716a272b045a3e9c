package acceptance

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"galgo/wire"

	"golang.org/x/sync/errgroup"
)

var (
	streamName = wire.IdentNamed([]byte("source"))
	topicName  = wire.IdentNamed([]byte("go"))
)

const (
	partitions = 4
	batchMax   = 1000 // messages of a batch of produce
)

// The Go source tree, line by line, goes in and comes out again, through kills and under other numbers of shards, from one large
// segment a partition and from many small ones.
func TestGoSource(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	paths, lines := sourceFiles(t)
	for _, level := range []string{"written", "durable"} {
		for _, test := range []struct {
			shards      [2]int
			segmentSize string
		}{{[2]int{1, 2}, "1 GiB"}, {[2]int{2, 1}, "16 MiB"}} {
			t.Run(fmt.Sprintf("%s from %d to %d shards", level, test.shards[0], test.shards[1]), func(t *testing.T) {
				goSource(t, level, test.shards, test.segmentSize, paths, lines)
			})
		}
	}
}

func goSource(t *testing.T, level string, shards [2]int, segmentSize string, paths []string, lines map[string]uint64) {
	ledger := newLedger(partitions)
	s := start(t, options{level: level, shards: shards[0]})
	createSourceTopic(t, s, segmentSize)
	whole := produceSource(t, s, ledger, paths, 3, nil)
	ledger.checkComplete(t, whole, lines)
	unanswered := uint64(0)
	for round, connections := range []int{4, 2} {
		// Somewhere in the middle: a pass has thousands of spans.
		killAt := 500 + rand.IntN(5000)
		produceSource(t, s, ledger, paths, connections, func(spans int) {
			if spans == killAt {
				s.kill(t)
			}
		})
		if !s.ended {
			t.Fatalf("the pass ended before the kill at %d spans", killAt)
		}
		unanswered += uint64(connections * batchMax)
		s = start(t, options{dir: s.dir, level: level, shards: shards[(round+1)%2]})
		auditSource(t, s, ledger, unanswered)
		if t.Failed() {
			t.Fatalf("round %d: killed at %d spans", round, killAt)
		}
	}
	s.stop(t)
	s = start(t, options{dir: s.dir, level: level, shards: shards[1]})
	auditSource(t, s, ledger, unanswered)
	s.stop(t)
}

func createSourceTopic(t *testing.T, s *server, segmentSize string) {
	t.Helper()
	c := s.dial(t)
	if _, err := c.CreateStream("source"); err != nil {
		t.Fatal(err)
	}
	key := wire.StringValue([]byte(wire.OptionSegmentSize.String()))
	_, err := c.CreateTopic(wire.CreateTopic{Stream: streamName, PartitionsCount: partitions, Name: []byte("go"),
		Options: wire.AppendPair(nil, key, wire.StringValue([]byte(segmentSize)))})
	if err != nil {
		t.Fatal(err)
	}
}

// produceSource produces all files and enters into the ledger what is acknowledged. It calls each, which may be nil, after each span;
// the command must succeed without it, and fail when it ended the server. It returns the number of the pass.
func produceSource(t *testing.T, s *server, ledger *ledger, paths []string, connections int, each func(spans int)) int {
	t.Helper()
	c := exec.CommandContext(t.Context(), galgo, "produce", "--address", s.address, "--stream=source", "--topic=go",
		fmt.Sprintf("--connections=%d", connections), "--key-by=path", "--source", "--report=/dev/stdout", "--files-from=-")
	var stderr strings.Builder
	c.Env, c.Stdin, c.Stderr = environ(), strings.NewReader(strings.Join(paths, "\n")), &stderr
	report, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	pass, spans := ledger.pass(), 0
	for scanner := bufio.NewScanner(report); scanner.Scan(); {
		span, err := parseSpan(pass, scanner.Text())
		if err == nil {
			err = ledger.add(span)
		}
		if err != nil {
			t.Fatal(err)
		}
		if spans++; each != nil {
			each(spans)
		}
	}
	err = c.Wait()
	switch {
	case !s.ended && err != nil:
		t.Fatalf("produce: %v: %s", err, &stderr)
	case s.ended && !strings.Contains(stderr.String(), "unknown whether the server has"):
		t.Errorf("produce, with its server killed: got %v and %q, want it to say what is unknown", err, &stderr)
	}
	return pass
}

// auditSource compares everything that the server has with the ledger and the files.
func auditSource(t *testing.T, s *server, ledger *ledger, unansweredMax uint64) {
	t.Helper()
	ledger.sort(t)
	var audits errgroup.Group
	counts := make([]uint64, partitions)
	for partition := range partitions {
		audits.Go(func() (err error) {
			counts[partition], err = ledger.audit(uint32(partition)).run(t.Context(), s.address)
			return err
		})
	}
	if err := audits.Wait(); err != nil {
		t.Fatal(err)
	}
	got, acknowledged := uint64(0), uint64(0)
	for partition, spans := range ledger.spans {
		got += counts[partition]
		for _, span := range spans {
			acknowledged += span.count
		}
	}
	if got < acknowledged || got > acknowledged+unansweredMax {
		t.Fatalf("got %d messages, want %d that were acknowledged and at most %d more", got, acknowledged, unansweredMax)
	}
	details, _, err := s.dial(t).Topic(streamName, topicName)
	if err != nil || details.MessagesCount != got {
		t.Fatalf("topic: got %d messages, %v, want %d", details.MessagesCount, err, got)
	}
}
