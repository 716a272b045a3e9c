package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"
)

// progress counts messages, and shows their count and rate on a terminal while the command runs.
type progress struct {
	messages, bytes atomic.Uint64 // payloads; connections add at the same time
	begin           time.Time
	stop, stopped   chan struct{} // nil when nothing is shown
}

// showProgress begins to count, and to show it on out when that is a terminal.
func showProgress(out io.Writer) *progress {
	p := &progress{begin: time.Now()}
	if !isTerminal(out) {
		return p
	}
	p.stop, p.stopped = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(p.stopped)
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(out, "\r%s\x1b[K", p.text(time.Since(p.begin)))
			case <-p.stop:
				fmt.Fprintf(out, "\r%s\x1b[K\n", p.text(time.Since(p.begin)))
				return
			}
		}
	}()
	return p
}

func (p *progress) add(messages, bytes uint64) {
	p.messages.Add(messages)
	p.bytes.Add(bytes)
}

// end shows the last state. Nothing is written afterwards.
func (p *progress) end() {
	if p.stop != nil {
		close(p.stop)
		<-p.stopped
	}
}

func (p *progress) text(elapsed time.Duration) string {
	seconds := max(elapsed.Seconds(), 1e-3)
	messages, bytes := p.messages.Load(), p.bytes.Load()
	return fmt.Sprintf("%s messages, %s; %s messages/s, %.1f MB/s", humanize.Comma(int64(messages)), humanize.Bytes(bytes),
		humanize.Comma(int64(float64(messages)/seconds)), float64(bytes)/seconds/1e6)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
