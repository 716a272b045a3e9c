package wire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"
)

// unhex reads hex with spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("bad hex %q: %v", s, err)
	}
	return b
}

func expectHex(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("%s: got %x, want %s", what, got, want)
	}
}

// The vectors of protocol.md, 18.1.
func TestVectorHashes(t *testing.T) {
	if got, want := xxh3.Hash(nil), uint64(0x2d06800538d394c2); got != want {
		t.Errorf("XXH3-64 of nothing: got %x, want %x", got, want)
	}
	for key, want := range map[string]uint32{
		"":                                     0x02cc5d05,
		"a":                                    0x550d7456,
		"abc":                                  0x32d153ff,
		"abcd":                                 0xa3643705,
		"order-key-1":                          0x0d3fe0e1,
		"0123456789abcdef":                     0xc2c45b69,
		"0123456789abcdefghijklmnopqrstuvwxyz": 0x9aa38e7e,
	} {
		if got := hashKey([]byte(key)); got != want {
			t.Errorf("XXH32 of %q: got %08x, want %08x", key, got, want)
		}
		if key == "" {
			continue
		}
		if got := (Consumer{Kind: ConsumerSingle, Ident: IdentNamed([]byte(key))}).FoldID(); got != want {
			t.Errorf("consumer %q: got id %08x, want %08x", key, got, want)
		}
		if got := KeyPartition([]byte(key), 7); got != want%7 {
			t.Errorf("partition of key %q: got %d, want %d", key, got, want%7)
		}
	}
	if got := (Consumer{Kind: ConsumerSingle, Ident: IdentOf(9)}).FoldID(); got != 9 {
		t.Errorf("numbered consumer: got id %d, want 9", got)
	}
}

const (
	vectorMessageA = "8e5ca59edbbdbfb9 01000000000000000000000000000000 00000000 00000000 00000000 05000000 0000000000000000 68656c6c6f"
	vectorHeaders  = "02 01000000 6b 02 01000000 76"
)

// vectorBatch is the batch of protocol.md, 18.2.
func vectorBatch(t testing.TB) []byte {
	var b BatchBuilder
	b.Reset(1_000_000)
	b.Add(U128{Lo: 1}, 0, []byte("hello"), nil)
	b.Add(U128{Lo: 2}, 10, []byte("world"), unhex(t, vectorHeaders))
	return b.Bytes()
}

func TestVectorBatch(t *testing.T) {
	batch := vectorBatch(t)
	expectHex(t, "message A", batch[BatchHeaderSize:BatchHeaderSize+53], vectorMessageA)
	b, err := DecodeMessageHeader(batch[BatchHeaderSize+53:])
	if err != nil || b.Checksum != 0x062945568962eb63 {
		t.Errorf("message B: got checksum %x and %v, want 062945568962eb63", b.Checksum, err)
	}
	want := BatchHeader{OriginTimestamp: 1_000_000, Length: 374, Checksum: 0xb5060ce83592b32c, MessageCount: 2}
	if h, _ := DecodeBatchHeader(batch); h != want || len(batch) != 374 {
		t.Errorf("producer form: got %+v in %d bytes, want %+v", h, len(batch), want)
	}
	var verifier BatchVerifier
	if status := VerifyBatch(batch, 2, &verifier); status != StatusOK {
		t.Errorf("producer form: got %v, want ok", status)
	}

	var hasher BatchHasher
	stamped := bytes.Clone(batch)
	hasher.StampBatch(stamped, 1, 10, 2_000_000)
	want.PartitionID, want.BaseOffset, want.BaseTimestamp, want.Checksum = 1, 10, 2_000_000, 0xcd73ae64ff3046a7
	if h, _ := DecodeBatchHeader(stamped); h != want {
		t.Errorf("stamped: got %+v, want %+v", h, want)
	}

	var header [BatchHeaderSize]byte
	begin, end, ok := hasher.SliceBatch(header[:], stamped, 1, 2)
	want.Length, want.MessageCount, want.Checksum = 321, 1, 0x9582694dfd9d86b6
	if h, _ := DecodeBatchHeader(header[:]); h != want || !ok || begin != 309 || end != 374 {
		t.Errorf("sliced: got %+v of [%d, %d) %v, want %+v of [309, 374)", h, begin, end, ok, want)
	}
}

// The vectors of protocol.md, 18.3.
func TestVectorBodies(t *testing.T) {
	credentials := AppendPasswordCredentials(nil, PasswordCredentials{Username: []byte("iggy"), Password: []byte("iggy")})
	expectHex(t, "register", AppendRegister(nil, Register{
		ProtocolVersion: ProtocolVersion, SDKName: []byte("go-sdk"), SDKVersion: []byte("0.9.0"), Credentials: credentials,
	}), "002c0000 06676f2d73646b 05302e392e30 0469676779 0469676779 00000000")
	expectHex(t, "registered", AppendRegistered(AppendResultOK(nil), Registered{
		Session: 1, ProtocolVersion: ProtocolVersion, ServerVersion: []byte("0.9.0"),
	}), "00000000 00000000 0100000000000000 002c0000 05302e392e30")
	expectHex(t, "numeric identifier", AppendIdent(nil, IdentOf(7)), "0104 07000000")
	expectHex(t, "string identifier", AppendIdent(nil, IdentNamed([]byte("orders"))), "0206 6f7264657273")

	for _, o := range []struct{ value, hex string }{
		{"durability persisted", "02 0a000000 6475726162696c697479 02 09000000 706572736973746564"},
		{"offset durability", "02 1a000000 636f6e73756d65725f6f66667365745f6475726162696c697479 02 0a000000 7265706c696361746564"},
		{"enforce_fsync", "02 0d000000 656e666f7263655f6673796e63 03 01000000 01"},
		{"segment_size", "02 0c000000 7365676d656e745f73697a65 0c 08000000 0000000800000000"},
	} {
		block := unhex(t, o.hex)
		options, badKey, status := ParseTopicOptions(block, 1)
		if status != StatusOK {
			t.Errorf("%s: got %v at %q, want ok", o.value, status, badKey)
		}
		expectHex(t, o.value, options.AppendExplicit(nil), o.hex)
	}

	for _, c := range []struct{ name, hex string }{
		{"create topic, August", "02066f7264657273 03000000 066576656e7473 020d000000656e666f7263655f6673796e63030100000001"},
		{"create topic, 0.11.0", "02066f7264657273 03000000 066576656e7473 021a000000636f6e73756d65725f6f66667365745f6475726162696c697479020a0000007265706c696361746564 020a0000006475726162696c697479020a0000007265706c696361746564"},
	} {
		topic, status := DecodeCreateTopic(unhex(t, c.hex))
		if status != StatusOK || string(topic.Stream.Name) != "orders" || string(topic.Name) != "events" || topic.PartitionsCount != 3 {
			t.Errorf("%s: got %+v, %v", c.name, topic, status)
		}
		options, _, status := ParseTopicOptions(topic.Options, 3)
		if status != StatusOK || options.Persisted() != strings.Contains(c.name, "August") {
			t.Errorf("%s: got %+v, %v", c.name, options, status)
		}
		topic.Options = options.AppendExplicit(nil)
		expectHex(t, c.name, AppendCreateTopic(nil, topic), c.hex)
	}

	expectHex(t, "poll", AppendPollMessages(nil, PollMessages{
		Consumer:  Consumer{Kind: ConsumerSingle, Ident: IdentOf(1)},
		Stream:    IdentNamed([]byte("orders")),
		Topic:     IdentNamed([]byte("events")),
		Partition: OptionalPartition{Present: true},
		Strategy:  Strategy{Kind: PollOffset},
		Count:     10,
	}), "01 010401000000 02066f7264657273 02066576656e7473 01 00000000 01 0000000000000000 0a000000 00")
	expectHex(t, "rejection", AppendResultError(nil, StatusStreamIdNotFound), "01000000 00000000 f1030000")
	expectHex(t, "framed empty success", AppendResultOK(nil), "00000000")
	expectHex(t, "empty poll", AppendPollPrefix(nil, PollPrefix{CurrentOffset: 5}), "00000000 0500000000000000 00000000")

	session := "05000000000000000000000000000000 0700000000000000 0b00000000000000"
	node := "09000000 696767792d6e6f6465 09000000 3132372e302e302e31 9a1f 901f b80b 9c1f 00 00"
	route := ConsumerRoute{
		ConsumerSession: ConsumerSession{Client: U128{Lo: 5}, Session: 7, Watermark: 11},
		Node:            ClusterNode{Name: SingleNodeName, IP: "127.0.0.1", TCP: 8090, QUIC: 8080, HTTP: 3000, WebSocket: 8092},
	}
	expectHex(t, "consumer session", AppendConsumerSession(nil, route.ConsumerSession), session)
	expectHex(t, "node", AppendClusterNode(nil, route.Node), node)
	expectHex(t, "consumer route", AppendConsumerRoute(nil, route), session+node)
	if got, err := DecodeConsumerRoute(unhex(t, session+node)); err != nil || got != route {
		t.Errorf("consumer route: got %+v and %v, want %+v", got, err, route)
	}
}
