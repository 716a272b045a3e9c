package main

import (
	"bytes"
	"testing"
)

// cut feeds text in chunks of the given sizes, over and over, and returns the lines.
func cut(text []byte, sizes []byte) (lines [][]byte) {
	var l lineCutter
	collect := func() {
		for line, ok := l.next(); ok; line, ok = l.next() {
			lines = append(lines, bytes.Clone(line))
		}
	}
	for i := 0; len(text) > 0; i++ {
		size := len(text)
		if len(sizes) > 0 {
			size = min(size, int(sizes[i%len(sizes)])+1)
		}
		l.feed(text[:size])
		collect()
		text = text[size:]
	}
	if line, ok := l.end(); ok {
		lines = append(lines, bytes.Clone(line))
	}
	return lines
}

// split is the slow and obvious cut.
func split(text []byte) [][]byte {
	lines := bytes.Split(text, []byte{'\n'})
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func FuzzLines(f *testing.F) {
	for _, text := range []string{"", "\n", "a", "a\n", "a\nb", "\n\n", "a\r\nb\r\n", "long line\n\n\nx"} {
		f.Add([]byte(text), []byte{})
		f.Add([]byte(text), []byte{0})
		f.Add([]byte(text), []byte{1, 2, 0})
	}
	f.Fuzz(func(t *testing.T, text, sizes []byte) {
		got, want := cut(text, sizes), split(text)
		if len(got) != len(want) {
			t.Fatalf("%q by %v: got %d lines, want %d", text, sizes, len(got), len(want))
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("%q by %v: line %d: got %q, want %q", text, sizes, i, got[i], want[i])
			}
		}
	})
}

func TestLinesOfTheNextFileBeginAnew(t *testing.T) {
	var l lineCutter
	l.feed([]byte("a"))
	l.next()
	if line, ok := l.end(); !ok || string(line) != "a" {
		t.Errorf("got %q, %v, want a", line, ok)
	}
	l.feed([]byte("b\n"))
	if line, ok := l.next(); !ok || string(line) != "b" {
		t.Errorf("got %q, %v, want b", line, ok)
	}
	l.next()
	if line, ok := l.end(); ok {
		t.Errorf("got %q, want no line", line)
	}
}
