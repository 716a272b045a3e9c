package wire

import (
	"bytes"
	"testing"
)

var testMarker = Marker{
	ID:      [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	Secret:  testSecret,
	Created: 1_700_000_000_000_000,
}

func TestMarker(t *testing.T) {
	b := AppendMarker([]byte("x"), testMarker)[1:]
	wantHex(t, b, `47414c474f444952 01000000 00000000
		000102030405060708090a0b0c0d0e0f c75ee7c75ee7c75e 00401e18240a0600
		0000000000000000 2be6a64e2bd72d43`)
	m, err := DecodeMarker(b)
	wantError(t, err, nil)
	if m != testMarker {
		t.Errorf("got %+v, want %+v", m, testMarker)
	}
	testHead(t, b, 0, func(b []byte, _ uint64) error { _, err := DecodeMarker(b); return err })
}

func TestMarkerRefusesReserved(t *testing.T) {
	b := AppendMarker(nil, testMarker)
	b[50] = 1
	sealHead(b, markerMagic, 0)
	_, err := DecodeMarker(b)
	wantError(t, err, ErrMalformed)
}

func FuzzDecodeMarker(f *testing.F) {
	f.Add(AppendMarker(nil, testMarker))
	f.Add([]byte("GALGODIR"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := DecodeMarker(b)
		if err != nil {
			return
		}
		if got := AppendMarker(nil, m); !bytes.Equal(got, b[:MarkerSize]) {
			t.Errorf("got %x, want %x", got, b[:MarkerSize])
		}
	})
}
