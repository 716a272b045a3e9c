package acceptance

import (
	"flag"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

var (
	residentReaders     = flag.Int("resident.readers", 100, "connections of TestResidentMemory that ask for much and do not read it")
	residentConnections = flag.Int("resident.connections", 500, "connections of TestResidentMemory that begin a frame and do not end it")
	residentPartitions  = flag.Int("resident.partitions", 1000, "partitions of TestResidentMemory, each with a message; it takes multiples of 1,000")
)

// Many who ask for far more than the memory has room for, and do not read it, many connections with half a small frame, and many partitions: the
// process stays within what it may have, and everybody is answered in the end. Asked for are old messages and new ones.
func TestResidentMemory(t *testing.T) {
	const budget, partitions, batches = 64 * mib, 8, 40
	readersCount, silent := *residentReaders, *residentConnections
	if testing.Short() {
		readersCount, silent = min(readersCount, 20), min(silent, 100)
	}
	s := start(t, options{shards: 2, env: []string{"GALGO_MEMORY=64 MiB", "IGGY_METADATA_CLIENTS_TABLE_MAX=65536"}})
	c := s.dial(t)
	if _, err := c.CreateStream("here"); err != nil {
		t.Fatal(err)
	}
	topic := func(name string, partitions int) {
		t.Helper()
		if _, err := c.CreateTopic(wire.CreateTopic{Stream: ident(here), PartitionsCount: uint32(partitions), Name: []byte(name)}); err != nil {
			t.Fatal(err)
		}
	}
	var b wire.BatchBuilder
	fill := func(messages int) []byte {
		b.Reset(1)
		for i := range messages {
			b.Add(wire.U128{Lo: uint64(i + 1)}, 0, make([]byte, 1000), nil)
		}
		return b.Bytes()
	}
	topic("large", partitions)
	large, small := append([]byte(nil), fill(1000)...), append([]byte(nil), fill(1)...)
	s.together(t, partitions*batches, func(c *client.Client, i int) error {
		_, err := c.Send(ident(here), named("large"), wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(i % partitions)}, large)
		return err
	})
	for i := range *residentPartitions / 1000 {
		topic(fmt.Sprint("t", i), 1000)
	}
	s.together(t, *residentPartitions, func(c *client.Client, i int) error {
		_, err := c.Send(ident(here), named(fmt.Sprint("t", i/1000)), wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(i % 1000)}, small)
		return err
	})

	token, err := c.CreateToken("resident", 0)
	if err != nil {
		t.Fatal(err)
	}
	connect := func(n int) *rawConn {
		t.Helper()
		conn := dialRaw(t, s)
		conn.client = wire.U128{Lo: uint64(n) + 1, Hi: 1}
		body := wire.AppendRegister(nil, wire.Register{ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("raw"), SDKVersion: []byte("1"),
			Credentials: wire.AppendTokenCredentials(nil, wire.TokenCredentials{Token: []byte(token)})})
		a := conn.ask(frame(wire.RequestHeader{Command: wire.FrameRequest, Operation: wire.OpRegister, Client: conn.client}, body))
		registered, err := wire.DecodeRegistered(a.body)
		if a.String() != "ok" || err != nil {
			t.Fatalf("connection %d: got %s, %v, want a session", n, a, err)
		}
		conn.session, conn.next = registered.Session, 1
		return conn
	}
	for i := range silent { // each has begun a small frame, and does not go on
		conn := connect(readersCount + i)
		ping := conn.request(wire.OpNonReplicated, wire.CodePing, make([]byte, 100))
		conn.write(ping[:len(ping)-1])
	}
	const polls = 3
	var readers []*rawConn
	for i := range readersCount {
		conn := connect(i)
		strategy := wire.Strategy{Kind: wire.PollFirst}
		if i%2 == 1 {
			strategy.Kind = wire.PollLast
		}
		for range polls {
			conn.write(conn.request(wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, wire.PollMessages{
				Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: ident(here), Topic: named("large"),
				Partition: wire.OptionalPartition{Present: true, ID: uint32(i / 2 % partitions)}, Strategy: strategy, Count: 10_000})))
		}
		readers = append(readers, conn)
	}
	var served, bytes atomic.Int64
	var reading sync.WaitGroup
	for i, conn := range readers {
		reading.Go(func() {
			for range polls {
				a := conn.read()
				if !a.is("ok or status 4011") { // those that wait too long for memory are told
					t.Errorf("reader %d: got %s, want messages", i, a)
					return
				}
				if a.String() == "ok" {
					served.Add(1)
					bytes.Add(int64(len(a.body)))
				}
			}
		})
	}
	reading.Wait()
	t.Logf("%d of %d polls brought %d MiB", served.Load(), polls*readersCount, bytes.Load()/mib)
	if got := int(served.Load()); got < readersCount {
		t.Errorf("polls that were served: got %d of %d, want %d at least", got, polls*readersCount, readersCount)
	}
	s.wantResident(t, budget, uint64(partitions+*residentPartitions), uint64(readersCount+silent))
	s.stop(t)
}
