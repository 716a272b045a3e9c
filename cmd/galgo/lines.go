package main

import "bytes"

// lineCutter cuts chunks of bytes into lines. A line ends at '\n', which is no part of it, and nothing else is
// changed; what follows the last '\n' is a line unless it is empty.
type lineCutter struct {
	chunk   []byte // not yet cut
	partial []byte // the start of a line that chunk continues
}

// feed takes the next chunk, once next has returned false for the one before. The cutter keeps it until then.
func (l *lineCutter) feed(chunk []byte) { l.chunk = chunk }

// next returns the next whole line, and false when more bytes are needed. The line is good until the next call.
func (l *lineCutter) next() ([]byte, bool) {
	end := bytes.IndexByte(l.chunk, '\n')
	if end < 0 {
		l.partial = append(l.partial, l.chunk...)
		l.chunk = nil
		return nil, false
	}
	line := l.chunk[:end]
	l.chunk = l.chunk[end+1:]
	if len(l.partial) > 0 {
		line = append(l.partial, line...)
		l.partial = line[:0]
	}
	return line, true
}

// waiting is how many bytes of an unfinished line are held.
func (l *lineCutter) waiting() int { return len(l.partial) }

// end returns the line that no '\n' ends, and false when there is none. The cutter is ready for the next file.
func (l *lineCutter) end() ([]byte, bool) {
	line := l.partial
	l.partial = line[:0]
	return line, len(line) > 0
}
