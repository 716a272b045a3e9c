package snapshot

import (
	"archive/zip"
	"io"
	"time"

	"github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"galgo/wire"
)

// The methods of a ZIP entry that archive/zip does not know. Source: APPNOTE.TXT of PKWARE, 4.4.5.
const (
	methodBzip2 = 12
	methodLzma  = 14
	methodXz    = 95
)

// methods says how each compression is written into an entry.
var methods = map[wire.SnapshotCompression]uint16{
	wire.SnapshotStored:   zip.Store,
	wire.SnapshotDeflated: zip.Deflate,
	wire.SnapshotBzip2:    methodBzip2,
	wire.SnapshotZstd:     zstd.ZipMethodWinZip,
	wire.SnapshotLzma:     methodLzma,
	wire.SnapshotXz:       methodXz,
}

// flagEndMarker in an LZMA entry says that an end marker stands where the data ends: its size is not known in advance. Source: APPNOTE.TXT, 4.4.4.
const flagEndMarker = 1 << 1

// archive writes a ZIP file whose entries are all compressed in the same way.
type archive struct {
	*zip.Writer
	method uint16
}

func newArchive(w io.Writer, compression wire.SnapshotCompression) archive {
	z := zip.NewWriter(w)
	z.RegisterCompressor(methodBzip2, func(w io.Writer) (io.WriteCloser, error) { return bzip2.NewWriter(w, nil) })
	z.RegisterCompressor(methodXz, late(func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }))
	z.RegisterCompressor(methodLzma, late(newLzma))
	z.RegisterCompressor(zstd.ZipMethodWinZip, zstd.ZipCompressor(zstd.WithEncoderConcurrency(1)))
	return archive{z, methods[compression]}
}

// add writes an entry.
func (a archive) add(name string, content []byte) error {
	header := &zip.FileHeader{Name: name, Method: a.method, Modified: time.Now()}
	if a.method == methodLzma {
		header.Flags |= flagEndMarker
	}
	entry, err := a.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = entry.Write(content)
	return err
}

// lateWriter opens a compressor with its first byte. Some write a header when they are opened, and archive/zip opens them before it writes that
// of the entry.
type lateWriter struct {
	io.WriteCloser // nil until it is opened
	w              io.Writer
	open           zip.Compressor
}

func late(open zip.Compressor) zip.Compressor {
	return func(w io.Writer) (io.WriteCloser, error) { return &lateWriter{w: w, open: open}, nil }
}

func (l *lateWriter) ready() (err error) {
	if l.WriteCloser == nil {
		l.WriteCloser, err = l.open(l.w)
	}
	return err
}

// Write implements io.Writer.
func (l *lateWriter) Write(p []byte) (int, error) {
	if err := l.ready(); err != nil {
		return 0, err
	}
	return l.WriteCloser.Write(p)
}

// Close implements io.Closer.
func (l *lateWriter) Close() error {
	if err := l.ready(); err != nil {
		return err
	}
	return l.WriteCloser.Close()
}

// The header of an .lzma file in bytes: the properties, and 8 for the size of the content.
const (
	lzmaPropertiesSize = 5
	lzmaHeaderSize     = lzmaPropertiesSize + 8
)

// newLzma writes the LZMA stream of a ZIP entry. The library writes that of an .lzma file, whose header an entry has in another form:
// the version of the compressor and the size of the properties stand before these, and the size of the content is left out.
// Source: APPNOTE.TXT, 5.8.8.
func newLzma(w io.Writer) (io.WriteCloser, error) {
	config := lzma.WriterConfig{EOSMarker: true}
	return config.NewWriter(&lzmaEntry{w: w})
}

type lzmaEntry struct {
	w      io.Writer
	header []byte // of the .lzma file, until it is complete
}

// Write implements io.Writer.
func (e *lzmaEntry) Write(p []byte) (int, error) {
	missing := min(lzmaHeaderSize-len(e.header), len(p))
	if missing > 0 {
		e.header = append(e.header, p[:missing]...)
		if len(e.header) < lzmaHeaderSize {
			return len(p), nil
		}
		version := []byte{9, 20, lzmaPropertiesSize, 0} // that of the SDK of 7-Zip, as others write it
		if _, err := e.w.Write(append(version, e.header[:lzmaPropertiesSize]...)); err != nil {
			return 0, err
		}
	}
	n, err := e.w.Write(p[missing:])
	return missing + n, err
}
