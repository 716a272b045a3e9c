package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"galgo/wire"
)

func TestMessageJSON(t *testing.T) {
	pair := func(dst []byte, key string, kind wire.ValueKind, data ...byte) []byte {
		return wire.AppendPair(dst, wire.StringValue([]byte(key)), wire.TypedValue{Kind: kind, Data: data})
	}
	ff := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	var headers []byte
	headers = pair(headers, "s", wire.ValueString, []byte("a\"b")...)
	headers = pair(headers, "yes", wire.ValueBool, 1)
	headers = pair(headers, "i8", wire.ValueInt8, 0xff)
	headers = pair(headers, "i16", wire.ValueInt16, ff[:2]...)
	headers = pair(headers, "i32", wire.ValueInt32, ff[:4]...)
	headers = pair(headers, "i64", wire.ValueInt64, ff[:8]...)
	headers = pair(headers, "i128", wire.ValueInt128, ff...)
	headers = pair(headers, "u8", wire.ValueUint8, 0xff)
	headers = pair(headers, "u16", wire.ValueUint16, ff[:2]...)
	headers = pair(headers, "u32", wire.ValueUint32, ff[:4]...)
	headers = pair(headers, "u64", wire.ValueUint64, ff[:8]...)
	headers = pair(headers, "u128", wire.ValueUint128, ff...)
	headers = pair(headers, "f32", wire.ValueFloat32, 0, 0, 0xc0, 0x3f)
	headers = pair(headers, "f64", wire.ValueFloat64, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f)
	headers = pair(headers, "raw", wire.ValueRaw, 1, 2)
	headers = pair(headers, "bad", wire.ValueBool, 7)
	headers = wire.AppendPair(headers, wire.TypedValue{Kind: wire.ValueUint8, Data: []byte{9}}, wire.StringValue([]byte("x")))
	header := wire.BatchHeader{BaseOffset: 10, BaseTimestamp: 1_767_225_600_000_001, OriginTimestamp: 1_767_225_600_000_000}
	message := wire.Message{
		MessageHeader: wire.MessageHeader{ID: wire.U128{Hi: 1, Lo: 0xab}, OffsetDelta: 2, TimestampDelta: 500_000},
		Payload:       []byte("tab\t \\ \x01 ü"), UserHeaders: headers,
	}
	const want = `{"partition":3,"offset":12,"timestamp":"2026-01-01T00:00:00.000001Z","origin_timestamp":"2026-01-01T00:00:00.500000Z",` +
		`"id":"000000000000000100000000000000ab","headers":{"s":"a\"b","yes":true,"i8":-1,"i16":-1,"i32":-1,"i64":-1,"i128":"-1",` +
		`"u8":255,"u16":65535,"u32":4294967295,"u64":18446744073709551615,"u128":"340282366920938463463374607431768211455",` +
		`"f32":1.5,"f64":"+Inf","raw":{"base64":"AQI="},"bad":{"base64":"Bw=="},"9":"x"},"payload":"tab\t \\ \u0001 ü"}` + "\n"
	got := string(appendMessageJSON(nil, 3, header, message))
	if got != want {
		t.Errorf("got  %s want %s", got, want)
	}
	if !json.Valid([]byte(got)) {
		t.Errorf("got %s, want JSON", got)
	}

	message.Payload, message.UserHeaders = []byte{0xff, 0}, []byte{2, 1}
	got = string(appendMessageJSON(nil, 3, header, message))
	if want := `"headers_base64":"AgE=","payload":"/wA=","base64":true}`; !strings.HasSuffix(got, want+"\n") || !json.Valid([]byte(got)) {
		t.Errorf("got %s, want the end %s", got, want)
	}
}

func FuzzMessageJSON(f *testing.F) {
	f.Add("text", []byte{1}, []byte{2, 1, 0, 0, 0, 'k', 2, 1, 0, 0, 0, 'v'})
	f.Fuzz(func(t *testing.T, text string, payload, headers []byte) {
		for _, p := range [][]byte{[]byte(text), payload} {
			line := appendMessageJSON(nil, 1, wire.BatchHeader{}, wire.Message{Payload: p, UserHeaders: headers})
			var got struct {
				Payload json.RawMessage
				Base64  bool
			}
			if err := json.Unmarshal(line, &got); err != nil {
				t.Fatalf("got %q: %v", line, err)
			}
			var back []byte
			var asText string
			if got.Base64 {
				_ = json.Unmarshal(got.Payload, &back)
			} else if _ = json.Unmarshal(got.Payload, &asText); true {
				back = []byte(asText)
			}
			if !reflect.DeepEqual(append([]byte{}, back...), append([]byte{}, p...)) {
				t.Fatalf("got %q, want %q", back, p)
			}
		}
	})
}
