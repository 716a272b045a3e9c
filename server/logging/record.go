package logging

import (
	"time"

	"github.com/rs/zerolog"
)

// FieldsMax is how many fields a record holds.
const FieldsMax = 6

// fieldKind says which part of a Field holds the value.
type fieldKind uint8

const (
	uintField fieldKind = iota
	textField
)

// Field is a named value in a record. It is kept until the writer gets to it: the texts must not change meanwhile.
type Field struct {
	key    string
	kind   fieldKind
	number uint64
	text   string
}

// Uint is a field with a number.
func Uint(key string, value uint64) Field { return Field{key: key, kind: uintField, number: value} }

// Text is a field with a text. A text in memory that is used again, such as a slab, has to be copied first.
func Text(key, value string) Field { return Field{key: key, kind: textField, text: value} }

// record is one log line on its way to the writer.
type record struct {
	wallMicros uint64 // since the Unix epoch; 0: when the writer gets to it
	level      zerolog.Level
	count      int // of fields
	message    string
	fields     [FieldsMax]Field
}

// set fills r, which the caller owns, with FieldsMax fields at most.
func (r *record) set(wallMicros uint64, level zerolog.Level, message string, fields []Field) {
	r.wallMicros, r.level, r.message = wallMicros, level, message
	r.count = copy(r.fields[:], fields)
}

// write hands r to l, which stamps no time of its own.
func (r *record) write(l *zerolog.Logger) {
	at := time.Now()
	if r.wallMicros != 0 {
		at = time.UnixMicro(int64(r.wallMicros))
	}
	event := l.WithLevel(r.level).Time(zerolog.TimestampFieldName, at)
	for i := range r.fields[:r.count] {
		switch f := &r.fields[i]; f.kind {
		case uintField:
			event.Uint64(f.key, f.number)
		case textField:
			event.Str(f.key, f.text)
		}
	}
	event.Msg(r.message)
}
