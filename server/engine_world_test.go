package server_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"galgo/server"
	"galgo/server/config"
	"galgo/wire"
	"galgo/wire/client"
)

// setup is what differs between the servers of the tests. The zero value has one shard and a new directory.
type setup struct {
	dir    string
	shards int
	memory string
	level  string
	env    []string // NAME=value
}

// running is a server in this process.
type running struct {
	*server.Server
	t       *testing.T
	dir     string
	stopped bool
}

func start(t *testing.T, o setup) *running {
	t.Helper()
	if o.dir == "" {
		o.dir = filepath.Join(t.TempDir(), "data")
	}
	if o.memory == "" {
		o.memory = "160 MiB"
	}
	if o.level == "" {
		o.level = "written"
	}
	if io := os.Getenv("ENGINE_IO"); io != "" { // the kernel behind the rings of all tests; see .ci/run
		o.env = append(o.env, "GALGO_IO="+io)
	}
	cfg, err := config.Load(config.Sources{WithDefaultRootCredentials: true, Environ: append([]string{
		"GALGO_DURABILITY_DEFAULT=" + o.level, "GALGO_LOGGING_LEVEL=off", "GALGO_LOGGING_FILE_ENABLED=false"}, o.env...),
		Flags: map[string]string{"data": o.dir, "tcp-address": "127.0.0.1:0", "shards": fmt.Sprint(max(o.shards, 1)), "memory": o.memory, "pin": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{Server: s, t: t, dir: o.dir}
	t.Cleanup(r.stop)
	return r
}

// stop ends the server, which has to come to an end in good order.
func (r *running) stop() {
	if r.stopped {
		return
	}
	r.stopped = true
	begin := time.Now()
	if err := r.Stop(); err != nil {
		r.t.Errorf("stop: got %v after %v, want a clean end", err, time.Since(begin))
	} else if leaks := r.Leaks(); leaks != "" {
		r.t.Errorf("after the stop: %s", leaks)
	}
}

// dial is a connection of root.
func (r *running) dial() *client.Client {
	r.t.Helper()
	c, err := client.Dial(context.Background(), r.Address, client.Options{Username: "iggy", Password: "iggy"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// dialRaw is a connection that nothing is said on yet. A minute without an answer is a failure.
func (r *running) dialRaw() net.Conn {
	conn, err := net.Dial("tcp", r.Address)
	if err == nil {
		err = conn.SetDeadline(time.Now().Add(time.Minute))
	}
	if err != nil {
		r.t.Error(err)
	}
	return conn
}

func named(name string) wire.Ident { return wire.IdentNamed([]byte(name)) }

// option is one pair of an options block.
func option(key, value string) []byte {
	return wire.AppendTypedValue(wire.AppendTypedValue(nil, wire.StringValue([]byte(key))), wire.StringValue([]byte(value)))
}

// topic creates a topic in the stream "s", which it creates if it must.
func topic(t *testing.T, c *client.Client, name string, partitions uint32, options ...[]byte) wire.Ident {
	t.Helper()
	if _, found, err := c.Stream(named("s")); err != nil {
		t.Fatal(err)
	} else if !found {
		if _, err := c.CreateStream("s"); err != nil {
			t.Fatal(err)
		}
	}
	create := wire.CreateTopic{Stream: named("s"), Name: []byte(name), PartitionsCount: partitions, Options: bytes.Join(options, nil)}
	if _, err := c.CreateTopic(create); err != nil {
		t.Fatal(err)
	}
	return named(name)
}

// payload is what message number n of a partition holds: the number, and bytes that follow from it.
func payload(n uint64, size int) []byte {
	b := make([]byte, max(size, 8))
	random := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = random.Read(b)
	binary.LittleEndian.PutUint64(b, n)
	return b
}

// batch is a batch of messages first, first+1, ...
func batch(b *wire.BatchBuilder, first uint64, count, size int) []byte {
	b.Reset(1)
	for i := range uint64(count) {
		b.Add(wire.U128{Lo: first + i + 1}, 0, payload(first+i, size), nil)
	}
	return b.Bytes()
}

// send sends a batch and checks where it went.
func send(t *testing.T, c *client.Client, topic wire.Ident, partition uint32, b []byte, want uint64) {
	t.Helper()
	got, err := c.Send(named("s"), topic, wire.Partitioning{Kind: wire.PartitionNumbered, ID: partition}, b)
	if err != nil {
		t.Fatal(err)
	}
	if got.BaseOffset != want {
		t.Fatalf("base offset: got %d, want %d", got.BaseOffset, want)
	}
}

func poll(t *testing.T, c *client.Client, topic wire.Ident, partition uint32, s wire.Strategy, count uint32, commit bool) client.Polled {
	t.Helper()
	got, err := c.Poll(wire.PollMessages{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(1)}, Stream: named("s"), Topic: topic,
		Partition: wire.OptionalPartition{Present: true, ID: partition}, Strategy: s, Count: count, AutoCommit: commit})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// expect checks that a poll returned messages [from, to), each with the payload that its number calls for.
func expect(t *testing.T, got client.Polled, from, to uint64) {
	t.Helper()
	next := from
	for header, message := range got.All() {
		offset := header.BaseOffset + uint64(message.OffsetDelta)
		if offset != next {
			t.Fatalf("message: got offset %d, want %d", offset, next)
		}
		if want := payload(offset, len(message.Payload)); !bytes.Equal(message.Payload, want) {
			t.Fatalf("payload of message %d: got one of %d", offset, binary.LittleEndian.Uint64(message.Payload))
		}
		next++
	}
	if next != to {
		t.Fatalf("messages: got [%d,%d), want [%d,%d)", from, next, from, to)
	}
}

// readAll reads a partition from its first message to the one before next.
func readAll(t *testing.T, c *client.Client, topic wire.Ident, partition uint32, next uint64, count uint32) {
	t.Helper()
	for at := uint64(0); at < next; {
		got := poll(t, c, topic, partition, wire.Strategy{Kind: wire.PollOffset, Value: at}, count, false)
		if got.Count == 0 || got.CurrentOffset != next-1 {
			t.Fatalf("poll at %d of %d: got %d messages, current offset %d", at, next, got.Count, got.CurrentOffset)
		}
		expect(t, got, at, at+uint64(got.Count))
		at += uint64(got.Count)
	}
}

// wantStatus checks that the server refused with a status.
func wantStatus(t *testing.T, err error, want wire.Status) {
	t.Helper()
	var refused client.StatusError
	if !errors.As(err, &refused) || refused.Status != want {
		t.Fatalf("refusal: got %v, want status %v", err, want)
	}
}
