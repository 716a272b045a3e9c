package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
	"galgo/wire/client/scripted"
)

func TestProduceStandardInput(t *testing.T) {
	l := newScriptedLog(1)
	const text = "one\n\nthree\r\nlast"
	out, err := l.runOn(t, newProduceCommand(), text, "--batch=3")
	if err != nil || out != "" {
		t.Fatalf("got %q, %v, want nothing", out, err)
	}
	if got := l.payloads(0); got != text+"\n" {
		t.Errorf("got %q, want %q", got, text+"\n")
	}
	if len(l.sends) != 2 || l.sends[0].MessagesCount != 3 || l.sends[1].MessagesCount != 1 || l.sends[0].Partitioning.Kind != wire.PartitionBalanced {
		t.Errorf("got %d sends, want 3 messages and 1", len(l.sends))
	}
	ids := map[wire.U128]bool{}
	for _, send := range l.sends {
		for it := wire.MessagesIn(send.Batch); ; {
			message, ok := it.Next()
			if !ok {
				break
			}
			if ids[message.ID] || message.ID.IsZero() {
				t.Errorf("got id %v again", message.ID)
			}
			ids[message.ID] = true
		}
	}
}

func TestProduceBoundsBatchesInBytes(t *testing.T) {
	l := newScriptedLog(1)
	lines := []string{strings.Repeat("a", 400<<10), strings.Repeat("b", 400<<10), strings.Repeat("c", 400<<10), strings.Repeat("d", 2<<20), "e"}
	if _, err := l.runOn(t, newProduceCommand(), strings.Join(lines, "\n")); err != nil {
		t.Fatal(err)
	}
	var got []uint32
	for _, send := range l.sends {
		got = append(got, send.MessagesCount)
	}
	if want := "[2 1 1 1]"; fmt.Sprint(got) != want {
		t.Errorf("got batches of %v, want %s", got, want)
	}
}

func TestProduceFilesByPath(t *testing.T) {
	l := newScriptedLog(4)
	dir := t.TempDir()
	t.Chdir(dir) // for --source takes short paths only
	var paths []string
	want := map[string]string{}
	for i := range 20 {
		var text strings.Builder
		for line := range i * 3 {
			fmt.Fprintf(&text, "%d/%d\n", i, line)
		}
		path := filepath.Base(writeFile(t, dir, fmt.Sprintf("%d.log", i), text.String()))
		paths = append(paths, path)
		want[path] = text.String()
	}
	reportPath := filepath.Join(dir, "sent.tsv")
	_, err := l.runOn(t, newProduceCommand(), strings.Join(paths, "\n"),
		"--files-from=-", "--key-by=path", "--source", "--batch=10", "--connections=3", "--report", reportPath)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, send := range l.sends {
		path := string(send.Partitioning.Key)
		for it := wire.MessagesIn(send.Batch); ; {
			message, ok := it.Next()
			if !ok {
				break
			}
			got[path] += string(message.Payload) + "\n"
			line := appendHeadersJSON(nil, message.UserHeaders)
			wantLine := fmt.Sprintf(`,"headers":{"file":"%s","line":%d}`, path, strings.Count(got[path], "\n"))
			if string(line) != wantLine {
				t.Errorf("got %s, want %s", line, wantLine)
			}
		}
	}
	for path, text := range want {
		if got[path] != text {
			t.Errorf("%s: got %q, want %q", path, got[path], text)
		}
	}
	checkReport(t, l, reportPath, want)
}

// checkReport looks up every line of every file where the report says it is.
func checkReport(t *testing.T, l *scriptedLog, reportPath string, files map[string]string) {
	t.Helper()
	text, err := os.ReadFile(reportPath)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for row := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(row, "\n"), "\t")
		if len(fields) != 6 {
			t.Fatalf("got %q, want six fields", row)
		}
		var partition, offset, count, first, last int
		for i, number := range map[int]*int{0: &partition, 1: &offset, 2: &count, 4: &first, 5: &last} {
			if *number, err = strconv.Atoi(fields[i]); err != nil {
				t.Fatalf("got %q: %v", row, err)
			}
		}
		path := fields[3]
		stored, source := strings.Split(l.payloads(partition), "\n"), strings.Split(files[path], "\n")
		for i := range count {
			if stored[offset+i] != source[first-1+i] {
				t.Errorf("%q: got %q at offset %d, want %q", row, stored[offset+i], offset+i, source[first-1+i])
			}
		}
		if last != first+count-1 {
			t.Errorf("got %q, want the last line %d", row, first+count-1)
		}
		seen += count
	}
	total := 0
	for _, text := range files {
		total += strings.Count(text, "\n")
	}
	if seen != total {
		t.Errorf("got %d lines in the report, want %d", seen, total)
	}
}

func TestProduceMixesSmallFilesInABatch(t *testing.T) {
	l := newScriptedLog(1)
	dir := t.TempDir()
	files := map[string]string{}
	args := []string{"--partition=0", "--report", filepath.Join(dir, "sent.tsv")}
	for _, name := range []string{"a", "b", "c"} {
		path := writeFile(t, dir, name, name+"1\n"+name+"2\n")
		files[path] = name + "1\n" + name + "2\n"
		args = append(args, path)
	}
	if _, err := l.runOn(t, newProduceCommand(), "", args...); err != nil {
		t.Fatal(err)
	}
	if len(l.sends) != 1 {
		t.Errorf("got %d sends, want 1", len(l.sends))
	}
	checkReport(t, l, filepath.Join(dir, "sent.tsv"), files)
}

// A file is read in pieces, and its lines are counted through all of them.
func TestProduceCountsLinesOverPieces(t *testing.T) {
	l := newScriptedLog(1)
	dir := t.TempDir()
	var text strings.Builder
	for line := 0; text.Len() < 3*chunkSize; line++ {
		fmt.Fprintf(&text, "%01000d\n", line)
	}
	path := writeFile(t, dir, "large.log", text.String())
	reportPath := filepath.Join(dir, "sent.tsv")
	if _, err := l.runOn(t, newProduceCommand(), "", "--report", reportPath, path); err != nil {
		t.Fatal(err)
	}
	checkReport(t, l, reportPath, map[string]string{path: text.String()})
}

func TestProduceCreates(t *testing.T) {
	l := newScriptedLog(2)
	l.missing = true
	if _, err := l.runOn(t, newProduceCommand(), "x", "--create", "--partitions=2", "--durability=persisted"); err != nil {
		t.Fatal(err)
	}
	options, _, status := wire.ParseTopicOptions(l.created[0].Options, 2)
	if len(l.created) != 1 || l.created[0].PartitionsCount != 2 || status != wire.StatusOK || options.Durability != wire.DurabilityPersisted {
		t.Errorf("got %+v, want one persisted topic of 2 partitions", l.created)
	}
	if _, err := l.runOn(t, newProduceCommand(), "x", "--create"); err != nil || len(l.created) != 1 {
		t.Errorf("again: got %v and %d topics made, want 1", err, len(l.created))
	}
}

// A batch does not wait for lines that do not come: the pipe stays open until the server has the line.
func TestProduceSendsAfterQuiet(t *testing.T) {
	l := newScriptedLog(1)
	in, pipe := io.Pipe()
	l.before = func(h wire.RequestHeader, _ []byte) ([]byte, bool, bool) {
		if h.Operation == wire.OpSendMessages {
			_ = pipe.Close()
		}
		return nil, false, false
	}
	address := scripted.Serve(t, l.answer)
	go func() { _, _ = pipe.Write([]byte("now\n")) }()
	c := newProduceCommand()
	c.SetIn(in)
	c.SetArgs([]string{"--address", address, "--stream=orders", "--topic=events"})
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := l.payloads(0); got != "now\n" {
		t.Errorf("got %q, want %q", got, "now\n")
	}
}

// numbered is lines 1 to n.
func numbered(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintln(&text, i+1)
	}
	return text.String()
}

func TestProduceSaysWhatIsNotAcknowledged(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(h wire.RequestHeader) []byte
		want   []string
	}{
		{"refused", func(h wire.RequestHeader) []byte { return scripted.Refuse(h, wire.StatusIoError) },
			[]string{"200 lines acknowledged", "io_error (13000)", "refused are 100 lines, -:201 to -:300", "nothing behind them was sent"}},
		{"broken", func(wire.RequestHeader) []byte { return nil },
			[]string{"200 lines acknowledged", "connection closed by the server", "unknown whether the server has 100 lines, -:201 to -:300"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newScriptedLog(1)
			l.before = func(h wire.RequestHeader, _ []byte) ([]byte, bool, bool) {
				if h.Operation == wire.OpSendMessages && len(l.sends) == 2 {
					return test.answer(h), false, true
				}
				return nil, false, false
			}
			reportPath := filepath.Join(t.TempDir(), "sent.tsv")
			_, err := l.runOn(t, newProduceCommand(), numbered(1000), "--batch=100", "--report", reportPath)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q", err, want)
				}
			}
			checkReport(t, l, reportPath, map[string]string{"-": numbered(200)})
		})
	}
}

func TestProduceEndsBehindTheBatchUnderWay(t *testing.T) {
	l := newScriptedLog(1)
	ctx, interrupt := context.WithCancel(t.Context())
	l.before = func(h wire.RequestHeader, _ []byte) ([]byte, bool, bool) {
		if h.Operation == wire.OpSendMessages {
			interrupt()
		}
		return nil, false, false
	}
	c := newProduceCommand()
	c.SetIn(io.MultiReader(strings.NewReader("a\nb\n"), neverReader{ctx}))
	c.SetArgs([]string{"--address", scripted.Serve(t, l.answer), "--stream=orders", "--topic=events", "--batch=2"})
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.ExecuteContext(ctx)
	if want := "2 lines acknowledged; interrupted: nothing behind -:2 was sent"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// neverReader is input that does not come.
type neverReader struct{ ctx context.Context }

func (r neverReader) Read([]byte) (int, error) {
	<-r.ctx.Done()
	select {} // as a read of standard input does
}

func TestClientCommandsSayWhatIsWrong(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	_ = listener.Close()
	stranger := scripted.Serve(t, func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
		return wire.AppendEviction(nil, wire.EvictionOf(h.Client, wire.EvictInvalidCredentials)), false
	})
	empty := newScriptedLog(1)
	empty.missing = true
	bare := scripted.Serve(t, empty.answer)
	full := scripted.Serve(t, newScriptedLog(1).answer)
	target := []string{"--stream=orders", "--topic=events"}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"produce"}, `required flag(s) "stream", "topic"`},
		{[]string{"consume", "--address", nobody}, "connect: connection refused"},
		{[]string{"produce", "--address", nobody}, "cannot connect to " + nobody},
		{[]string{"produce", "--address", stranger, "--username=bob"}, `wrong name or password for user "bob"`},
		{[]string{"consume", "--address", stranger}, `wrong name or password for user "iggy"`},
		{[]string{"produce", "--address", bare}, `stream "orders" does not exist; --create makes it`},
		{[]string{"consume", "--address", bare}, `stream "orders" does not exist`},
		{[]string{"consume", "--address", full, "--partition=7"}, "no partition 7"},
		{[]string{"produce", "--address", full, "--partition=7"}, "no partition 7"},
		{[]string{"produce", "--address", full, "/nowhere/a.log"}, "/nowhere/a.log: no such file"},
		{[]string{"produce", "--batch=0"}, "--batch"},
		{[]string{"produce", "--connections=0"}, "--connections"},
		{[]string{"produce", "--partitions=3"}, "go with --create"},
		{[]string{"produce", "--create", "--durability=maybe"}, "replicated or persisted"},
		{[]string{"consume", "--from=next"}, "next goes with --consumer"},
		{[]string{"consume", "--from=soon"}, "soon"},
		{[]string{"consume", "file"}, "file"},
	} {
		c := newProduceCommand()
		if test.args[0] == "consume" {
			c = newConsumeCommand()
		}
		args := test.args[1:]
		if len(test.args) > 1 {
			args = append(args[:len(args):len(args)], target...)
		}
		c.SetArgs(args)
		c.SetIn(strings.NewReader("x\n"))
		c.SilenceErrors, c.SilenceUsage = true, true
		if err := c.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %q", test.args, err, test.want)
		}
	}
}

func TestEndpointComesFromTheFirstThatIsSet(t *testing.T) {
	for _, name := range []string{"GALGO_ADDRESS", "GALGO_USERNAME", "GALGO_PASSWORD", "IGGY_USERNAME", "IGGY_PASSWORD"} {
		t.Setenv(name, "")
	}
	check := func(given, want endpoint) {
		t.Helper()
		if given.resolve(); given != want {
			t.Errorf("got %+v, want %+v", given, want)
		}
	}
	check(endpoint{}, endpoint{"127.0.0.1:8090", "iggy", "iggy"})
	t.Setenv("IGGY_USERNAME", "a")
	t.Setenv("IGGY_PASSWORD", "b")
	check(endpoint{}, endpoint{"127.0.0.1:8090", "a", "b"})
	t.Setenv("GALGO_ADDRESS", "host:1")
	t.Setenv("GALGO_USERNAME", "c")
	t.Setenv("GALGO_PASSWORD", "d")
	check(endpoint{}, endpoint{"host:1", "c", "d"})
	check(endpoint{"host:2", "e", "f"}, endpoint{"host:2", "e", "f"})
}

// accessLine is about as long as the lines of a web server's log.
const accessLine = `192.168.17.4 - - [31/Jan/2026:12:00:00 +0000] "GET /articles/streams HTTP/1.1" 200 5120 "-" "Mozilla/5.0"` + "\n"

func newTestProducer(choice *partitionChoice, source bool) *producer {
	return &producer{
		stream: wire.IdentNamed([]byte("orders")), topic: wire.IdentNamed([]byte("events")), choice: choice,
		countMax: 1000, progress: &progress{}, ids: newMessageIDs(randomRun(), 0), withSource: source,
	}
}

func TestTakeAllocatesNothing(t *testing.T) {
	p := newTestProducer(&partitionChoice{fixed: wire.Partitioning{Kind: wire.PartitionBalanced}}, true)
	data := []byte(strings.Repeat(accessLine, 100))
	if err := p.begin("access.log"); err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(100, func() {
		p.spans = p.spans[:0] // as a flush does
		if err := p.take(chunk{path: "access.log", data: data}); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

// BenchmarkProduce sends lines to a server that answers and does nothing else.
func BenchmarkProduce(b *testing.B) {
	for _, source := range []bool{false, true} {
		b.Run(fmt.Sprintf("source=%v", source), func(b *testing.B) {
			reply := wire.AppendSendReply(nil, wire.SendConfirmation{})
			address := scripted.Serve(b, func(h wire.RequestHeader, _ []byte) ([]byte, bool) {
				if h.Operation == wire.OpRegister {
					return scripted.Registered(h, 1), true
				}
				return scripted.Reply(h, reply), true
			})
			conn, err := client.Dial(b.Context(), address, client.Options{Username: "iggy", Password: "iggy"})
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			p := newTestProducer(&partitionChoice{fixed: wire.Partitioning{Kind: wire.PartitionBalanced}}, source)
			p.client = conn
			b.SetBytes(int64(len(accessLine)))
			b.ReportAllocs()
			in := &repeatedLines{left: b.N, text: []byte(strings.Repeat(accessLine, 2000))}
			if err := p.run(b.Context(), []string{stdinPath}, in); err != nil {
				b.Fatal(err)
			}
			if p.acknowledged != uint64(b.N) {
				b.Fatalf("got %d lines acknowledged, want %d", p.acknowledged, b.N)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// repeatedLines is input of so many lines.
type repeatedLines struct {
	left int
	text []byte
}

func (r *repeatedLines) Read(dst []byte) (int, error) {
	lines := min(r.left, len(dst)/len(accessLine), len(r.text)/len(accessLine))
	if lines == 0 {
		return 0, io.EOF
	}
	r.left -= lines
	return copy(dst, r.text[:lines*len(accessLine)]), nil
}

// BenchmarkTake is the part of produce without the socket: cutting, encoding, hashing.
func BenchmarkTake(b *testing.B) {
	p := newTestProducer(&partitionChoice{fixed: wire.Partitioning{Kind: wire.PartitionBalanced}}, false)
	data := []byte(strings.Repeat(accessLine, 999))
	_ = p.begin("access.log")
	b.SetBytes(int64(len(accessLine)))
	b.ReportAllocs()
	for done := 0; done < b.N; done += 999 {
		if err := p.take(chunk{path: "access.log", data: data}); err != nil {
			b.Fatal(err)
		}
		_ = p.batch.Bytes()
		p.spans = p.spans[:0]
	}
}
