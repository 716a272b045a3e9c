package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"galgo/wire"
)

// reportHelp is the part of the help of produce on the report.
const reportHelp = `A report has a line for each run of lines that the server acknowledged, written as soon as it did. Its fields are
separated by tabs: partition, offset of the first message, count of messages, file, first line, last line.
Offsets and lines of a run both go up by one. In a file's name \t, \n, \r and \\ stand for tab, newline, carriage return and
backslash; standard input is -.`

// report lists what the server acknowledged. Connections write to it at the same time. A nil report takes everything and
// writes nothing.
type report struct {
	mu   sync.Mutex
	file *os.File
	text []byte // of one acknowledgement
}

// createReport makes the file at path, or empties it.
func createReport(path string) (*report, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &report{file: file}, nil
}

var reportEscapes = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

// acknowledge writes the lines of one batch with one system call, so that whatever ends the program leaves whole lines.
func (r *report) acknowledge(c wire.SendConfirmation, spans []span) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = r.text[:0]
	offset := c.BaseOffset
	for _, s := range spans {
		r.text = strconv.AppendUint(r.text, uint64(c.PartitionID), 10)
		r.text = strconv.AppendUint(append(r.text, '\t'), offset, 10)
		r.text = strconv.AppendUint(append(r.text, '\t'), s.count, 10)
		r.text = append(append(r.text, '\t'), reportEscapes.Replace(s.path)...)
		r.text = strconv.AppendUint(append(r.text, '\t'), s.first, 10)
		r.text = strconv.AppendUint(append(r.text, '\t'), s.last(), 10)
		r.text = append(r.text, '\n')
		offset += s.count
	}
	if _, err := r.file.Write(r.text); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

func (r *report) close() error {
	if r == nil {
		return nil
	}
	return r.file.Close()
}
