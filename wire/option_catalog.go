package wire

import "encoding/binary"

// OptionScope is what options belong to.
type OptionScope uint8

const (
	ScopeTopic  OptionScope = 1
	ScopeStream OptionScope = 2 // has no options
	ScopeUser   OptionScope = 3 // has no options
)

// DecodeDescribeOptions reads the body of CodeDescribeOptions: a scope. StatusInvalidCommand also for an unknown one.
func DecodeDescribeOptions(body []byte) (OptionScope, Status) {
	r := bodyReader{src: body}
	scope := OptionScope(r.u8())
	if scope < ScopeTopic || scope > ScopeUser {
		r.bad = true
	}
	return scope, r.status()
}

// AppendDescribeOptions appends the body of CodeDescribeOptions.
func AppendDescribeOptions(dst []byte, scope OptionScope) []byte { return append(dst, byte(scope)) }

// AppendOptionCatalog appends the answer to CodeDescribeOptions: every key of the scope. Source: protocol.md, 8.12.
//
//	| count u32 | entry × count |
//	entry: | key name | kind u8 | default_length u32 | default | description str32 |
func AppendOptionCatalog(dst []byte, scope OptionScope) []byte {
	if scope != ScopeTopic {
		return binary.LittleEndian.AppendUint32(dst, 0)
	}
	dst = binary.LittleEndian.AppendUint32(dst, topicOptionsCount)
	defaults := DefaultTopicOptions()
	for option := range topicOptions {
		info := &topicOptions[option]
		dst = append(dst, byte(len(info.key)))
		dst = append(dst, info.key...)
		dst = defaults.appendValue(dst, TopicOption(option)) // kind, length and data of a typed value are those of an entry
		dst = appendString32(dst, info.description)
	}
	return dst
}

// OptionEntry is one key of an option catalog as a client reads it.
type OptionEntry struct {
	Key         []byte
	Default     TypedValue // its kind is the canonical kind of the option
	Description []byte
}

// DecodeOptionCatalog reads a payload; ErrMalformed when it is not that many entries, exactly.
func DecodeOptionCatalog(payload []byte) ([]OptionEntry, error) {
	r := bodyReader{src: payload}
	var list []OptionEntry
	for count := r.u32(); count > 0 && !r.bad; count-- {
		list = append(list, OptionEntry{Key: r.name(), Default: r.typedValue(), Description: r.str32()})
	}
	return list, r.errAtEnd()
}
