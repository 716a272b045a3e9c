package logging

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
)

// lines decodes the JSON lines of out.
func lines(t *testing.T, out *bytes.Buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, fields)
	}
	return all
}

// logTo returns a log of level info that writes JSON to out.
func logTo(t *testing.T, out *bytes.Buffer) *Log {
	t.Helper()
	log, err := open(Options{Level: zerolog.InfoLevel}, out)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestRingWritesRecords(t *testing.T) {
	var out bytes.Buffer
	ring := NewRing(8, logTo(t, &out))
	ring.Log(1_700_000_000_123_456, zerolog.WarnLevel, "write failed",
		Uint("partition", math.MaxUint64), Text("topic", "orders"))
	ring.Log(0, zerolog.DebugLevel, "too fine")
	ring.Log(0, zerolog.InfoLevel, "plain")
	ring.Close()
	got := out.String()
	want := `"partition":18446744073709551615,"topic":"orders","message":"write failed"}`
	if !strings.Contains(got, want) || !strings.Contains(got, `"level":"warn"`) {
		t.Errorf("got %s, want %s in it", got, want)
	}
	all := lines(t, &out)
	if len(all) != 2 || all[1]["message"] != "plain" {
		t.Fatalf("got %v, want two lines, the second one plain", all)
	}
	if at := fmt.Sprint(all[0]["time"]); !strings.Contains(at, ".123456") {
		t.Errorf("time: got %s, want the microseconds .123456", at)
	}
}

func TestRingDropsWhenFull(t *testing.T) {
	var out bytes.Buffer
	ring := newRing(4, logTo(t, &out)) // nobody writes until drain
	for i := range uint64(10) {
		if got, want := ring.Log(0, zerolog.InfoLevel, "line", Uint("i", i)), i < 4; got != want {
			t.Errorf("line %d: got taken %v, want %v", i, got, want)
		}
	}
	if got := ring.Dropped(); got != 6 {
		t.Errorf("dropped: got %d, want 6", got)
	}
	ring.drain()
	ring.drain()
	for i := range ring.slots {
		if got := ring.slots[i].record; got != (record{}) {
			t.Errorf("slot %d: got %+v kept after it was written, want nothing", i, got)
		}
	}
	all := lines(t, &out)
	if len(all) != 5 || all[3]["i"] != 3.0 || all[4]["count"] != 6.0 || all[4]["level"] != "warn" {
		t.Fatalf("got %v, want lines 0 to 3 and one warning of 6", all)
	}
	out.Reset()
	if !ring.Log(0, zerolog.InfoLevel, "again") {
		t.Error("after the drain: got refused, want taken")
	}
	ring.drain()
	if all := lines(t, &out); len(all) != 1 {
		t.Errorf("after the drain: got %v, want the line alone", all)
	}
}

// stuckWriter holds the writer goroutine in its first line until released.
type stuckWriter struct {
	entered, release chan struct{}
	once             sync.Once
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.entered) })
	<-w.release
	return len(p), nil
}

func TestRingDoesNotBlockBehindAStuckWriter(t *testing.T) {
	w := &stuckWriter{entered: make(chan struct{}), release: make(chan struct{})}
	log, err := open(Options{Level: zerolog.InfoLevel}, w)
	if err != nil {
		t.Fatal(err)
	}
	ring := NewRing(2, log)
	ring.Log(0, zerolog.InfoLevel, "first")
	<-w.entered
	for range 10 { // returns, though nothing is written
		ring.Log(0, zerolog.InfoLevel, "more")
	}
	if got := ring.Dropped(); got != 9 { // the first still holds its slot while it is written
		t.Errorf("dropped: got %d, want 9", got)
	}
	close(w.release)
	ring.Close()
}

func TestRingManyProducers(t *testing.T) {
	var out bytes.Buffer
	ring := NewRing(16, logTo(t, &out))
	const producers, each = 4, 1000
	var done sync.WaitGroup
	for p := range uint64(producers) {
		done.Go(func() {
			for i := range uint64(each) {
				ring.Log(0, zerolog.InfoLevel, "line", Uint("producer", p), Uint("i", i))
			}
		})
	}
	done.Wait()
	ring.Close()
	written, lost := 0, 0.0
	next := [producers]float64{}
	for _, line := range lines(t, &out) {
		if count, ok := line["count"].(float64); ok {
			lost += count
			continue
		}
		written++
		p, i := int(line["producer"].(float64)), line["i"].(float64)
		if i < next[p] {
			t.Errorf("producer %d: got line %v after %v, want them in order", p, i, next[p]-1)
		}
		next[p] = i + 1
	}
	if written+int(lost) != producers*each || uint64(lost) != ring.Dropped() {
		t.Errorf("got %d written, %v told lost, %d dropped, want %d in all", written, lost, ring.Dropped(), producers*each)
	}
}

func TestRingDoesNotAllocate(t *testing.T) {
	var out bytes.Buffer
	ring := newRing(RingSize, logTo(t, &out))
	name := strings.Repeat("n", 100)
	partition := uint64(1 << 40)
	for _, test := range []struct {
		name string
		runs int
	}{{"taken", 100}, {"full", 3 * RingSize}} {
		allocs := testing.AllocsPerRun(test.runs, func() {
			ring.Log(1, zerolog.ErrorLevel, "write failed", Uint("partition", partition), Text("topic", name))
		})
		if allocs != 0 {
			t.Errorf("%s: got %v allocations, want 0", test.name, allocs)
		}
	}
	if ring.Dropped() == 0 {
		t.Error("dropped: got 0, want the full ring to have dropped lines")
	}
}

func TestRingRefusesTooManyFields(t *testing.T) {
	var out bytes.Buffer
	ring := newRing(2, logTo(t, &out))
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "7 fields") {
			t.Errorf("got panic %q, want one with 7 fields", got)
		}
	}()
	ring.Log(0, zerolog.InfoLevel, "much", make([]Field, FieldsMax+1)...)
}

func BenchmarkRingLog(b *testing.B) {
	ring := newRing(RingSize, &Log{bare: zerolog.Nop()})
	for range b.N {
		ring.Log(1, zerolog.InfoLevel, "line", Uint("partition", 1))
		if ring.tail.Load()-ring.head == RingSize {
			b.StopTimer()
			ring.drain()
			b.StartTimer()
		}
	}
}
