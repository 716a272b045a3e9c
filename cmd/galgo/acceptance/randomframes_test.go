package acceptance

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"galgo/wire"
)

// soundRequests are frames to spoil. None of them names the bystander's stream, and no change of a few bytes makes it do so.
func soundRequests(c *rawConn) [][]byte {
	read := func(code wire.Code, body []byte) []byte { return c.request(wire.OpNonReplicated, code, body) }
	return [][]byte{
		c.ping(),
		read(wire.CodeGetStreams, nil),
		read(wire.CodeGetStream, here),
		read(wire.CodeGetTopic, append(append([]byte{}, here...), here...)),
		read(wire.CodeDescribeOptions, []byte{1}),
		read(wire.CodeGetStats, nil),
		read(wire.CodeGetMe, nil),
		read(wire.CodePollMessages, pollBody(func(p *wire.PollMessages) { p.AutoCommit = true })),
		read(wire.CodeGetConsumerOffset, offsetBody(0)),
		c.request(wire.OpCreateStream, 0, []byte("\x04here")),
		c.request(wire.OpCreateTopic, 0, topic(here, 2, "here", append(option("durability", "persisted"), option("segment_size", "1 MiB")...))),
		c.request(wire.OpCreatePartitions, 0, partitionsOf(here, here, 1)),
		c.request(wire.OpDeletePartitions, 0, partitionsOf(here, here, 1)),
		c.request(wire.OpDeleteTopic, 0, append(append([]byte{}, here...), absent...)),
		c.request(wire.OpSendMessages, 0, sendBody(func(*wire.SendMessages) {})),
		c.request(wire.OpSendMessages, 0, sendBody(func(m *wire.SendMessages) {
			m.Partitioning = wire.Partitioning{Kind: wire.PartitionKeyed, Key: []byte("key")}
		})),
		c.request(wire.OpStoreConsumerOffset, 0, append(offsetBody(0), make([]byte, 9)...)),
		c.request(wire.OpDeleteConsumerOffset, 0, append(offsetBody(0), 1)),
	}
}

// spoil changes a few bytes of a frame, cuts it, or makes it longer; its header still says how long it is.
func spoil(random *rand.Rand, f []byte) []byte {
	switch random.IntN(8) {
	case 0:
		f = f[:wire.FrameHeaderSize+random.IntN(len(f)-wire.FrameHeaderSize+1)]
	case 1:
		f = append(f, make([]byte, random.IntN(600))...)
	}
	for range 1 + random.IntN(4) {
		at := random.IntN(len(f))
		switch interesting := []int{60, 144, 168, 176, 184, 196}; {
		case len(f) > wire.FrameHeaderSize && random.IntN(4) > 0:
			at = wire.FrameHeaderSize + random.IntN(len(f)-wire.FrameHeaderSize)
		case random.IntN(2) == 0:
			at = interesting[random.IntN(len(interesting))]
		}
		if at == 60 && random.IntN(10) > 0 {
			continue // most should get past the command byte
		}
		f[at] = [...]byte{0, 1, 0x7f, 0x80, 0xff, byte(random.Uint32())}[random.IntN(6)]
	}
	binary.LittleEndian.PutUint32(f[48:], uint32(len(f)))
	return f
}

// Whatever comes, the server answers or closes the connection, and serves the others.
func TestRandomFrames(t *testing.T) {
	connections, frames := 60, 100
	if testing.Short() {
		connections = 8
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	s := start(t, options{})
	watch(t, s)
	answers := map[string]int{}
	for connection := range connections {
		c := loginRaw(t, s)
		for number := range frames {
			sound := soundRequests(c)
			f := spoil(random, sound[random.IntN(len(sound))])
			a := c.ask(f)
			if a.err != nil {
				t.Fatalf("seed %d, connection %d, frame %d: got %s for %x", seed, connection, number, a, f)
			}
			answers[a.String()]++
			if a.closed {
				break
			}
		}
		// Then bytes without any sense, behind which nothing comes.
		garbage := make([]byte, 1+random.IntN(2000))
		for i := range garbage {
			garbage[i] = byte(random.Uint32())
		}
		_, _ = c.Write(garbage) // the server may have closed it
		_ = c.CloseWrite()
		for a := c.read(); !a.closed; a = c.read() {
			continue
		}
	}
	if len(answers) < 10 {
		t.Errorf("answers: got %v, want more kinds", answers)
	}
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
	t.Logf("answers: %v", answers)
}
