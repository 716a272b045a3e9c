package wire

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func sampleRequest() RequestHeader {
	return RequestHeader{
		Cluster: U128{1, 2}, Client: U128{3, 4}, RequestChecksum: U128{Lo: 5}, Size: FrameHeaderSize, View: 6, Release: 7,
		Command: FrameRequest, Replica: 8, Operation: OpCreateTopic, Timestamp: 9, Request: 10, Session: 11, UserID: 12, Code: 13,
	}
}

// The fields lie where protocol.md, 2, puts them.
func TestHeaderLayouts(t *testing.T) {
	u32 := func(b []byte, at int) uint64 { return uint64(binary.LittleEndian.Uint32(b[at:])) }
	u64 := func(b []byte, at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }
	request := AppendRequestHeader(nil, sampleRequest())
	reply := ReplyTo(sampleRequest())
	reply.Op, reply.Commit, reply.Context, reply.Timestamp, reply.Status = 20, 21, U128{22, 23}, 24, 25
	answer := AppendReplyHeader(nil, reply)
	eviction := AppendEviction(nil, EvictionOf(U128{3, 4}, EvictIncompatibleProtocol))
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"request cluster", u64(request, 40), 2},
		{"request size", u32(request, 48), 256},
		{"request view", u32(request, 52), 6},
		{"request release", u32(request, 56), 7},
		{"request command", uint64(request[60]), 5},
		{"request replica", uint64(request[61]), 8},
		{"request client", u64(request, 128), 3},
		{"request checksum", u64(request, 144), 5},
		{"request timestamp", u64(request, 160), 9},
		{"request number", u64(request, 168), 10},
		{"request operation", uint64(request[176]), 132},
		{"request session", u64(request, 184), 11},
		{"request user", u32(request, 192), 12},
		{"request code", u32(request, 196), 13},
		{"reply cluster", u64(answer, 32), 1},
		{"reply size", u32(answer, 48), 256},
		{"reply view", u32(answer, 52), 6},
		{"reply release", u32(answer, 56), 7},
		{"reply command", uint64(answer[60]), 8},
		{"reply replica", uint64(answer[61]), 8},
		{"reply checksum", u64(answer, 128), 5},
		{"reply context", u64(answer, 152), 23},
		{"reply client", u64(answer, 168), 4},
		{"reply op", u64(answer, 176), 20},
		{"reply commit", u64(answer, 184), 21},
		{"reply timestamp", u64(answer, 192), 24},
		{"reply request", u64(answer, 200), 10},
		{"reply operation", uint64(answer[208]), 64},
		{"reply status", u32(answer, 216), 25},
		{"eviction size", u32(eviction, 48), 256},
		{"eviction command", uint64(eviction[60]), 13},
		{"eviction client", u64(eviction, 128), 3},
		{"eviction version", u32(eviction, 144), 11264},
		{"eviction version min", u32(eviction, 148), 11264},
		{"eviction reason", uint64(eviction[255]), 14},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, c.got, c.want)
		}
	}
}

func TestHeadersDecodeWhatWasAppended(t *testing.T) {
	request := sampleRequest()
	if got, err := DecodeRequestHeader(AppendRequestHeader(nil, request)); err != nil || got != request {
		t.Errorf("request: got %+v and %v, want %+v", got, err, request)
	}
	reply := ReplyTo(request)
	if got, err := DecodeReplyHeader(AppendReplyHeader(nil, reply)); err != nil || got != reply {
		t.Errorf("reply: got %+v and %v, want %+v", got, err, reply)
	}
	eviction := EvictionOf(U128{}, EvictNoSession)
	if got, err := DecodeEviction(AppendEviction(nil, eviction)); err != nil || got != eviction {
		t.Errorf("eviction: got %+v and %v, want %+v", got, err, eviction)
	}
	for size := range FrameHeaderSize {
		short := make([]byte, size)
		_, err1 := DecodeRequestHeader(short)
		_, err2 := DecodeReplyHeader(short)
		_, err3 := DecodeEviction(short)
		_, err4 := FrameKind(short)
		if err1 != ErrShort || err2 != ErrShort || err3 != ErrShort || err4 != ErrShort {
			t.Errorf("%d bytes: got %v, %v, %v, %v, want %v", size, err1, err2, err3, err4, ErrShort)
		}
	}
}

// A header written in place leaves nothing of what was there.
func TestPutHeaderClears(t *testing.T) {
	for name, put := range map[string]func([]byte){
		"request":  func(b []byte) { PutRequestHeader(b, RequestHeader{}) },
		"reply":    func(b []byte) { PutReplyHeader(b, ReplyHeader{}); b[60] = 0 },
		"eviction": func(b []byte) { PutEviction(b, Eviction{}); b[49], b[60] = 0, 0 },
		"batch":    func(b []byte) { PutBatchHeader(b, BatchHeader{}) },
	} {
		b := bytes.Repeat([]byte{0xff}, 257)
		put(b)
		if !allZero(b[:256]) || b[256] != 0xff {
			t.Errorf("%s: got %x, want 256 zero bytes", name, b)
		}
	}
}

func TestReplyDecoderRefuses(t *testing.T) {
	good := AppendReplyHeader(nil, ReplyTo(sampleRequest()))
	for name, spoil := range map[string]func([]byte){
		"command":        func(b []byte) { b[60] = FrameRequest },
		"size below":     func(b []byte) { b[48], b[49] = 255, 0 },
		"size above":     func(b []byte) { b[48], b[51] = 1, 4 },
		"operation":      func(b []byte) { b[208] = 66 },
		"status on body": func(b []byte) { b[48], b[216] = 1, 3 },
	} {
		b := bytes.Clone(good)
		spoil(b)
		if h, err := DecodeReplyHeader(b); err != ErrMalformed {
			t.Errorf("%s: got %+v and %v, want %v", name, h, err, ErrMalformed)
		}
	}
}

func TestCheckRequestHeader(t *testing.T) {
	read := func(code Code) func(*RequestHeader) {
		return func(h *RequestHeader) { h.Operation, h.Code, h.Session, h.Request = OpNonReplicated, code, 0, 0 }
	}
	for _, c := range []struct {
		name   string
		change func(*RequestHeader)
		want   Verdict
		status Status
		needs  bool
	}{
		{"as it is", func(*RequestHeader) {}, VerdictOK, StatusOK, false},
		{"size below the header", func(h *RequestHeader) { h.Size = 255 }, VerdictClose, StatusOK, false},
		{"size at the limit", func(h *RequestHeader) { h.Size = 1 << 20 }, VerdictOK, StatusOK, false},
		{"size above the limit", func(h *RequestHeader) { h.Size = 1<<20 + 1 }, VerdictClose, StatusOK, false},
		{"unknown command", func(h *RequestHeader) { h.Command = 30 }, VerdictClose, StatusOK, false},
		{"a reply", func(h *RequestHeader) { h.Command = FrameReply }, VerdictClose, StatusOK, false},
		{"no client", func(h *RequestHeader) { h.Client = U128{} }, VerdictNoClient, StatusInvalidCommand, true},
		{"operation 0", func(h *RequestHeader) { h.Operation = 0 }, VerdictUnknownOperation, StatusInvalidCommand, false},
		{"operation 150", func(h *RequestHeader) { h.Operation = 150 }, VerdictUnknownOperation, StatusInvalidCommand, false},
		{"operation of a reply", func(h *RequestHeader) { h.Operation = OpTruncatePartition }, VerdictUnknownOperation, StatusInvalidCommand, false},
		{"no session", func(h *RequestHeader) { h.Session = 0 }, VerdictUnnumbered, StatusInvalidCommand, true},
		{"no request", func(h *RequestHeader) { h.Request = 0 }, VerdictUnnumbered, StatusInvalidCommand, true},
		{"logout without request", func(h *RequestHeader) { h.Operation, h.Request = OpLogout, 0 }, VerdictUnnumbered, StatusInvalidCommand, true},
		{"send without session", func(h *RequestHeader) { h.Operation, h.Session = OpSendMessages, 0 }, VerdictUnnumbered, StatusInvalidCommand, true},
		{"register", func(h *RequestHeader) { h.Operation, h.Session, h.Request = OpRegister, 0, 0 }, VerdictOK, StatusOK, false},
		{"register with a session", func(h *RequestHeader) { h.Operation, h.Request = OpRegister, 0 }, VerdictBadRegister, StatusInvalidCommand, false},
		{"register with a request", func(h *RequestHeader) { h.Operation, h.Session = OpRegister, 0 }, VerdictBadRegister, StatusInvalidCommand, false},
		{"ping", read(CodePing), VerdictOK, StatusOK, false},
		{"poll", read(CodePollMessages), VerdictOK, StatusOK, false},
		{"unknown code", read(60000), VerdictUnknownCode, StatusInvalidCommand, true},
		{"code 1<<31", read(1 << 31), VerdictUnknownCode, StatusInvalidCommand, true},
		{"replicated code", read(CodeCreateStream), VerdictReplicatedCode, StatusFeatureUnavailable, true},
		{"partition code", read(CodeSendMessages), VerdictReplicatedCode, StatusFeatureUnavailable, true},
		{"register code", read(CodeRegisterWithPersonalAccessToken), VerdictSessionCode, StatusInvalidCommand, true},
		{"legacy login", read(CodeLoginUser), VerdictLegacyLogin, StatusOK, false},
	} {
		h := sampleRequest()
		c.change(&h)
		got := CheckRequestHeader(h, 1<<20)
		if got != c.want || got.Status() != c.status || got.NeedsSession() != c.needs {
			t.Errorf("%s: got verdict %d (%v, %v), want %d (%v, %v)", c.name, got, got.Status(), got.NeedsSession(), c.want, c.status, c.needs)
		}
	}
}

func TestBodyVerifier(t *testing.T) {
	body := bytes.Repeat([]byte("body"), 1000)
	stamped, unstamped, wrong := RequestHeader{RequestChecksum: BodyChecksum(body)}, RequestHeader{}, RequestHeader{RequestChecksum: U128{Lo: 1}}
	for _, c := range []struct {
		h    RequestHeader
		want Status
	}{{stamped, StatusOK}, {unstamped, StatusOK}, {wrong, StatusInvalidFormat}} {
		for _, budget := range []int{0, 1, 999, 5000} {
			var v BodyVerifier
			v.Reset(c.h, body)
			done, got := v.Step(budget)
			for !done {
				done, got = v.Step(budget)
			}
			if got != c.want {
				t.Errorf("checksum %x in steps of %d: got %v, want %v", c.h.RequestChecksum, budget, got, c.want)
			}
		}
	}
}

// Every operation and code agrees with the table of protocol.md, 3.
func TestOperations(t *testing.T) {
	for op := range 256 {
		op := Operation(op)
		metadata, partition := op >= 128 && op <= 149, op >= 160 && op <= 162
		if op.Metadata() != metadata || op.Partition() != partition || op.Valid() != (metadata || partition || op >= 1 && op <= 3) {
			t.Errorf("%v: got metadata %v, partition %v, valid %v", op, op.Metadata(), op.Partition(), op.Valid())
		}
		framed := metadata && op != OpDeleteSegments || partition && op != OpSendMessages || op == 1 || op == 64 || op == 65 || op == 68
		if op.Framed() != framed {
			t.Errorf("%v: got framed %v, want %v", op, op.Framed(), framed)
		}
		want := map[Operation]Operation{132: 64, 136: 65, 138: 68}[op]
		if want == 0 {
			want = op
		}
		if got := op.ReplyOperation(); got != want || op.Valid() && !got.Framed() && op.Framed() {
			t.Errorf("%v: got reply operation %v, want %v", op, got, want)
		}
		if code := op.Code(); code != 0 && code.Operation() != op {
			t.Errorf("%v has code %v, whose operation is %v", op, code, code.Operation())
		}
		if metadata || partition {
			if kind := op.Code().Kind(); kind != CodeReplicated || op.Code().String() != op.String() {
				t.Errorf("%v: got code %v of kind %d, want the same name and %d", op, op.Code(), kind, CodeReplicated)
			}
		}
	}
	for code, want := range map[Code]Operation{302: 132, 503: 138, 101: 160, 122: 162, 39: 3, 45: 1, 100: OpNonReplicated, 7: 0, 1 << 31: 0} {
		if got := code.Operation(); got != want {
			t.Errorf("%v: got %v, want %v", code, got, want)
		}
	}
	if got := (RequestHeader{Operation: OpNonReplicated, Code: CodeGetMe}).CommandCode(); got != CodeGetMe {
		t.Errorf("command of a read: got %v, want %v", got, CodeGetMe)
	}
	if got := (RequestHeader{Operation: OpPurgeTopic, Code: CodeGetMe}).CommandCode(); got != CodePurgeTopic {
		t.Errorf("command of a replicated operation: got %v, want %v", got, CodePurgeTopic)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{StatusOK.String(), "ok"},
		{StatusStreamIdNotFound.String(), "stream_id_not_found"},
		{StatusInvalidUtf8.String(), "invalid_utf8"},
		{Status(999999).String(), "status_999999"},
		{OpCreateTopic.String(), "create_topic"},
		{Operation(99).String(), "operation_99"},
		{CodePing.String(), "ping"},
		{Code(60000).String(), "code_60000"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestVersionGate(t *testing.T) {
	for version, want := range map[uint32]bool{
		11264: true, 11264 + 1023: true, 11263: false, 12 << 10: false, 10 << 10: false, 1<<20 | 11<<10: false, 0: false,
	} {
		if got := AcceptsProtocol(version); got != want {
			t.Errorf("version %d: got %v, want %v", version, got, want)
		}
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add(AppendRequestHeader(nil, sampleRequest()))
	f.Add(AppendReplyHeader(nil, ReplyTo(sampleRequest())))
	f.Add(AppendEviction(nil, EvictionOf(U128{}, EvictIncompatibleProtocol)))
	f.Fuzz(func(t *testing.T, src []byte) {
		if request, err := DecodeRequestHeader(src); err == nil {
			CheckRequestHeader(request, FrameSizeMax)
			if again, err := DecodeRequestHeader(AppendRequestHeader(nil, request)); err != nil || again != request {
				t.Errorf("request: got %+v and %v, want %+v", again, err, request)
			}
		}
		if reply, err := DecodeReplyHeader(src); err == nil {
			if again, err := DecodeReplyHeader(AppendReplyHeader(nil, reply)); err != nil || again != reply {
				t.Errorf("reply: got %+v and %v, want %+v", again, err, reply)
			}
		}
		if eviction, err := DecodeEviction(src); err == nil {
			if again, err := DecodeEviction(AppendEviction(nil, eviction)); err != nil || again != eviction {
				t.Errorf("eviction: got %+v and %v, want %+v", again, err, eviction)
			}
		}
		_, _, _ = DecodeResult(src)
	})
}
