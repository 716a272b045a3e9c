package wire

import "fmt"

// TopicOption is one key of the topic catalog. Source: protocol.md, 9.1.
type TopicOption uint8

// The keys in the order the catalog lists them.
const (
	OptionCompression TopicOption = iota
	OptionMessageExpiry
	OptionMaxTopicSize
	OptionSegmentSize
	OptionDurability
	OptionOffsetDurability
	OptionMessagesRequiredToSave
	OptionSizeOfMessagesRequiredToSave
	OptionPreallocate
	OptionEnforceFsync

	topicOptionsCount = iota
)

type topicOptionInfo struct {
	key         string
	updatable   bool
	description string
}

var topicOptions = [topicOptionsCount]topicOptionInfo{
	OptionCompression: {"compression_algorithm", true,
		"How producers compress payloads: none or gzip. Stored and echoed, never applied by the server."},
	OptionMessageExpiry: {"message_expiry", true,
		"Age in microseconds after which closed segments are removed, or a duration such as 1h 5m; the maximum means never."},
	OptionMaxTopicSize: {"max_topic_size", true,
		"Bytes a topic may hold before its oldest closed segments are removed, or a size such as 10 GB; the maximum means unlimited."},
	OptionSegmentSize: {"segment_size", false,
		"Bytes after which a segment is closed: a multiple of 512 from 1 MiB to 1 GiB."},
	OptionDurability: {"durability", false,
		"When a send is answered: replicated, or persisted for after the disk write was made durable."},
	OptionOffsetDurability: {"consumer_offset_durability", false,
		"When an offset write is answered: replicated, or persisted for after the disk write was made durable."},
	OptionMessagesRequiredToSave: {"messages_required_to_save", false,
		"Messages that may wait in memory before they are written, 1 to 16777216."},
	OptionSizeOfMessagesRequiredToSave: {"size_of_messages_required_to_save", false,
		"Bytes that may wait in memory before they are written, at most 1 GiB."},
	OptionPreallocate: {"preallocate_segments", false,
		"Whether segment files get their full size when they are created."},
	OptionEnforceFsync: {"enforce_fsync", false,
		"The older name of durability: true means persisted."},
}

// sortedTopicOptions are the keys in the order blocks list them, ascending.
var sortedTopicOptions = [topicOptionsCount]TopicOption{
	OptionCompression, OptionOffsetDurability, OptionDurability, OptionEnforceFsync, OptionMaxTopicSize,
	OptionMessageExpiry, OptionMessagesRequiredToSave, OptionPreallocate, OptionSegmentSize,
	OptionSizeOfMessagesRequiredToSave,
}

// String is the key.
func (option TopicOption) String() string { return topicOptions[option].key }

func topicOptionOf(key []byte) (TopicOption, bool) {
	for option := range topicOptions {
		if topicOptions[option].key == string(key) {
			return TopicOption(option), true
		}
	}
	return 0, false
}

// TopicOptionSet is a set of options.
type TopicOptionSet uint16

// Has reports whether option is in the set.
func (s TopicOptionSet) Has(option TopicOption) bool { return s&(1<<option) != 0 }

func (s *TopicOptionSet) add(option TopicOption) { *s |= 1 << option }

// Durability is the promise behind an answer to a send or an offset write.
type Durability uint8

const (
	DurabilityReplicated Durability = iota // the server's default level
	DurabilityPersisted                    // survives a crash of the machine
)

// String is the name options carry.
func (d Durability) String() string {
	if d == DurabilityPersisted {
		return "persisted"
	}
	return "replicated"
}

// The bounds of topic options.
const (
	SegmentSizeMin     = 1 << 20 // bytes
	SegmentSizeMax     = 1 << 30 // bytes, and the default
	segmentSizeUnit    = 512
	savedMessagesMax   = 1 << 24
	savedSizeMax       = 1 << 30
	preallocateSizeMax = 64 << 30 // bytes, all partitions together
)

// TopicOptions are the options of one topic, resolved: what its client set, and defaults for the rest. They hold no
// pointers.
type TopicOptions struct {
	Compression                  Compression
	Durability                   Durability // as set, or derived; see Persisted
	OffsetDurability             Durability
	Preallocate                  bool
	EnforceFsync                 bool
	Explicit                     TopicOptionSet // what the client set
	MessagesRequiredToSave       uint32
	MessageExpiryMicros          uint64 // Never for no expiry
	MaxTopicSize                 uint64 // bytes; Unlimited for no limit
	SegmentSize                  uint64 // bytes
	SizeOfMessagesRequiredToSave uint64 // bytes
}

// DefaultTopicOptions are the options of a topic whose client set none.
func DefaultTopicOptions() TopicOptions {
	return TopicOptions{
		Compression:                  CompressionNone,
		MessagesRequiredToSave:       1024,
		MessageExpiryMicros:          Never,
		MaxTopicSize:                 Unlimited,
		SegmentSize:                  SegmentSizeMax,
		SizeOfMessagesRequiredToSave: 1 << 20,
	}
}

// Persisted reports whether sends wait until they are durable. Of durability and the older enforce_fsync the
// stronger applies. Offset writes go by OffsetDurability alone.
func (o TopicOptions) Persisted() bool {
	return o.Durability == DurabilityPersisted || o.EnforceFsync
}

// ParseTopicOptions resolves the options block of a CreateTopic for a topic of that many partitions. It takes stored
// explicit blocks too, whatever updates left in them, so a block is all that need be kept. The order of the keys does
// not matter.
//
// It returns StatusUnsupportedOptionKey, StatusInvalidOptionValue, or StatusInvalidTopicSize for a size limit below
// the segment size, each with the key it is about; and StatusInvalidCommand for a block that is malformed or repeats a key.
func ParseTopicOptions(block []byte, partitions uint32) (o TopicOptions, badKey string, status Status) {
	o = DefaultTopicOptions()
	var values topicOptionValues
	if badKey, status = values.read(block, &o, false); status != StatusOK {
		return o, badKey, status
	}
	if o.EnforceFsync && !o.Explicit.Has(OptionDurability) {
		o.Durability = DurabilityPersisted
	}
	if o.Preallocate && o.SegmentSize*uint64(partitions) > preallocateSizeMax {
		return o, OptionPreallocate.String(), StatusInvalidOptionValue
	}
	badKey, status = o.checkTopicSize()
	return o, badKey, status
}

// UpdateTopicOptions applies the options block of an UpdateTopic to a topic whose options are current and whose explicit
// block is explicit. It appends the new explicit block to dst: values sent are stored as they were sent, those not sent
// or sent as "not set" keep their entry. The statuses are those of ParseTopicOptions, and then dst is returned as it
// was; a key that may not change is an unsupported one. An explicit block that ParseTopicOptions does not take is a
// bug and panics.
func UpdateTopicOptions(dst []byte, current TopicOptions, explicit, update []byte) (o TopicOptions, block []byte, badKey string, status Status) {
	o = current
	var sent, kept topicOptionValues
	if badKey, status = sent.read(update, &o, true); status != StatusOK {
		return current, dst, badKey, status
	}
	if badKey, status = o.checkTopicSize(); status != StatusOK {
		return current, dst, badKey, status
	}
	stored := current
	if badKey, status := kept.read(explicit, &stored, false); status != StatusOK {
		panic(fmt.Sprintf("wire: stored options are bad: %v at %q", status, badKey))
	}
	for _, option := range sortedTopicOptions {
		value := sent[option]
		if value.Data == nil {
			value = kept[option]
		}
		if value.Data != nil {
			dst = AppendTypedValue(appendStringValue(dst, option.String()), value)
		}
	}
	return o, dst, "", StatusOK
}

// topicOptionValues are the values of a block by key; those that are absent or mean "not set" have no data.
type topicOptionValues [topicOptionsCount]TypedValue

// read takes the values of block and sets them in o.
func (values *topicOptionValues) read(block []byte, o *TopicOptions, updatableOnly bool) (badKey string, status Status) {
	var seen TopicOptionSet
	it := PairsIn(block)
	for {
		key, value, ok := it.Next()
		if it.Malformed() || ok && key.Kind != ValueString {
			return "", StatusInvalidCommand
		}
		if !ok {
			return "", StatusOK
		}
		option, known := topicOptionOf(key.Data)
		if !known || updatableOnly && !topicOptions[option].updatable {
			return string(key.Data), StatusUnsupportedOptionKey
		}
		if seen.Has(option) {
			return option.String(), StatusInvalidCommand
		}
		seen.add(option)
		chosen, ok := o.set(option, value)
		if !ok {
			return option.String(), StatusInvalidOptionValue
		}
		if chosen {
			values[option] = value
			o.Explicit.add(option)
		}
	}
}

// set takes one value; chosen is false where the value means "not set" and changes nothing.
func (o *TopicOptions) set(option TopicOption, v TypedValue) (chosen, ok bool) {
	if !v.Valid() {
		return false, false
	}
	switch option {
	case OptionCompression:
		value, ok := compressionValue(v)
		return setChosen(&o.Compression, value, ok)
	case OptionMessageExpiry:
		value, ok := expiryValue(v)
		return setChosen(&o.MessageExpiryMicros, value, ok)
	case OptionMaxTopicSize:
		value, ok := limitValue(v)
		return setChosen(&o.MaxTopicSize, value, ok)
	case OptionSegmentSize:
		value, ok := sizeValue(v)
		inBounds := value == 0 || value >= SegmentSizeMin && value <= SegmentSizeMax && value%segmentSizeUnit == 0
		return setChosen(&o.SegmentSize, value, ok && inBounds)
	case OptionDurability:
		o.Durability, ok = durabilityValue(v)
		return true, ok
	case OptionOffsetDurability:
		o.OffsetDurability, ok = durabilityValue(v)
		return true, ok
	case OptionMessagesRequiredToSave:
		o.MessagesRequiredToSave, ok = uint32Value(v)
		return true, ok && o.MessagesRequiredToSave >= 1 && o.MessagesRequiredToSave <= savedMessagesMax
	case OptionSizeOfMessagesRequiredToSave:
		value, ok := sizeValue(v)
		return setChosen(&o.SizeOfMessagesRequiredToSave, value, ok && value <= savedSizeMax)
	case OptionPreallocate:
		o.Preallocate, ok = boolValue(v)
		return true, ok
	case OptionEnforceFsync:
		o.EnforceFsync, ok = boolValue(v)
		return true, ok
	}
	return false, false
}

// setChosen sets a field whose zero means "not set".
func setChosen[T Compression | uint64](field *T, value T, ok bool) (chosen, _ bool) {
	if !ok || value == 0 {
		return false, ok
	}
	*field = value
	return true, true
}

func (o *TopicOptions) checkTopicSize() (badKey string, status Status) {
	if o.MaxTopicSize < o.SegmentSize {
		return OptionMaxTopicSize.String(), StatusInvalidTopicSize
	}
	return "", StatusOK
}

// AppendExplicit appends the explicit block of a topic that was just created: what its client set, each value in its
// canonical kind, sorted by key. Once the topic is updated its explicit block is what UpdateTopicOptions appended.
func (o TopicOptions) AppendExplicit(dst []byte) []byte {
	for _, option := range sortedTopicOptions {
		if o.Explicit.Has(option) {
			dst = o.appendValue(appendStringValue(dst, option.String()), option)
		}
	}
	return dst
}

// AppendDerived appends the derived block: the defaults of what the client did not set, sorted by key. The older
// enforce_fsync is never derived.
func (o TopicOptions) AppendDerived(dst []byte) []byte {
	for _, option := range sortedTopicOptions {
		if !o.Explicit.Has(option) && option != OptionEnforceFsync {
			dst = o.appendValue(appendStringValue(dst, option.String()), option)
		}
	}
	return dst
}

// appendValue appends the value of option as a typed value of the canonical kind.
func (o *TopicOptions) appendValue(dst []byte, option TopicOption) []byte {
	switch option {
	case OptionCompression:
		return appendStringValue(dst, o.Compression.String())
	case OptionMessageExpiry:
		return appendUint64Value(dst, o.MessageExpiryMicros)
	case OptionMaxTopicSize:
		return appendUint64Value(dst, o.MaxTopicSize)
	case OptionSegmentSize:
		return appendUint64Value(dst, o.SegmentSize)
	case OptionDurability:
		return appendStringValue(dst, o.Durability.String())
	case OptionOffsetDurability:
		return appendStringValue(dst, o.OffsetDurability.String())
	case OptionMessagesRequiredToSave:
		return appendUint32Value(dst, o.MessagesRequiredToSave)
	case OptionSizeOfMessagesRequiredToSave:
		return appendUint64Value(dst, o.SizeOfMessagesRequiredToSave)
	case OptionPreallocate:
		return appendBoolValue(dst, o.Preallocate)
	case OptionEnforceFsync:
		return appendBoolValue(dst, o.EnforceFsync)
	}
	panic("wire: unknown topic option " + option.String())
}
