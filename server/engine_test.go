package server_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

var levels = []string{"memory", "written", "durable"}

func TestSendAndPollAtEachLevel(t *testing.T) {
	for _, level := range levels {
		t.Run(level, func(t *testing.T) {
			s := start(t, setup{shards: 2, level: level})
			c := s.dial()
			orders := topic(t, c, "orders", 3)
			var b wire.BatchBuilder
			next := [3]uint64{}
			for i := range 60 {
				partition := uint32(i % 3)
				send(t, c, orders, partition, batch(&b, next[partition], 1+i, 10*i), next[partition])
				next[partition] += uint64(1 + i)
				details, _, err := c.Topic(named("s"), orders)
				if err != nil {
					t.Fatal(err)
				}
				want := next[0] + next[1] + next[2]
				if details.MessagesCount != want {
					t.Fatalf("messages of the topic: got %d, want %d", details.MessagesCount, want)
				}
			}
			for partition := range uint32(3) {
				readAll(t, c, orders, partition, next[partition], 7)
				readAll(t, c, orders, partition, next[partition], 1000)
			}
			s.stop()
			s = start(t, setup{dir: s.dir, shards: 1, level: level})
			c = s.dial()
			for partition := range uint32(3) {
				readAll(t, c, orders, partition, next[partition], 13)
			}
		})
	}
}

// strategies polls with each strategy a partition of 100 batches of 10 messages. What comes from disk may be fewer messages than there are.
func strategies(t *testing.T, c *client.Client, orders wire.Ident, times []uint64) {
	t.Helper()
	const next = 1000
	check := func(kind uint8, value uint64, count uint32, from, to uint64) {
		t.Helper()
		got := poll(t, c, orders, 0, wire.Strategy{Kind: kind, Value: value}, count, false)
		if from < to && got.Count == 0 {
			t.Fatalf("poll of kind %d at %d: got nothing, want messages from %d", kind, value, from)
		}
		expect(t, got, from, min(to, from+uint64(got.Count)))
	}
	check(wire.PollFirst, 0, 25, 0, 25)
	check(wire.PollLast, 0, 25, next-25, next)
	check(wire.PollLast, 0, 5000, 0, next)
	check(wire.PollOffset, 333, 1, 333, 334)
	check(wire.PollOffset, 995, 100, 995, next)
	check(wire.PollOffset, 1000, 100, 0, 0)
	check(wire.PollOffset, 5, 0, 0, 0)
	for i, micros := range times {
		first := i
		for first > 0 && times[first-1] == micros {
			first--
		}
		check(wire.PollTimestamp, micros, 15, uint64(first)*10, min(uint64(first)*10+15, next))
	}
	check(wire.PollTimestamp, 0, 15, 0, 15)
	check(wire.PollTimestamp, times[len(times)-1]+1, 15, 0, 0)
}

func TestPollStrategies(t *testing.T) {
	for _, level := range levels {
		t.Run(level, func(t *testing.T) {
			s := start(t, setup{level: level})
			c := s.dial()
			orders := topic(t, c, "orders", 1, option("segment_size", "1 MiB"))
			var b wire.BatchBuilder
			var times []uint64
			for i := range uint64(100) {
				send(t, c, orders, 0, batch(&b, i*10, 10, 4000), i*10)
			}
			for header := range poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollFirst}, 1000, false).All() {
				if n := len(times); n == 0 || header.BaseOffset == uint64(n)*10 {
					times = append(times, header.BaseTimestamp)
				}
			}
			if len(times) != 100 {
				t.Fatalf("batches: got %d, want 100", len(times))
			}
			strategies(t, c, orders, times)
			// Next goes on behind what was committed.
			for at := uint64(0); at < 1000; at += 50 {
				expect(t, poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollNext}, 50, true), at, at+50)
			}
			expect(t, poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollNext}, 50, true), 0, 0)
			s.stop()
			s = start(t, setup{dir: s.dir, shards: 2, level: level})
			c = s.dial()
			strategies(t, c, orders, times)
			expect(t, poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollNext}, 50, true), 0, 0)
			send(t, c, orders, 0, batch(&b, 1000, 10, 4000), 1000)
			expect(t, poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollNext}, 50, true), 1000, 1010)
			// On disk as far as it is written, which at level memory may be less than is visible.
			cold := poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollOffset, Value: 995}, 50, false)
			if level != "memory" && cold.Count != 15 {
				t.Errorf("poll over where memory begins: got %d messages, want 15", cold.Count)
			}
			expect(t, cold, 995, 995+max(uint64(cold.Count), 5))
		})
	}
}

func TestRollAndRestartWithOtherShards(t *testing.T) {
	s := start(t, setup{shards: 1})
	c := s.dial()
	orders := topic(t, c, "orders", 5, option("segment_size", "1 MiB"))
	var b wire.BatchBuilder
	next := [5]uint64{}
	random := rand.New(rand.NewPCG(1, 2))
	for _, shards := range []int{3, 2, 4, 1} {
		for range 150 {
			partition := uint32(random.IntN(5))
			count := 1 + random.IntN(100)
			send(t, c, orders, partition, batch(&b, next[partition], count, random.IntN(3000)), next[partition])
			next[partition] += uint64(count)
		}
		s.stop()
		s = start(t, setup{dir: s.dir, shards: shards})
		c = s.dial()
		for partition := range uint32(5) {
			readAll(t, c, orders, partition, next[partition], 1+uint32(random.IntN(500)))
		}
		details, _, err := c.Topic(named("s"), orders)
		if err != nil {
			t.Fatal(err)
		}
		if want := next[0] + next[1] + next[2] + next[3] + next[4]; details.MessagesCount != want {
			t.Fatalf("messages after the restart: got %d, want %d", details.MessagesCount, want)
		}
	}
}

// Many senders keep a write in flight while segments roll.
func TestRollUnderLoad(t *testing.T) {
	for _, level := range levels {
		t.Run(level, func(t *testing.T) {
			s := start(t, setup{shards: 2, level: level})
			orders := topic(t, s.dial(), "orders", 2, option("segment_size", "1 MiB"))
			var group sync.WaitGroup
			for i := range 8 {
				c := s.dial()
				group.Go(func() {
					var b wire.BatchBuilder
					for range 60 {
						if _, err := c.Send(named("s"), orders, wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(i % 2)}, batch(&b, 0, 1+i, 9000*(i+1))); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			want := uint64(0)
			for i := range 8 {
				want += 60 * uint64(1+i)
			}
			count := func(c *client.Client) (n uint64) {
				for partition := range uint32(2) {
					for at := uint64(0); ; {
						got := poll(t, c, orders, partition, wire.Strategy{Kind: wire.PollOffset, Value: at}, 100, false)
						if got.Count == 0 {
							break
						}
						at += uint64(got.Count)
						n += uint64(got.Count)
					}
				}
				return n
			}
			if got := count(s.dial()); got != want {
				t.Fatalf("messages: got %d, want %d", got, want)
			}
			s.stop()
			s = start(t, setup{dir: s.dir, shards: 1, level: level})
			if got := count(s.dial()); got != want {
				t.Fatalf("messages after the restart: got %d, want %d", got, want)
			}
		})
	}
}

func TestDeleteAndRecreate(t *testing.T) {
	s := start(t, setup{shards: 2})
	c := s.dial()
	var b wire.BatchBuilder
	for round := range 5 {
		orders := topic(t, c, "orders", 4, option("segment_size", "1 MiB"))
		for i := range uint64(20) {
			for partition := range uint32(4) {
				send(t, c, orders, partition, batch(&b, i*10, 10, 20000), i*10)
			}
		}
		if err := c.StoreOffset(wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: named("s"), Topic: orders,
			Partition: wire.OptionalPartition{Present: true, ID: 0}}, 7); err != nil {
			t.Fatal(err)
		}
		expect(t, poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollNext}, 3, false), 8, 11)
		if err := c.DeleteTopic(named("s"), orders); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Send(named("s"), orders, wire.Partitioning{Kind: wire.PartitionNumbered}, batch(&b, 0, 1, 1)); err == nil {
			t.Fatalf("round %d: a send to a deleted topic: got no error", round)
		}
	}
	s.stop() // files are removed behind the answer
	s = start(t, setup{dir: s.dir, shards: 2})
	s.stop()
	if files, err := filepath.Glob(filepath.Join(s.dir, "segments", "[0-9a-f]*")); err != nil || len(files) > 0 {
		t.Errorf("files of deleted topics beside the pool: got %v %v, want none", files, err)
	}
}

// A client may send requests without waiting: the answers come in their order.
func TestPipelinedFrames(t *testing.T) {
	s := start(t, setup{shards: 2})
	orders := topic(t, s.dial(), "orders", 2)
	conn := s.dialRaw()
	defer func() { _ = conn.Close() }()
	session := login(t, conn, 5)
	var b wire.BatchBuilder
	var out []byte
	const requests = 300
	for i := range uint64(requests) {
		body := wire.AppendSendMessages(nil, wire.SendMessages{Stream: named("s"), Topic: orders, MessagesCount: 1,
			Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(i % 2)}})
		body = append(body, batch(&b, i/2, 1, int(i*i)%20000)...)
		out = appendFrame(out, wire.RequestHeader{Operation: wire.OpSendMessages, Session: session, Request: i + 1, Client: wire.U128{Lo: 5}}, body)
	}
	var group sync.WaitGroup
	group.Go(func() {
		random := rand.New(rand.NewPCG(3, 4))
		for len(out) > 0 { // in pieces that have nothing to do with the frames
			n := min(len(out), 1+random.IntN(5000))
			if _, err := conn.Write(out[:n]); err != nil {
				t.Error(err)
				return
			}
			out = out[n:]
		}
	})
	for i := range uint64(requests) {
		header, body := readReply(t, conn)
		if header.Request != i+1 || header.Status != wire.StatusOK {
			t.Fatalf("reply: got request %d, status %v, want %d", header.Request, header.Status, i+1)
		}
		if got, err := wire.DecodeSendReply(body); err != nil || got.BaseOffset != i/2 || got.PartitionID != uint32(i%2) {
			t.Fatalf("confirmation %d: got %+v %v", i, got, err)
		}
	}
	group.Wait()
	readAll(t, s.dial(), orders, 0, requests/2, 100)
}

// login registers a client on a raw connection.
func login(t *testing.T, conn net.Conn, client uint64) uint64 {
	t.Helper()
	body := wire.AppendRegister(nil, wire.Register{ProtocolVersion: wire.ProtocolVersion, SDKName: []byte("raw"), SDKVersion: []byte("1"),
		Credentials: wire.AppendPasswordCredentials(nil, wire.PasswordCredentials{Username: []byte("iggy"), Password: []byte("iggy")})})
	if _, err := conn.Write(appendFrame(nil, wire.RequestHeader{Operation: wire.OpRegister, Client: wire.U128{Lo: client}, RequestChecksum: wire.BodyChecksum(body)}, body)); err != nil {
		t.Fatal(err)
	}
	_, reply := readReply(t, conn)
	payload, _, err := wire.DecodeResult(reply)
	if err != nil {
		t.Fatal(err)
	}
	registered, err := wire.DecodeRegistered(payload)
	if err != nil {
		t.Fatal(err)
	}
	return registered.Session
}

func appendFrame(dst []byte, header wire.RequestHeader, body []byte) []byte {
	header.Size, header.Command = uint32(wire.FrameHeaderSize+len(body)), wire.FrameRequest
	return append(wire.AppendRequestHeader(dst, header), body...)
}

func readReply(t *testing.T, conn net.Conn) (wire.ReplyHeader, []byte) {
	t.Helper()
	var head [wire.FrameHeaderSize]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		t.Fatal(err)
	}
	header, err := wire.DecodeReplyHeader(head[:])
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, header.Size-wire.FrameHeaderSize)
	if _, err := io.ReadFull(conn, body); err != nil {
		t.Fatal(err)
	}
	return header, body
}

// Connections come and go in every state; afterwards the server still has room for as many as before.
func TestConnectionsComeAndGo(t *testing.T) {
	s := start(t, setup{shards: 2})
	orders := topic(t, s.dial(), "orders", 4)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			var b wire.BatchBuilder
			for range 60 {
				conn := s.dialRaw()
				if conn == nil {
					return
				}
				switch random.IntN(6) {
				case 0: // says nothing
				case 1: // half a header
					_, _ = conn.Write(make([]byte, random.IntN(wire.FrameHeaderSize)))
				case 2: // garbage
					_, _ = conn.Write(payload(random.Uint64(), 300))
				default:
					session := login(t, conn, uint64(worker+1))
					body := wire.AppendSendMessages(nil, wire.SendMessages{Stream: named("s"), Topic: orders, MessagesCount: 1,
						Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: uint32(random.IntN(4))}})
					body = append(body, batch(&b, 0, 1, random.IntN(100_000))...)
					var frames []byte
					for range 1 + random.IntN(4) {
						frames = appendFrame(frames, wire.RequestHeader{Operation: wire.OpSendMessages, Session: session, Request: 1, Client: wire.U128{Lo: uint64(worker + 1)}}, body)
					}
					n := random.IntN(len(frames) + 1)
					_, _ = conn.Write(frames[:n])
					if n > wire.FrameHeaderSize+len(body) && random.IntN(2) == 0 {
						if _, err := io.ReadFull(conn, make([]byte, 10)); err != nil {
							t.Errorf("answer to a send: got %v", err)
						}
					}
				}
				if random.IntN(2) == 0 {
					_ = conn.(*net.TCPConn).SetLinger(0)
				}
				_ = conn.Close()
			}
		})
	}
	group.Wait()
	for range 3 {
		c := s.dial()
		var b wire.BatchBuilder
		if _, err := c.Send(named("s"), orders, wire.Partitioning{Kind: wire.PartitionBalanced}, batch(&b, 0, 1, 10)); err != nil {
			t.Fatal(err)
		}
		poll(t, c, orders, 0, wire.Strategy{Kind: wire.PollFirst}, 10, false)
	}
}

// One who does not read its answers holds up nobody else.
func TestSlowReader(t *testing.T) {
	s := start(t, setup{shards: 1})
	c := s.dial()
	orders := topic(t, c, "orders", 1)
	var b wire.BatchBuilder
	for i := range uint64(20) {
		send(t, c, orders, 0, batch(&b, i*10, 10, 100_000), i*10)
	}
	var slow []net.Conn
	body := wire.AppendPollMessages(nil, wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: named("s"), Topic: orders,
		Partition: wire.OptionalPartition{Present: true}, Strategy: wire.Strategy{Kind: wire.PollFirst}, Count: 200})
	for client := range uint64(5) {
		conn := s.dialRaw()
		defer func() { _ = conn.Close() }()
		session := login(t, conn, client+1)
		var frames []byte
		for i := range uint64(10) {
			frames = appendFrame(frames, wire.RequestHeader{Operation: wire.OpNonReplicated, Code: wire.CodePollMessages, Session: session, Request: i + 1, Client: wire.U128{Lo: client + 1}}, body)
		}
		if _, err := conn.Write(frames); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, conn)
	}
	for i := range uint64(20) {
		send(t, c, orders, 0, batch(&b, 200+i*10, 10, 100_000), 200+i*10)
	}
	readAll(t, c, orders, 0, 400, 100)
	for range 10 { // and gets them all in the end, each with a batch at least: from the disk it may be less than from memory
		header, body := readReply(t, slow[0])
		if header.Status != wire.StatusOK || len(body) < 1_000_000 {
			t.Fatalf("slow reply: got status %v, %d bytes", header.Status, len(body))
		}
	}
}

func TestLargeFrames(t *testing.T) {
	const size, rounds = 20 << 20, 4
	for _, shards := range []int{1, 2} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			s := start(t, setup{shards: shards, memory: "160 MiB"})
			orders := topic(t, s.dial(), "orders", 4)
			var group sync.WaitGroup
			for partition := range uint32(4) {
				c := s.dial()
				group.Go(func() {
					var b wire.BatchBuilder
					for i := range uint64(rounds) {
						send(t, c, orders, partition, batch(&b, i, 1, size), i)
					}
				})
			}
			group.Wait()
			c := s.dial()
			for partition := range uint32(4) {
				readAll(t, c, orders, partition, rounds, 2)
			}
			s.stop()
			s = start(t, setup{dir: s.dir, shards: 1, memory: "160 MiB"})
			c = s.dial()
			for partition := range uint32(4) {
				readAll(t, c, orders, partition, rounds, 100)
			}
		})
	}
}

func TestLargestFrame(t *testing.T) {
	s := start(t, setup{shards: 2, memory: "160 MiB"})
	c := s.dial()
	orders := topic(t, c, "orders", 2)
	var b wire.BatchBuilder
	for i := range uint64(4) {
		for partition := range uint32(2) {
			send(t, c, orders, partition, batch(&b, 2*i, 1, wire.FrameSizeMax-700), 2*i)
			send(t, c, orders, partition, batch(&b, 2*i+1, 1, 10), 2*i+1) // for which the answer to a poll of both has no room
		}
	}
	for partition := range uint32(2) {
		readAll(t, c, orders, partition, 8, 10)
	}
}

// More data than memory, in more partitions than fit: hot tails give way, and everything is read back.
func TestMemoryPressure(t *testing.T) {
	for _, level := range levels {
		t.Run(level, func(t *testing.T) {
			const partitions, rounds = 200, 5
			s := start(t, setup{shards: 2, memory: "24 MiB", level: level})
			orders := topic(t, s.dial(), "orders", partitions, option("segment_size", "1 MiB"))
			var group sync.WaitGroup
			for worker := range uint32(8) {
				c := s.dial()
				group.Go(func() {
					var b wire.BatchBuilder
					for i := range uint64(rounds) {
						for partition := worker; partition < partitions; partition += 8 {
							send(t, c, orders, partition, batch(&b, i*5, 5, 4000), i*5)
							if partition%3 == 0 {
								readAll(t, c, orders, partition, (i+1)*5, 20)
							}
						}
					}
				})
			}
			group.Wait()
			c := s.dial()
			for partition := range uint32(partitions) {
				readAll(t, c, orders, partition, rounds*5, 100)
			}
			// The last blocks are read back when partitions are appended to again.
			var b wire.BatchBuilder
			for partition := range uint32(partitions) {
				send(t, c, orders, partition, batch(&b, rounds*5, 1, 10), rounds*5)
			}
			for partition := range uint32(partitions) {
				readAll(t, c, orders, partition, rounds*5+1, 7)
			}
		})
	}
}

func TestOffsets(t *testing.T) {
	s := start(t, setup{shards: 2})
	c := s.dial()
	orders := topic(t, c, "orders", 2)
	key := wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: named("reader")}, Stream: named("s"), Topic: orders,
		Partition: wire.OptionalPartition{Present: true, ID: 1}}
	wantStatus(t, c.StoreOffset(key, 0), wire.StatusInvalidOffset)
	wantStatus(t, c.DeleteOffset(key), wire.StatusConsumerOffsetNotFound)
	var b wire.BatchBuilder
	send(t, c, orders, 1, batch(&b, 0, 10, 10), 0)
	wantStatus(t, c.StoreOffset(key, 10), wire.StatusInvalidOffset)
	for _, offset := range []uint64{9, 3} {
		if err := c.StoreOffset(key, offset); err != nil {
			t.Fatal(err)
		}
		if got, found, err := c.Offset(key); err != nil || !found || got.StoredOffset != offset || got.CurrentOffset != 9 {
			t.Fatalf("stored offset: got %+v %v %v, want %d", got, found, err, offset)
		}
	}
	s.stop()
	s = start(t, setup{dir: s.dir, shards: 1})
	c = s.dial()
	if got, found, err := c.Offset(key); err != nil || !found || got.StoredOffset != 3 {
		t.Fatalf("stored offset after a restart: got %+v %v %v, want 3", got, found, err)
	}
	if err := c.DeleteOffset(key); err != nil {
		t.Fatal(err)
	}
	if _, found, err := c.Offset(key); err != nil || found {
		t.Fatalf("deleted offset: got %v %v, want none", found, err)
	}
}

// Stopping answers what is under way.
func TestStopUnderLoad(t *testing.T) {
	s := start(t, setup{shards: 2})
	orders := topic(t, s.dial(), "orders", 2)
	var group sync.WaitGroup
	var lock sync.Mutex
	acked := map[uint32]uint64{}
	begun := make(chan struct{}, 1000)
	for worker := range uint32(6) {
		c, err := client.Dial(context.Background(), s.Address, client.Options{Username: "iggy", Password: "iggy"})
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			defer func() { _ = c.Close() }()
			var b wire.BatchBuilder
			for {
				got, err := c.Send(named("s"), orders, wire.Partitioning{Kind: wire.PartitionNumbered, ID: worker % 2}, batch(&b, 0, 1, 50))
				if err != nil {
					return
				}
				lock.Lock()
				acked[worker%2] = max(acked[worker%2], got.BaseOffset)
				lock.Unlock()
				select {
				case begun <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 500 {
		<-begun
	}
	s.stop()
	group.Wait()
	s = start(t, setup{dir: s.dir, shards: 1})
	c := s.dial()
	for partition, last := range acked {
		if got := poll(t, c, orders, partition, wire.Strategy{Kind: wire.PollOffset, Value: last}, 1, false); got.Count != 1 || got.CurrentOffset < last {
			t.Errorf("partition %d: got current offset %d, want %d at least", partition, got.CurrentOffset, last)
		}
	}
}
