package systems

import (
	"bytes"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cockroachdb/datadriven"

	"galgo/components"
	"galgo/ecs"
	"galgo/wire"
)

// tickCommands are what a script may say.
var tickCommands = map[string]func(*tickWorld, *datadriven.TestData){
	"default":  (*tickWorld).doDefault,
	"create":   (*tickWorld).doCreate,
	"delete":   (*tickWorld).doDelete,
	"purge":    (*tickWorld).doPurge,
	"remove":   (*tickWorld).doRemove,
	"retain":   (*tickWorld).doRetain,
	"send":     (*tickWorld).doSend,
	"poll":     (*tickWorld).doPoll,
	"store":    (*tickWorld).doStore,
	"forget":   (*tickWorld).doForget,
	"stored":   (*tickWorld).doStored,
	"complete": (*tickWorld).doComplete,
	"tick":     (*tickWorld).doTick,
	"time":     (*tickWorld).doTime,
	"evict":    (*tickWorld).doEvict,
	"hang-up":  (*tickWorld).doHangUp,
	"print":    (*tickWorld).doPrint,
}

// errnos are the failures that scripts name.
var errnos = map[string]syscall.Errno{"EIO": syscall.EIO, "ENOSPC": syscall.ENOSPC, "EMFILE": syscall.EMFILE}

// text is an argument, "" if it is missing.
func text(d *datadriven.TestData, key string) (value string) {
	for _, arg := range d.CmdArgs {
		if arg.Key == key && len(arg.Vals) == 1 {
			value = arg.Vals[0]
		}
	}
	return value
}

// number is an argument, otherwise where it is missing.
func (w *tickWorld) number(d *datadriven.TestData, key string, otherwise uint64) uint64 {
	w.t.Helper()
	value := text(d, key)
	if value == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		d.Fatalf(w.t, "%s: got %q, want a number", key, value)
	}
	return n
}

// partition is the names in an argument partition=stream/topic/id.
func (w *tickWorld) partition(d *datadriven.TestData) (stream, topic wire.Ident, id uint32) {
	w.t.Helper()
	parts := strings.Split(text(d, "partition"), "/")
	if len(parts) != 3 {
		d.Fatalf(w.t, "partition: got %q, want stream/topic/id", text(d, "partition"))
	}
	n, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil {
		d.Fatalf(w.t, "partition: got id %q, want a number", parts[2])
	}
	return wire.IdentNamed([]byte(parts[0])), wire.IdentNamed([]byte(parts[1])), uint32(n)
}

// entity is the partition that an argument names, or None without one.
func (w *tickWorld) entity(d *datadriven.TestData) ecs.Entity {
	w.t.Helper()
	if text(d, "partition") == "" {
		return ecs.None
	}
	stream, topic, id := w.partition(d)
	c := w.state.Catalog
	if row, ok := c.FindStream(stream); ok {
		if row, ok = c.FindTopic(row, topic); ok {
			if row, ok = c.PartitionByID(row, id); ok {
				return c.Partitions.Entity(row)
			}
		}
	}
	d.Fatalf(w.t, "partition: got %q, want one of the catalog", text(d, "partition"))
	return ecs.None
}

// ask sends a request, and runs a tick unless the script holds it.
func (w *tickWorld) ask(d *datadriven.TestData, op wire.Operation, code wire.Code, body []byte) *tickConn {
	w.t.Helper()
	c := w.conn(int(w.number(d, "conn", 0)))
	w.request(c, op, code, body)
	if !d.HasArg("hold") {
		w.run()
	}
	return c
}

// change is ask for a metadata operation, which is settled unless the script wants it pending.
func (w *tickWorld) change(d *datadriven.TestData, op wire.Operation, body []byte) {
	w.t.Helper()
	if d.HasArg("pending") {
		w.ask(d, op, 0, body)
		return
	}
	c := w.conn(int(w.number(d, "conn", 0)))
	w.request(c, op, 0, body)
	w.settle(c)
	w.run() // the events of the tick before are applied everywhere, and removals begin
}

func (w *tickWorld) doDefault(d *datadriven.TestData) {
	for _, level := range []components.Level{components.LevelMemory, components.LevelWritten, components.LevelDurable} {
		if text(d, "level") == level.String() {
			w.state.DefaultLevel = level
			return
		}
	}
	d.Fatalf(w.t, "level: got %q, want memory, written or durable", text(d, "level"))
}

func (w *tickWorld) doCreate(d *datadriven.TestData) {
	stream, topic := []byte(text(d, "stream")), text(d, "topic")
	if _, exists := w.state.Catalog.StreamNamed(stream); topic == "" || !exists {
		w.change(d, wire.OpCreateStream, wire.AppendCreateStream(nil, wire.CreateStream{Name: stream}))
	}
	if topic == "" {
		return
	}
	w.change(d, wire.OpCreateTopic, wire.AppendCreateTopic(nil, wire.CreateTopic{Stream: wire.IdentNamed(stream), Name: []byte(topic),
		PartitionsCount: uint32(w.number(d, "partitions", 1)), Options: topicOptions(d)}))
}

// topicOptions is the options block that the arguments make.
func topicOptions(d *datadriven.TestData) (block []byte) {
	for _, o := range []struct{ key, option string }{
		{"durability", "durability"}, {"offsets", "consumer_offset_durability"}, {"segment", "segment_size"}, {"expiry", "message_expiry"},
	} {
		if value := text(d, o.key); value != "" {
			block = wire.AppendTypedValue(block, wire.StringValue([]byte(o.option)))
			block = wire.AppendTypedValue(block, wire.StringValue([]byte(value)))
		}
	}
	return block
}

func (w *tickWorld) doDelete(d *datadriven.TestData) {
	stream, topic := wire.IdentNamed([]byte(text(d, "stream"))), wire.IdentNamed([]byte(text(d, "topic")))
	switch count := uint32(w.number(d, "partitions", 0)); {
	case len(topic.Name) == 0:
		w.change(d, wire.OpDeleteStream, wire.AppendIdent(nil, stream))
	case count == 0:
		w.change(d, wire.OpDeleteTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: topic}))
	default:
		w.change(d, wire.OpDeletePartitions, wire.AppendChangePartitions(nil, wire.ChangePartitions{Stream: stream, Topic: topic, Count: count}))
	}
}

func (w *tickWorld) doPurge(d *datadriven.TestData) {
	stream, topic := wire.IdentNamed([]byte(text(d, "stream"))), wire.IdentNamed([]byte(text(d, "topic")))
	if len(topic.Name) == 0 {
		w.change(d, wire.OpPurgeStream, wire.AppendIdent(nil, stream))
	} else {
		w.change(d, wire.OpPurgeTopic, wire.AppendTopicRef(nil, wire.TopicRef{Stream: stream, Topic: topic}))
	}
}

func (w *tickWorld) doRemove(d *datadriven.TestData) {
	stream, topic, id := w.partition(d)
	w.change(d, wire.OpDeleteSegments, wire.AppendDeleteSegments(nil, wire.DeleteSegments{Stream: stream, Topic: topic, PartitionID: id,
		SegmentsCount: uint32(w.number(d, "segments", 1))}))
}

func (w *tickWorld) doRetain(d *datadriven.TestData) {
	every, err := time.ParseDuration(text(d, "every"))
	if err != nil {
		d.Fatalf(w.t, "every: got %v, want a duration", err)
	}
	w.tick.Welcome(NewRetention(uint64(every.Microseconds())))
}

func (w *tickWorld) doSend(d *datadriven.TestData) {
	stream, topic, id := w.partition(d)
	count, size := w.number(d, "count", 1), w.number(d, "size", 10)
	var batch wire.BatchBuilder
	batch.Reset(w.state.Now.WallMicros)
	for i := range count {
		batch.Add(wire.U128{Lo: i + 1}, 0, bytes.Repeat([]byte{'m'}, int(size)), nil)
	}
	w.ask(d, wire.OpSendMessages, 0, wire.AppendSendMessages(nil, wire.SendMessages{Stream: stream, Topic: topic,
		Partitioning: wire.Partitioning{Kind: wire.PartitionNumbered, ID: id}, MessagesCount: uint32(count), Batch: batch.Bytes()}))
}

// offsetKey is whose stored offset the arguments name.
func (w *tickWorld) offsetKey(d *datadriven.TestData) wire.OffsetKey {
	stream, topic, id := w.partition(d)
	return wire.OffsetKey{Consumer: wire.Consumer{Kind: wire.ConsumerSingle, Ident: wire.IdentOf(uint32(w.number(d, "consumer", 1)))},
		Stream: stream, Topic: topic, Partition: wire.OptionalPartition{Present: true, ID: id}}
}

func (w *tickWorld) doPoll(d *datadriven.TestData) {
	kinds := map[string]uint8{"offset": wire.PollOffset, "time": wire.PollTimestamp, "first": wire.PollFirst, "last": wire.PollLast, "next": wire.PollNext}
	key := w.offsetKey(d)
	strategy := wire.Strategy{Kind: kinds[text(d, "strategy")], Value: w.number(d, "value", 0)}
	if strategy.Kind == wire.PollTimestamp { // in microseconds before now
		strategy.Value = w.state.Now.WallMicros - strategy.Value
	}
	w.ask(d, wire.OpNonReplicated, wire.CodePollMessages, wire.AppendPollMessages(nil, wire.PollMessages{Consumer: key.Consumer, Stream: key.Stream,
		Topic: key.Topic, Partition: key.Partition, Strategy: strategy, Count: uint32(w.number(d, "count", 10)), AutoCommit: d.HasArg("commit")}))
}

func (w *tickWorld) doStore(d *datadriven.TestData) {
	w.ask(d, wire.OpStoreConsumerOffset, 0, wire.AppendStoreConsumerOffset(nil, wire.StoreConsumerOffset{OffsetKey: w.offsetKey(d), Offset: w.number(d, "offset", 0)}))
}

func (w *tickWorld) doForget(d *datadriven.TestData) {
	w.ask(d, wire.OpDeleteConsumerOffset, 0, wire.AppendDeleteConsumerOffset(nil, wire.DeleteConsumerOffset{OffsetKey: w.offsetKey(d)}))
}

func (w *tickWorld) doStored(d *datadriven.TestData) {
	w.ask(d, wire.OpNonReplicated, wire.CodeGetConsumerOffset, wire.AppendOffsetKey(nil, w.offsetKey(d)))
}

func (w *tickWorld) doComplete(d *datadriven.TestData) {
	var err syscall.Errno
	if name := text(d, "err"); name != "" {
		if err = errnos[name]; err == 0 {
			d.Fatalf(w.t, "err: got %q, want one that errnos lists", name)
		}
	}
	if kind := d.CmdArgs[0].Key; !w.complete(kind, w.entity(d), err) {
		w.print.Line(0, "no %s in flight", kind)
	}
	if !d.HasArg("hold") {
		w.run()
	}
}

func (w *tickWorld) doTick(d *datadriven.TestData) {
	count := 1
	if len(d.CmdArgs) > 0 {
		count, _ = strconv.Atoi(d.CmdArgs[0].Key)
	}
	for range count {
		w.run()
	}
}

func (w *tickWorld) doTime(d *datadriven.TestData) {
	passed, err := time.ParseDuration(strings.TrimPrefix(d.CmdArgs[0].Key, "+"))
	if err != nil {
		d.Fatalf(w.t, "time: got %v, want +duration", err)
	}
	w.state.Now.WallMicros += uint64(passed.Microseconds())
	w.state.Now.MonoMicros += uint64(passed.Microseconds())
}

func (w *tickWorld) doEvict(*datadriven.TestData) { w.state.Evict(1 << 62) }

func (w *tickWorld) doHangUp(d *datadriven.TestData) {
	c := w.conns[w.number(d, "conn", 1)-1]
	w.state.In.Broken.Push(c.entity)
	w.run()
}

func (w *tickWorld) doPrint(d *datadriven.TestData) {
	v := w.state.View()
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "partitions":
			w.print.Partitions(v)
		case "journal":
			w.print.Journal(v)
		case "offsets":
			w.print.Offsets(v)
		case "catalog":
			w.print.Catalog(w.state.Catalog, 1)
		case "orders":
			for _, o := range w.disk.inFlight {
				w.print.Line(0, "%s", o.text)
			}
		default:
			d.Fatalf(w.t, "print: got %q, want partitions, journal, offsets, catalog or orders", arg.Key)
		}
	}
}
