package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galgo/wire"
	"galgo/wire/client"
)

const mib = 1 << 20

// residentMax is the most memory that the server's process has had, in bytes.
func (s *server) residentMax(t *testing.T) uint64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("got no VmHWM in %q", status)
	return 0
}

// wantResident checks the promise of --memory: the process never has more than the budget, 64 MiB, 2 KiB for each partition and 4 KiB for each
// connection.
func (s *server) wantResident(t *testing.T, budget, partitions, connections uint64) {
	t.Helper()
	got, want := s.residentMax(t), budget+64*mib+partitions<<11+connections<<12
	t.Logf("resident memory with a budget of %d MiB, %d partitions, %d connections: %d MiB, %d MiB allowed", budget/mib, partitions, connections, got/mib, want/mib)
	if got > want && !raceEnabled {
		t.Errorf("resident memory: got %d bytes, want %d at most", got, want)
	}
}

// descriptors is how many the server has open.
func (s *server) descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.process.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// together calls each with the numbers below n, on several connections.
func (s *server) together(t *testing.T, n int, each func(c *client.Client, i int) error) {
	t.Helper()
	var running sync.WaitGroup
	var next atomic.Int64
	for range 8 {
		c := s.dial(t)
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !t.Failed(); i = int(next.Add(1)) - 1 {
				if err := each(c, i); err != nil {
					t.Errorf("number %d: %v", i, err)
				}
			}
		})
	}
	running.Wait()
}

// More partitions with data than the process may have files open: all of them are written, read, and found again after a kill, and the memory
// stays within what it may be. ACCEPTANCE_LONG=1 makes it 10,000 partitions.
func TestManyPartitionsFewDescriptors(t *testing.T) {
	topics := 3
	if os.Getenv("ACCEPTANCE_LONG") != "" {
		topics = 10
	}
	const partitions, files, budget = 1000, 1024, 64 * mib
	all := topics * partitions
	o := options{files: files, shards: 2, env: []string{"GALGO_MEMORY=64 MiB"}}
	s := start(t, o)
	c := s.dial(t)
	if _, err := c.CreateStream("here"); err != nil {
		t.Fatal(err)
	}
	for i := range topics {
		if _, err := c.CreateTopic(wire.CreateTopic{Stream: ident(here), PartitionsCount: partitions, Name: fmt.Appendf(nil, "t%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	of := func(i int) (wire.Ident, uint32) {
		return wire.IdentNamed(fmt.Appendf(nil, "t%d", i/partitions)), uint32(i % partitions)
	}
	write := func(round int) {
		t.Helper()
		begin := time.Now()
		s.together(t, all, func(c *client.Client, i int) error {
			topic, partition := of(i)
			var b wire.BatchBuilder
			b.Reset(1)
			b.Add(wire.U128{Lo: uint64(i + 1)}, 0, payload(uint64(round*all+i)), nil)
			sent, err := c.Send(ident(here), topic, wire.Partitioning{Kind: wire.PartitionNumbered, ID: partition}, b.Bytes())
			if err == nil && sent.BaseOffset != uint64(round) {
				err = fmt.Errorf("got offset %d, want %d", sent.BaseOffset, round)
			}
			return err
		})
		t.Logf("round %d: %d partitions written in %v, %d descriptors open", round, all, time.Since(begin), s.descriptors(t))
	}
	read := func(rounds int) {
		t.Helper()
		begin := time.Now()
		s.together(t, all, func(c *client.Client, i int) error {
			topic, partition := of(i)
			got, err := c.Poll(wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: ident(here), Topic: topic,
				Partition: wire.OptionalPartition{Present: true, ID: partition}, Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 10})
			if err == nil && got.Count != uint32(rounds) {
				err = fmt.Errorf("got %d messages, want %d", got.Count, rounds)
			}
			if err != nil {
				return err
			}
			round := 0
			for _, message := range got.All() {
				if !bytes.Equal(message.Payload, payload(uint64(round*all+i))) {
					return fmt.Errorf("message %d: got the bytes of another", round)
				}
				round++
			}
			return nil
		})
		t.Logf("%d partitions read in %v, %d descriptors open", all, time.Since(begin), s.descriptors(t))
		if n := s.descriptors(t); n > files {
			t.Errorf("descriptors: got %d, want %d at most", n, files)
		}
	}
	write(0)
	write(1)
	read(2)
	s.wantResident(t, budget, uint64(all), 20)
	s.kill(t)
	o.dir = s.dir
	begin := time.Now()
	s = start(t, o)
	t.Logf("started again in %v", time.Since(begin))
	read(2)
	write(2)
	read(3)
	s.wantResident(t, budget, uint64(all), 30)
}
