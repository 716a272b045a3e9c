package main

import (
	"context"
	"errors"
	"io"
	"os"
)

const (
	chunkSize  = 256 << 10 // bytes of one read
	chunkCount = 4         // buffers, so that reading goes on while a batch is under way
)

// chunk is a piece of a file as it was read. Every file has a first and a last one, which may be the same and empty.
type chunk struct {
	path        string
	data        []byte // on loan from the reader, see chunkReader.done
	first, last bool
	err         error // the file could not be read on; nothing follows
}

// chunkReader reads files one after the other, in a goroutine of its own: a read of standard input cannot be interrupted,
// and who waits for one has other things to wait for.
type chunkReader struct {
	chunks chan chunk // closed behind the last of all files; not when reading stopped before
	free   chan []byte
}

// readChunks starts to read. It stops when ctx is done.
func readChunks(ctx context.Context, paths []string, stdin io.Reader) *chunkReader {
	r := &chunkReader{chunks: make(chan chunk, chunkCount), free: make(chan []byte, chunkCount)}
	for range chunkCount {
		r.free <- nil // grows when it is needed
	}
	go func() {
		for _, path := range paths {
			if !r.readFile(ctx, path, stdin) {
				return
			}
		}
		close(r.chunks)
	}()
	return r
}

// done gives a chunk's memory back.
func (r *chunkReader) done(c chunk) { r.free <- c.data[:0] }

// readFile passes on the chunks of one file and reports whether to go on.
func (r *chunkReader) readFile(ctx context.Context, path string, stdin io.Reader) bool {
	from := stdin
	first := true
	if path != stdinPath {
		file, err := os.Open(path)
		if err != nil {
			r.pass(ctx, chunk{path: path, first: true, last: true, err: err})
			return false
		}
		defer file.Close()
		from = file
	}
	for {
		var buffer []byte
		select {
		case buffer = <-r.free:
		case <-ctx.Done():
			return false
		}
		if cap(buffer) == 0 {
			buffer = make([]byte, chunkSize)
		}
		n, err := from.Read(buffer[:cap(buffer)])
		c := chunk{path: path, data: buffer[:n], first: first, last: err != nil}
		if err != nil && !errors.Is(err, io.EOF) {
			c.err = err
		}
		if !r.pass(ctx, c) || c.err != nil {
			return false
		}
		if c.last {
			return true
		}
		first = false
	}
}

func (r *chunkReader) pass(ctx context.Context, c chunk) bool {
	select {
	case r.chunks <- c:
		return true
	case <-ctx.Done():
		return false
	}
}
