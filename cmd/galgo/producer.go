package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"galgo/wire"
	"galgo/wire/client"
)

const (
	batchSizeMax = 1 << 20                  // bytes; a longer line goes alone
	lineSizeMax  = wire.FrameSizeMax - 4096 // bytes; what else is in a frame is shorter than the rest
	quietMax     = 10 * time.Millisecond    // a batch waits no longer for more lines
)

// producer sends lines over one connection, in the order it reads them. One batch is under way at a time, and what is not
// acknowledged is never sent again.
type producer struct {
	client        *client.Client
	stream, topic wire.Ident
	choice        *partitionChoice
	countMax      int // messages of a batch
	report        *report
	progress      *progress
	ids           messageIDs
	withSource    bool

	lines        lineCutter
	path         string // of the file being read
	line         uint64 // its last line that was taken
	source       sourceHeader
	partitioning wire.Partitioning // of the batch
	batch        wire.BatchBuilder
	spans        []span // what the batch holds; empty when it holds nothing
	payloadBytes uint64 // of the batch
	nowMicros    uint64 // when the chunk being cut arrived
	originMicros uint64 // when the batch was begun

	acknowledged uint64 // messages
	lastPath     string // of the last line that was acknowledged, "" before
	lastLine     uint64
}

// run sends all lines of the files. It returns nil when every one was acknowledged, and else an error that says which were not.
func (p *producer) run(ctx context.Context, paths []string, stdin io.Reader) error {
	reader := readChunks(ctx, paths, stdin)
	quiet := time.NewTimer(quietMax)
	for {
		c, ok, err := p.nextChunk(ctx, reader, quiet)
		if err != nil {
			return err
		}
		if !ok {
			return p.flush()
		}
		if err := p.take(c); err != nil {
			return err
		}
		reader.done(c)
	}
}

// nextChunk waits for input, false behind the last of it. A batch that waits meanwhile is sent when its time has come.
func (p *producer) nextChunk(ctx context.Context, reader *chunkReader, quiet *time.Timer) (c chunk, ok bool, err error) {
	for {
		if ctx.Err() != nil {
			return chunk{}, false, p.unsent(errInterrupted)
		}
		select {
		case c, ok = <-reader.chunks:
			return c, ok, nil
		default:
		}
		var timeUp <-chan time.Time
		if len(p.spans) > 0 {
			quiet.Reset(quietMax)
			timeUp = quiet.C
		}
		select {
		case c, ok = <-reader.chunks:
			return c, ok, nil
		case <-timeUp:
			if err := p.flush(); err != nil {
				return chunk{}, false, err
			}
		case <-ctx.Done():
		}
	}
}

// errInterrupted is the end that a signal, or the failure of another connection, makes.
var errInterrupted = errors.New("interrupted")

// take adds the lines of a chunk.
func (p *producer) take(c chunk) error {
	p.nowMicros = uint64(time.Now().UnixMicro())
	if c.first {
		if err := p.begin(c.path); err != nil {
			return err
		}
	}
	p.lines.feed(c.data)
	for {
		line, ok := p.lines.next()
		if !ok {
			break
		}
		if err := p.add(line); err != nil {
			return err
		}
	}
	if p.lines.waiting() > lineSizeMax {
		return p.tooLong(p.lines.waiting())
	}
	if c.err != nil {
		if err := p.flush(); err != nil {
			return err
		}
		return p.unsent(c.err)
	}
	if c.last {
		if line, ok := p.lines.end(); ok {
			return p.add(line)
		}
	}
	return nil
}

// begin makes path the file of the lines that follow.
func (p *producer) begin(path string) error {
	if p.choice.byPath { // a batch has one key
		if err := p.flush(); err != nil {
			return err
		}
	}
	p.path, p.line = path, 0
	p.partitioning = p.choice.of(path)
	if p.withSource {
		p.source.setFile(path)
	}
	return nil
}

// add puts a line into the batch, and sends it when it is full.
func (p *producer) add(line []byte) error {
	if len(line) > lineSizeMax {
		return p.tooLong(len(line))
	}
	var headers []byte
	if p.withSource {
		headers = p.source.at(p.line + 1)
	}
	size := wire.MessageHeaderSize + len(line) + len(headers)
	if len(p.spans) > 0 && p.batch.Size()+size > batchSizeMax {
		if err := p.flush(); err != nil {
			return err
		}
	}
	if len(p.spans) == 0 {
		p.batch.Reset(p.nowMicros)
		p.originMicros = p.nowMicros
	}
	p.line++
	p.batch.Add(p.ids.next(), uint32(p.nowMicros-p.originMicros), line, headers)
	p.payloadBytes += uint64(len(line))
	if end := len(p.spans) - 1; end >= 0 && p.line > 1 { // the batch's last line is the one before this
		p.spans[end].count++
	} else {
		p.spans = append(p.spans, span{p.path, p.line, 1})
	}
	if int(p.batch.Count()) == p.countMax {
		return p.flush()
	}
	return nil
}

// flush sends the batch, if it holds anything, and waits for the answer.
func (p *producer) flush() error {
	if len(p.spans) == 0 {
		return nil
	}
	confirmation, err := p.client.Send(p.stream, p.topic, p.partitioning, p.batch.Bytes())
	if err != nil {
		return p.unacknowledged(err)
	}
	end := p.spans[len(p.spans)-1]
	p.lastPath, p.lastLine = end.path, end.last()
	p.acknowledged += uint64(p.batch.Count())
	p.progress.add(uint64(p.batch.Count()), p.payloadBytes)
	err = p.report.acknowledge(confirmation, p.spans)
	p.spans, p.payloadBytes = p.spans[:0], 0
	if err != nil {
		return p.unsent(err)
	}
	return nil
}

// unacknowledged says what a send that failed leaves behind.
func (p *producer) unacknowledged(err error) error {
	var refused client.StatusError
	var size client.SizeError
	if errors.As(err, &refused) || errors.As(err, &size) {
		return fmt.Errorf("%w: refused are %s; nothing behind them was sent", err, describeSpans(p.spans))
	}
	return fmt.Errorf("%w: unknown whether the server has %s; nothing behind them was sent", err, describeSpans(p.spans))
}

// unsent says where sending stopped for a reason that has nothing to do with a send.
func (p *producer) unsent(err error) error {
	if p.lastPath == "" {
		return fmt.Errorf("%w: nothing was sent", err)
	}
	return fmt.Errorf("%w: nothing behind %s was sent", err, place(p.lastPath, p.lastLine))
}

// tooLong is the error of the line behind p.line, which fits no frame.
func (p *producer) tooLong(size int) error {
	where := place(p.path, p.line+1)
	if err := p.flush(); err != nil {
		return err
	}
	return p.unsent(fmt.Errorf("%s: line of %d bytes or more, at most %d are possible", where, size, lineSizeMax))
}
