package components

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"galgo/ecs"
	"galgo/wire"
)

// Printer prints tables, events and what files hold, a line for each row. Tick scripts, golden files and galgo-dump show the same
// text through it, so the same content must give the same lines: the order is that of ids, never that of rows or maps.
//
// A sequence number, a segment id and the order of a stored offset are printed as run/counter; an offset range is half-open; positions
// and sizes are bytes. Secrets (hashes of passwords and tokens) are not printed. A failed write ends the printing, and Err says so.
type Printer struct {
	to   io.Writer
	line []byte
	err  error
}

// NewPrinter is a printer that writes each line to w.
func NewPrinter(w io.Writer) *Printer { return &Printer{to: w} }

// Err is the first error of the writer.
func (p *Printer) Err() error { return p.err }

// Line prints a line of the caller's own, two spaces further in for each level of indent.
func (p *Printer) Line(indent int, format string, args ...any) {
	p.begin(indent)
	p.add(format, args...)
	p.end()
}

func (p *Printer) begin(indent int) {
	p.line = p.line[:0]
	for range indent {
		p.line = append(p.line, ' ', ' ')
	}
}

func (p *Printer) add(format string, args ...any) { p.line = fmt.Appendf(p.line, format, args...) }

// addIf adds a word that is there only when it is true.
func (p *Printer) addIf(condition bool, format string, args ...any) {
	if condition {
		p.add(format, args...)
	}
}

func (p *Printer) end() {
	if p.err == nil {
		_, p.err = p.to.Write(append(p.line, '\n'))
	}
}

// RunCounter is a number that is made of a run and a counter, as it is printed.
func RunCounter(n uint64) string {
	return strconv.FormatUint(n>>wire.RunShift, 10) + "/" + strconv.FormatUint(n&(1<<wire.RunShift-1), 10)
}

// moment is a time in µs as it is printed.
func moment(micros uint64) string {
	return time.UnixMicro(int64(micros)).UTC().Format("2006-01-02T15:04:05.000000Z")
}

// bound is a limit of which the highest number means none.
func bound(n uint64, none string) string {
	if n == ^uint64(0) {
		return none
	}
	return strconv.FormatUint(n, 10)
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// PartitionName is what a partition is called in print: stream/topic/id, or its entity where it is gone from the catalog.
func PartitionName(c *Catalog, partition ecs.Entity) string {
	row, ok := c.Partitions.Row(partition)
	if !ok {
		return partition.String()
	}
	topic := c.Topics.MustRow(c.Partitions.Topic[row])
	stream := c.Streams.MustRow(c.Topics.Stream[topic])
	return fmt.Sprintf("%s/%s/%d", c.Text(c.Streams.Name[stream]), c.Text(c.Topics.Name[topic]), c.Partitions.ID[row])
}

// Catalog prints users with their tokens, streams with their topics, partitions and groups, and pending removals. Shards is the number of shards that partitions
// are dealt to.
func (p *Printer) Catalog(c *Catalog, shards int) {
	p.Line(0, "catalog applied=%s committed=%s run=%d boot-first=%d", RunCounter(c.Applied), RunCounter(c.Committed), c.Run, c.BootFirst)
	u := &c.Users
	for id := range u.IDs.All {
		row := u.byID[id]
		p.Line(0, "user %d %q %v %s created=%s time=%s permissions=%dB", id, c.Text(u.Name[row]), u.Entity(int(row)),
			either(u.Active[row], "active", "inactive"), RunCounter(u.Created[row]), moment(u.CreatedAt[row]), u.Permissions[row].Size)
		for _, token := range u.Tokens[row] {
			t := &c.Tokens
			p.Line(1, "token %q created=%s time=%s expiry=%s", c.Text(t.Name[token]), RunCounter(t.Created[token]), moment(t.CreatedAt[token]),
				either(t.ExpiryAt[token] == 0, "never", moment(t.ExpiryAt[token])))
		}
	}
	for row := range c.StreamsByID {
		s := &c.Streams
		p.Line(0, "stream %d %q %v created=%s time=%s", s.ID[row], c.Text(s.Name[row]), s.Entity(row), RunCounter(s.Created[row]), moment(s.CreatedAt[row]))
		for topic := range c.TopicsByID(row) {
			p.topic(c, topic, shards)
		}
	}
	for _, removal := range c.RemovalsInOrder() {
		p.Line(0, "removal %v id=%d created=%s", removal.Partition, removal.ID, RunCounter(removal.Created))
	}
}

func (p *Printer) topic(c *Catalog, row, shards int) {
	t, o := &c.Topics, c.Topics.Options[row]
	p.Line(1, "topic %d %q %v created=%s time=%s durability=%s offsets=%s segment-size=%d expiry=%s max-size=%s compression=%v partitions=%d",
		t.ID[row], c.Text(t.Name[row]), t.Entity(row), RunCounter(t.Created[row]), moment(t.CreatedAt[row]),
		either(o.Persisted, "durable", "default"), either(o.OffsetsPersisted, "durable", "default"), o.SegmentSize,
		bound(o.MessageExpiry, "never"), bound(o.MaxSize, "unlimited"), wire.Compression(o.Compression), t.Partitions[row])
	p.options("explicit", c.Text(t.Explicit[row]))
	for partition := range c.PartitionsByID(row) {
		n := &c.Partitions
		p.begin(2)
		p.add("partition %d %v created=%s time=%s owner=%d", n.ID[partition], n.Entity(partition), RunCounter(n.Created[partition]),
			moment(n.CreatedAt[partition]), c.OwnerOf(partition, shards))
		p.addIf(n.Epoch[partition] > 0, " epoch=%d", n.Epoch[partition])
		p.addIf(n.Removed[partition] > 0, " removed-below=%d", n.Removed[partition])
		p.end()
	}
	for group := range c.GroupsByID(row) {
		p.group(c, group)
	}
}

func (p *Printer) group(c *Catalog, row int) {
	g := &c.Groups
	p.begin(2)
	p.add("group %d %q %v created=%s time=%s", g.ID[row], c.Text(g.Name[row]), g.Entity(row), RunCounter(g.Created[row]), moment(g.CreatedAt[row]))
	if g.Plan[row].Generation > 0 {
		p.plan(g.Plan[row])
	}
	p.end()
}

// options prints an options block that is not empty.
func (p *Printer) options(name string, block []byte) {
	if len(block) == 0 {
		return
	}
	p.begin(2)
	p.add("%s", name)
	pairs := wire.PairsIn(block)
	for {
		key, value, ok := pairs.Next()
		if !ok {
			break
		}
		p.add(" %s=%s", key.Data, typedValue(value))
	}
	p.addIf(pairs.Malformed(), " malformed")
	p.end()
}

// typedValue is a value as it is printed.
func typedValue(v wire.TypedValue) string {
	if v.Kind == wire.ValueString {
		return strconv.Quote(string(v.Data))
	}
	if v.Kind < wire.ValueUint8 || v.Kind > wire.ValueUint64 {
		return fmt.Sprintf("%x", v.Data)
	}
	n := uint64(0)
	for i := len(v.Data) - 1; i >= 0; i-- {
		n = n<<8 | uint64(v.Data[i])
	}
	return strconv.FormatUint(n, 10)
}

// partitionsInOrder lists a State's partition rows by the creating sequence and the id: that of the catalog, streams aside, and one that a
// partition keeps when it is gone from there.
func (s *State) partitionsInOrder() []int {
	p := &s.Partitions
	rows := slices.Collect(p.All)
	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(p.Created[a], p.Created[b]), cmp.Compare(p.ID[a], p.ID[b]))
	})
	return rows
}
