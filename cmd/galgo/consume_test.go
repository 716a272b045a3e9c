package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"galgo/wire"
	"galgo/wire/client/scripted"
)

// filledLog is a log with lines 1 to 10 in partition 0, in batches of 4, and one line in partition 1.
func filledLog(t *testing.T) *scriptedLog {
	t.Helper()
	l := newScriptedLog(3)
	if _, err := l.runOn(t, newProduceCommand(), numbered(10), "--partition=0", "--batch=4"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.runOn(t, newProduceCommand(), "other", "--partition=1"); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestConsume(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"--partition=0", numbered(10)},
		{"--partition=1", "other\n"},
		{"--partition=2", ""},
		{"", "1\n2\n3\n4\nother\n5\n6\n7\n8\n9\n10\n"},
		{"--partition=0 --from=7", "8\n9\n10\n"},
		{"--partition=0 --from=100", ""},
		{"--partition=0 --from=last", "10\n"},
		{"--partition=0 --from=last --count=3", "8\n9\n10\n"},
		{"--partition=0 --count=5", numbered(5)},
		{"--partition=0 --count=2 --follow --from=3", "4\n5\n"},
		{"--partition=0 --from=2026-01-01T00:00:00.000004Z", "5\n6\n7\n8\n9\n10\n"},
		{"--partition=0 --from=2027-01-01T00:00:00Z", ""},
	} {
		l := filledLog(t)
		got, err := l.runOn(t, newConsumeCommand(), "", strings.Fields(test.args)...)
		if err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.args, got, err, test.want)
		}
		if len(l.stored) != 0 {
			t.Errorf("%s: got offsets %v stored, want none", test.args, l.stored)
		}
	}
}

// A poll asks for what is printed and no more, and none is made for nothing.
func TestConsumeAsksForWhatItPrints(t *testing.T) {
	for _, test := range []struct {
		args string
		want string // counts of the polls, each of which returns the rest of a batch of 4
	}{
		{"--partition=0", "[10 6 2]"},
		{"--partition=0 --count=5", "[5 1]"},
		{"--partition=0 --from=10", "[]"},
		{"--partition=2", "[]"},
	} {
		l := filledLog(t)
		counts := []uint32{}
		l.before = func(h wire.RequestHeader, body []byte) ([]byte, bool, bool) {
			if h.Code == wire.CodePollMessages {
				poll, _ := wire.DecodePollMessages(body)
				counts = append(counts, poll.Count)
			}
			return nil, false, false
		}
		if _, err := l.runOn(t, newConsumeCommand(), "", strings.Fields(test.args)...); err != nil || fmt.Sprint(counts) != test.want {
			t.Errorf("%s: got polls of %v, %v, want %s", test.args, counts, err, test.want)
		}
	}
}

func TestConsumeGoesOnWhereItStopped(t *testing.T) {
	l := filledLog(t)
	for _, test := range []struct {
		args, want string
		stored     uint64
	}{
		{"--count=3", "1\n2\n3\n", 2},
		{"", "4\n5\n6\n7\n8\n9\n10\n", 9},
		{"", "", 9},
		{"--from=8", "9\n10\n", 9},
		{"--from=first --count=1", "1\n", 0},
		{"--from=next --count=1", "2\n", 1},
	} {
		got, err := l.runOn(t, newConsumeCommand(), "", append(strings.Fields(test.args), "--partition=0", "--consumer=archive")...)
		if err != nil || got != test.want || l.stored[0] != test.stored {
			t.Errorf("%s: got %q, %v, stored %d, want %q, stored %d", test.args, got, err, l.stored[0], test.want, test.stored)
		}
	}
}

func TestConsumeWithMeta(t *testing.T) {
	l := filledLog(t)
	got, err := l.runOn(t, newConsumeCommand(), "", "--partition=1", "--with-meta")
	if err != nil || !strings.HasPrefix(got, `{"partition":1,"offset":0,"timestamp":"2026-01-01T00:00:00.000000Z",`) || !strings.HasSuffix(got, `"payload":"other"}`+"\n") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestConsumeFollowsUntilInterrupted(t *testing.T) {
	l := filledLog(t)
	ctx, interrupt := context.WithCancel(t.Context())
	polls := 0
	l.before = func(h wire.RequestHeader, _ []byte) ([]byte, bool, bool) {
		if h.Code != wire.CodePollMessages {
			return nil, false, false
		}
		polls++
		switch polls {
		case 3: // empty: what comes later comes
			send := wire.SendMessages{Stream: wire.IdentOf(1), Topic: wire.IdentOf(1), Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: 1}, MessagesCount: 1}
			var b wire.BatchBuilder
			b.Reset(1)
			b.Add(wire.U128{Lo: 1}, 0, []byte("late"), nil)
			send.Batch = b.Bytes()
			l.send(h, wire.AppendSendMessages(nil, send))
		case 5:
			interrupt()
		}
		return nil, false, false
	}
	var out strings.Builder
	c := newConsumeCommand()
	c.SetOut(&out)
	c.SetArgs([]string{"--address", scripted.Serve(t, l.answer), "--stream=orders", "--topic=events", "--partition=1", "--follow"})
	if err := c.ExecuteContext(ctx); err != nil || out.String() != "other\nlate\n" {
		t.Errorf("got %q, %v, want %q", out.String(), err, "other\nlate\n")
	}
}

func TestConsumeSaysWhereItCannotRead(t *testing.T) {
	l := filledLog(t)
	l.before = func(h wire.RequestHeader, body []byte) ([]byte, bool, bool) {
		poll, _ := wire.DecodePollMessages(body)
		if h.Code == wire.CodePollMessages && poll.Strategy.Value == 4 {
			return scripted.Refuse(h, wire.StatusCannotReadFile), true, true
		}
		return nil, false, false
	}
	got, err := l.runOn(t, newConsumeCommand(), "", "--partition=0")
	if want := "partition 0 at offset 4: "; err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "cannot_read_file") {
		t.Errorf("got %v, want %s", err, want)
	}
	if got != numbered(4) {
		t.Errorf("got %q, want the lines before", got)
	}
}

func TestConsumeEndsWhenThePartitionIsPurged(t *testing.T) {
	l := filledLog(t)
	l.before = func(h wire.RequestHeader, _ []byte) ([]byte, bool, bool) {
		if h.Code == wire.CodePollMessages {
			l.partitions[0], l.next[0] = nil, 0
		}
		return nil, false, false
	}
	if got, err := l.runOn(t, newConsumeCommand(), "", "--partition=0", "--from=5"); err != nil || got != "" {
		t.Errorf("got %q, %v, want nothing", got, err)
	}
}

func TestConsumeEndsQuietlyWithItsReader(t *testing.T) {
	l := filledLog(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	_ = reader.Close()
	c := newConsumeCommand()
	c.SetOut(writer)
	c.SetErr(io.Discard)
	c.SetArgs([]string{"--address", scripted.Serve(t, l.answer), "--stream=orders", "--topic=events"})
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}
