package wire

import (
	"bytes"
	"slices"
	"testing"
)

func stringOption(key, value string) []byte {
	return AppendPair(nil, StringValue([]byte(key)), StringValue([]byte(value)))
}

func uint64Option(key string, value uint64) []byte {
	return appendUint64Value(appendStringValue(nil, key), value)
}

func uint32Option(key string, value uint32) []byte {
	return appendUint32Value(appendStringValue(nil, key), value)
}

func boolOption(key string, value bool) []byte {
	return appendBoolValue(appendStringValue(nil, key), value)
}

// blockKeys lists the keys of a block in order.
func blockKeys(t *testing.T, block []byte) (keys []string) {
	it := PairsIn(block)
	for key, value, ok := it.Next(); ok; key, value, ok = it.Next() {
		if !value.Valid() {
			t.Errorf("%s: value %x of kind %d is not valid", key.Data, value.Data, value.Kind)
		}
		keys = append(keys, string(key.Data))
	}
	if it.Malformed() {
		t.Errorf("block %x is malformed", block)
	}
	return keys
}

func TestTopicOptionValues(t *testing.T) {
	for _, c := range []struct {
		name     string
		option   []byte
		want     Status
		explicit bool
		value    func(TopicOptions) any
		wantGot  any
	}{
		{"gzip", stringOption("compression_algorithm", "gzip"), StatusOK, true, func(o TopicOptions) any { return o.Compression }, CompressionGzip},
		{"gzip by number", AppendPair(nil, StringValue([]byte("compression_algorithm")), TypedValue{ValueUint8, []byte{2}}), StatusOK, true, func(o TopicOptions) any { return o.Compression }, CompressionGzip},
		{"compression 3", AppendPair(nil, StringValue([]byte("compression_algorithm")), TypedValue{ValueUint8, []byte{3}}), StatusInvalidOptionValue, false, nil, nil},
		{"zstd", stringOption("compression_algorithm", "zstd"), StatusInvalidOptionValue, false, nil, nil},
		{"expiry", uint64Option("message_expiry", 5), StatusOK, true, func(o TopicOptions) any { return o.MessageExpiryMicros }, uint64(5)},
		{"expiry 0", uint64Option("message_expiry", 0), StatusOK, false, func(o TopicOptions) any { return o.MessageExpiryMicros }, Never},
		{"expiry 10s", stringOption("message_expiry", "10s"), StatusOK, true, func(o TopicOptions) any { return o.MessageExpiryMicros }, uint64(10_000_000)},
		{"expiry 1h 5m", stringOption("message_expiry", "1h 5m"), StatusOK, true, func(o TopicOptions) any { return o.MessageExpiryMicros }, uint64(3_900_000_000)},
		{"expiry 2days12ms", stringOption("message_expiry", "2days12ms"), StatusOK, true, func(o TopicOptions) any { return o.MessageExpiryMicros }, uint64(172_800_012_000)},
		{"expiry never", stringOption("message_expiry", "never_expire"), StatusOK, true, func(o TopicOptions) any { return o.MessageExpiryMicros }, Never},
		{"expiry default", stringOption("message_expiry", "server_default"), StatusOK, false, func(o TopicOptions) any { return o.MessageExpiryMicros }, Never},
		{"expiry without unit", stringOption("message_expiry", "10"), StatusInvalidOptionValue, false, nil, nil},
		{"expiry in fortnights", stringOption("message_expiry", "1fn"), StatusInvalidOptionValue, false, nil, nil},
		{"expiry of spaces", stringOption("message_expiry", "  "), StatusInvalidOptionValue, false, nil, nil},
		{"expiry too long", stringOption("message_expiry", "600y"), StatusInvalidOptionValue, false, nil, nil},
		{"expiry as Uint32", uint32Option("message_expiry", 5), StatusInvalidOptionValue, false, nil, nil},
		{"size", uint64Option("max_topic_size", 1<<30), StatusOK, true, func(o TopicOptions) any { return o.MaxTopicSize }, uint64(1 << 30)},
		{"size 10 GB", stringOption("max_topic_size", "10 GB"), StatusOK, true, func(o TopicOptions) any { return o.MaxTopicSize }, uint64(10_000_000_000)},
		{"size 1GiB", stringOption("max_topic_size", "1GiB"), StatusOK, true, func(o TopicOptions) any { return o.MaxTopicSize }, uint64(1 << 30)},
		{"size unlimited", stringOption("max_topic_size", "unlimited"), StatusOK, true, func(o TopicOptions) any { return o.MaxTopicSize }, Unlimited},
		{"size default", stringOption("max_topic_size", "server_default"), StatusOK, false, func(o TopicOptions) any { return o.MaxTopicSize }, Unlimited},
		{"size below a segment", uint64Option("max_topic_size", 1<<30-1), StatusInvalidTopicSize, true, nil, nil},
		{"size nonsense", stringOption("max_topic_size", "big"), StatusInvalidOptionValue, false, nil, nil},
		{"segment", uint64Option("segment_size", 1<<20), StatusOK, true, func(o TopicOptions) any { return o.SegmentSize }, uint64(1 << 20)},
		{"segment 0", uint64Option("segment_size", 0), StatusOK, false, func(o TopicOptions) any { return o.SegmentSize }, uint64(1 << 30)},
		{"segment 128 MiB", stringOption("segment_size", "128 MiB"), StatusOK, true, func(o TopicOptions) any { return o.SegmentSize }, uint64(128 << 20)},
		{"segment uneven", uint64Option("segment_size", 1<<20+1), StatusInvalidOptionValue, false, nil, nil},
		{"segment too small", uint64Option("segment_size", 1<<19), StatusInvalidOptionValue, false, nil, nil},
		{"segment too large", uint64Option("segment_size", 1<<30+512), StatusInvalidOptionValue, false, nil, nil},
		{"durability", stringOption("durability", "PerSisted"), StatusOK, true, func(o TopicOptions) any { return o.Durability }, DurabilityPersisted},
		{"durability quorum", stringOption("durability", "quorum"), StatusInvalidOptionValue, false, nil, nil},
		{"durability as Bool", boolOption("durability", true), StatusInvalidOptionValue, false, nil, nil},
		{"offset durability", stringOption("consumer_offset_durability", "persisted"), StatusOK, true, func(o TopicOptions) any { return o.Durability }, DurabilityReplicated},
		{"messages to save", uint32Option("messages_required_to_save", 1), StatusOK, true, func(o TopicOptions) any { return o.MessagesRequiredToSave }, uint32(1)},
		{"messages to save as a string", stringOption("messages_required_to_save", "16777216"), StatusOK, true, func(o TopicOptions) any { return o.MessagesRequiredToSave }, uint32(16_777_216)},
		{"messages to save 0", uint32Option("messages_required_to_save", 0), StatusInvalidOptionValue, false, nil, nil},
		{"messages to save too many", uint32Option("messages_required_to_save", 16_777_217), StatusInvalidOptionValue, false, nil, nil},
		{"bytes to save", uint64Option("size_of_messages_required_to_save", 1<<30), StatusOK, true, func(o TopicOptions) any { return o.SizeOfMessagesRequiredToSave }, uint64(1 << 30)},
		{"bytes to save 0", uint64Option("size_of_messages_required_to_save", 0), StatusOK, false, func(o TopicOptions) any { return o.SizeOfMessagesRequiredToSave }, uint64(1 << 20)},
		{"bytes to save too many", uint64Option("size_of_messages_required_to_save", 1<<30+1), StatusInvalidOptionValue, false, nil, nil},
		{"preallocate", boolOption("preallocate_segments", true), StatusOK, true, func(o TopicOptions) any { return o.Preallocate }, true},
		{"preallocate as a string", stringOption("preallocate_segments", "false"), StatusOK, true, func(o TopicOptions) any { return o.Preallocate }, false},
		{"preallocate maybe", stringOption("preallocate_segments", "maybe"), StatusInvalidOptionValue, false, nil, nil},
		{"fsync", stringOption("enforce_fsync", "true"), StatusOK, true, func(o TopicOptions) any { return o.Persisted() }, true},
		{"Bool 2", AppendPair(nil, StringValue([]byte("enforce_fsync")), TypedValue{ValueBool, []byte{2}}), StatusInvalidOptionValue, false, nil, nil},
		{"unknown", stringOption("colour", "blue"), StatusUnsupportedOptionKey, false, nil, nil},
	} {
		o, badKey, status := ParseTopicOptions(c.option, 64)
		if status != c.want || (badKey == "") != (status == StatusOK) {
			t.Errorf("%s: got %v at %q, want %v", c.name, status, badKey, c.want)
			continue
		}
		if status != StatusOK {
			continue
		}
		if got := c.value(o); got != c.wantGot {
			t.Errorf("%s: got %v, want %v", c.name, got, c.wantGot)
		}
		if got := len(blockKeys(t, o.AppendExplicit(nil))) == 1; got != c.explicit {
			t.Errorf("%s: got explicit %v, want %v", c.name, got, c.explicit)
		}
		again, _, status := ParseTopicOptions(o.AppendExplicit(nil), 64)
		if status != StatusOK || again != o {
			t.Errorf("%s: got %+v and %v from the explicit block, want %+v", c.name, again, status, o)
		}
	}
}

func TestTopicOptionsTogether(t *testing.T) {
	for _, c := range []struct {
		name       string
		block      [][]byte
		partitions uint32
		want       Status
		badKey     string
	}{
		{"small cap, small segments", [][]byte{uint64Option("max_topic_size", 1<<20), uint64Option("segment_size", 1<<20)}, 1, StatusOK, ""},
		{"preallocated 64 GiB", [][]byte{boolOption("preallocate_segments", true)}, 64, StatusOK, ""},
		{"preallocated 65 GiB", [][]byte{boolOption("preallocate_segments", true)}, 65, StatusInvalidOptionValue, "preallocate_segments"},
		{"twice", [][]byte{boolOption("enforce_fsync", true), boolOption("enforce_fsync", true)}, 1, StatusInvalidCommand, "enforce_fsync"},
		{"half", [][]byte{{2, 1, 0, 0, 0}}, 1, StatusInvalidCommand, ""},
		{"nothing", nil, 1, StatusOK, ""},
	} {
		_, badKey, status := ParseTopicOptions(bytes.Join(c.block, nil), c.partitions)
		if status != c.want || badKey != c.badKey {
			t.Errorf("%s: got %v at %q, want %v at %q", c.name, status, badKey, c.want, c.badKey)
		}
	}
}

func TestTopicOptionBlocks(t *testing.T) {
	sent := bytes.Join([][]byte{uint64Option("segment_size", 1<<20), boolOption("enforce_fsync", true), stringOption("compression_algorithm", "gzip")}, nil)
	o, _, _ := ParseTopicOptions(sent, 1)
	explicit, derived := blockKeys(t, o.AppendExplicit(nil)), blockKeys(t, o.AppendDerived(nil))
	wantExplicit := []string{"compression_algorithm", "enforce_fsync", "segment_size"}
	wantDerived := []string{"consumer_offset_durability", "durability", "max_topic_size", "message_expiry",
		"messages_required_to_save", "preallocate_segments", "size_of_messages_required_to_save"}
	if !slices.Equal(explicit, wantExplicit) || !slices.Equal(derived, wantDerived) {
		t.Errorf("got %v and %v, want %v and %v", explicit, derived, wantExplicit, wantDerived)
	}
	if !bytes.Contains(o.AppendDerived(nil), stringOption("durability", "persisted")) {
		t.Error("durability derived beside enforce_fsync: got something else than persisted")
	}
	both := append(stringOption("durability", "replicated"), boolOption("enforce_fsync", true)...)
	o, _, _ = ParseTopicOptions(both, 1)
	if !o.Persisted() || !bytes.Equal(o.AppendExplicit(nil), both) {
		t.Errorf("both keys: got %+v, explicit %x", o, o.AppendExplicit(nil))
	}
	o = DefaultTopicOptions()
	if got := blockKeys(t, o.AppendDerived(nil)); len(got) != topicOptionsCount-1 || !slices.IsSorted(got) {
		t.Errorf("derived of nothing sent: got %v", got)
	}
}

func TestUpdateTopicOptions(t *testing.T) {
	created, _, _ := ParseTopicOptions(append(stringOption("durability", "persisted"), uint64Option("max_topic_size", 2<<30)...), 1)
	explicit := created.AppendExplicit(nil)
	for _, c := range []struct {
		name   string
		update []byte
		want   Status
		block  [][]byte // the new explicit block
		expiry uint64
		size   uint64
	}{
		{"nothing", nil, StatusOK, [][]byte{explicit}, Never, 2 << 30},
		{"zeros", append(uint64Option("message_expiry", 0), uint64Option("max_topic_size", 0)...), StatusOK, [][]byte{explicit}, Never, 2 << 30},
		{"a string stays a string", stringOption("message_expiry", "10s"), StatusOK,
			[][]byte{explicit, stringOption("message_expiry", "10s")}, 10_000_000, 2 << 30},
		{"replaced", stringOption("max_topic_size", "4 GiB"), StatusOK,
			[][]byte{stringOption("durability", "persisted"), stringOption("max_topic_size", "4 GiB")}, Never, 4 << 30},
		{"number for a name", AppendPair(nil, StringValue([]byte("compression_algorithm")), TypedValue{ValueUint8, []byte{2}}), StatusOK,
			[][]byte{AppendPair(nil, StringValue([]byte("compression_algorithm")), TypedValue{ValueUint8, []byte{2}}), explicit}, Never, 2 << 30},
		{"not updatable", uint64Option("segment_size", 1<<20), StatusUnsupportedOptionKey, nil, 0, 0},
		{"unknown", stringOption("colour", "blue"), StatusUnsupportedOptionKey, nil, 0, 0},
		{"bad value", stringOption("message_expiry", "soon"), StatusInvalidOptionValue, nil, 0, 0},
		{"cap below a segment", uint64Option("max_topic_size", 1<<20), StatusInvalidTopicSize, nil, 0, 0},
	} {
		o, block, badKey, status := UpdateTopicOptions([]byte("before"), created, explicit, c.update)
		if status != c.want || (badKey == "") != (status == StatusOK) {
			t.Errorf("%s: got %v at %q, want %v", c.name, status, badKey, c.want)
		}
		if status != StatusOK {
			if o != created || string(block) != "before" {
				t.Errorf("%s: got %+v and %q after a refusal, want no change", c.name, o, block)
			}
			continue
		}
		want := append([]byte("before"), bytes.Join(c.block, nil)...)
		if !bytes.Equal(block, want) || o.MessageExpiryMicros != c.expiry || o.MaxTopicSize != c.size {
			t.Errorf("%s: got %+v and %x, want %x", c.name, o, block, want)
		}
		again, _, status := ParseTopicOptions(block[len("before"):], 1)
		if status != StatusOK || again != o {
			t.Errorf("%s: got %+v and %v from the new block, want %+v", c.name, again, status, o)
		}
		keys := append(blockKeys(t, block[len("before"):]), blockKeys(t, o.AppendDerived(nil))...)
		if slices.Sort(keys); len(slices.Compact(keys)) != topicOptionsCount-1 {
			t.Errorf("%s: got keys %v in both blocks, want each once", c.name, keys)
		}
	}
}

func FuzzTopicOptions(f *testing.F) {
	defaults := DefaultTopicOptions()
	f.Add(defaults.AppendDerived(nil), []byte{}, uint32(1))
	f.Add(bytes.Join([][]byte{boolOption("enforce_fsync", true), stringOption("message_expiry", "1h 5m"), stringOption("segment_size", "1 MiB")}, nil),
		stringOption("max_topic_size", "10 GB"), uint32(100))
	f.Fuzz(func(t *testing.T, create, update []byte, partitions uint32) {
		o, _, status := ParseTopicOptions(create, partitions)
		if status != StatusOK {
			return
		}
		explicit := o.AppendExplicit(nil)
		if again, _, status := ParseTopicOptions(explicit, partitions); status != StatusOK || again != o {
			t.Fatalf("got %+v and %v from the explicit block, want %+v", again, status, o)
		}
		updated, block, _, status := UpdateTopicOptions(nil, o, explicit, update)
		if again, _, parsed := ParseTopicOptions(block, partitions); status == StatusOK && (parsed != StatusOK || again != updated) {
			t.Errorf("got %+v and %v from the updated block, want %+v", again, parsed, updated)
		}
	})
}
