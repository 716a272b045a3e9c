package storage

import (
	"path"
	"testing"

	"galgo/components"
	"galgo/wire"
)

// A seal behind bad bytes is found wherever it stands: where the bytes begin, across two of the pieces in which they are read, and at their end.
func TestSearchFindsSealsAcrossPieces(t *testing.T) {
	const id, from = 7, 5000 // the first piece begins there
	for _, at := range []uint64{from, from + walkReadMax - wire.BatchHeaderSize, from + walkReadMax - wire.BatchHeaderSize + 1, from + walkReadMax - 100,
		from + walkReadMax - 1, from + walkReadMax, from + 2*walkReadMax - 300} {
		content := make([]byte, from+2*walkReadMax)
		for i := range content {
			content[i] = 0xa5
		}
		header := content[at:][:wire.BatchHeaderSize]
		wire.PutBatchHeader(header, wire.BatchHeader{BaseOffset: 40, Length: 300, MessageCount: 1})
		wire.PutSeal(header, wire.Seal{SegmentID: id, Run: 2, SafeBelow: 30}, at, testSecret)
		name := path.Join("/data", components.SegmentsDir, wire.SegmentName(1, 0, id, wire.SegmentLog))
		l := newSegmentLog(&memoryFiles{content: map[string][]byte{name: content}}, &RecoverInput{Root: "/data", Secret: testSecret, CreatedSeq: 1}, id)
		if err := l.open(); err != nil {
			t.Fatal(err)
		}
		found, err := l.search(from, func(s wire.Seal) bool { return s.Run == 2 })
		l.close()
		if err != nil || found.seals != 1 || found.counting != 1 || found.safeBelow != 30 || found.at != at || found.end != at+300 {
			t.Errorf("seal at %d: got %+v, %v, want that one", at, found, err)
		}
	}
}
