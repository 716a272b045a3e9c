package conformance

import (
	"strings"
	"syscall"

	"galgo/uring"
)

// bufferTests are about provided buffers.
var bufferTests = map[string]func(*fixture){
	"receive_select":                   receiveSelect,
	"receive_select_limit":             receiveSelectLimit,
	"receive_select_without_buffers":   receiveSelectEmpty,
	"receive_select_many_rounds":       receiveSelectRounds,
	"receive_multishot":                receiveMultishot,
	"receive_multishot_runs_dry":       receiveMultishotDry,
	"receive_select_cancelled":         receiveSelectCancelled,
	"buffer_groups_are_apart":          bufferGroups,
	"receive_select_from_missing_ring": receiveSelectMissing,
}

const group = 3

func (f *fixture) bufRing(group, count uint16, size uint32) *uring.BufRing {
	f.Helper()
	b, err := uring.NewBufRing(f.ring, group, f.slab, f.take(uring.BytesNeeded(count, size)), count, size)
	f.check(err)
	return b
}

// selected returns the bytes of a completion that took a buffer, and recycles it.
func (f *fixture) selected(b *uring.BufRing, c uring.Completion) string {
	f.Helper()
	id, ok := uring.BufferID(c.Flags)
	if c.Res < 0 || !ok {
		f.Fatalf("got result %d (%v), flags %#x, want bytes in a buffer", c.Res, c.Errno(), c.Flags)
	}
	text := string(f.slab.At(b.Buffer(id), uint64(c.Res)))
	b.Recycle(id)
	return text
}

func receiveSelect(f *fixture) {
	b := f.bufRing(group, 4, 8192)
	client, server := f.pair()
	receive := f.push(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, group, 0, 0, t) })
	f.settle()
	f.send(client, "into a buffer")
	c := f.wait(receive)
	if c.More() {
		f.Fatalf("got flags %#x, want no more to come", c.Flags)
	}
	f.wantBytes([]byte(f.selected(b, c)), "into a buffer")
	// The end of the stream takes no buffer.
	f.closeFD(client)
	c = f.do(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, group, 0, 0, t) })
	f.want(c, 0)
	if id, ok := uring.BufferID(c.Flags); ok {
		b.Recycle(id) // older kernels hand one out all the same
	}
	f.closeFD(server)
	f.check(b.Close())
}

func receiveSelectLimit(f *fixture) {
	b := f.bufRing(group, 4, 64)
	client, server := f.pair()
	text := pattern(200)
	f.send(client, text)
	f.wantBytes([]byte(f.selected(b, f.do(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, group, 10, 0, t) }))), text[:10])
	f.wantBytes([]byte(f.selected(b, f.do(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, group, 0, 0, t) }))), text[10:74])
	f.wantBytes([]byte(f.selected(b, f.do(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, group, 1000, 0, t) }))), text[74:138])
	f.closeAll(client, server)
	f.check(b.Close())
}

func receiveSelectEmpty(f *fixture) {
	b := f.bufRing(group, 2, 64)
	client, server := f.pair()
	f.send(client, pattern(256))
	receive := func(t uring.Token) uring.Entry { return uring.RecvSelect(server, group, 0, 0, t) }
	var ids []uint16
	for range 2 {
		c := f.do(receive)
		f.want(c, 64)
		id, _ := uring.BufferID(c.Flags)
		ids = append(ids, id)
	}
	if ids[0] == ids[1] {
		f.Fatalf("got buffer %d twice, want two buffers", ids[0])
	}
	f.wantErrno(f.do(receive), syscall.ENOBUFS)
	b.Recycle(ids[1])
	f.wantBytes([]byte(f.selected(b, f.do(receive))), pattern(256)[128:192])
	f.closeAll(client, server)
	f.check(b.Close())
}

func receiveSelectRounds(f *fixture) {
	b := f.bufRing(group, 8, 128) // goes around many times
	client, server := f.pair()
	text := pattern(64 << 10)
	f.send(client, text)
	var got strings.Builder
	for got.Len() < len(text) {
		got.WriteString(f.selected(b, f.do(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, group, 0, 0, t) })))
	}
	f.wantBytes([]byte(got.String()), text)
	f.closeAll(client, server)
	f.check(b.Close())
}

func receiveMultishot(f *fixture) {
	b := f.bufRing(group, 8, 256)
	client, server := f.pair()
	armed := f.push(func(t uring.Token) uring.Entry { return uring.RecvMultishot(server, group, t) })
	f.settle()
	for _, text := range []string{"one", "two", "three"} {
		f.send(client, text)
		c := f.wait(armed)
		if !c.More() {
			f.Fatalf("got flags %#x, want more to come", c.Flags)
		}
		f.wantBytes([]byte(f.selected(b, c)), text)
	}
	f.closeFD(client)
	c := f.wait(armed)
	f.want(c, 0)
	if c.More() {
		f.Fatalf("got flags %#x at the end of the stream, want no more to come", c.Flags)
	}
	f.closeFD(server)
	f.check(b.Close())
}

func receiveMultishotDry(f *fixture) {
	b := f.bufRing(group, 4, 64)
	client, server := f.pair()
	text := pattern(4096)
	f.send(client, text)
	receive := func(t uring.Token) uring.Entry { return uring.RecvMultishot(server, group, t) }
	armed := f.push(receive)
	var got strings.Builder
	var ids []uint16
	dry := 0
	for got.Len() < len(text) {
		c := f.wait(armed)
		if c.Res > 0 {
			id, _ := uring.BufferID(c.Flags)
			got.Write(f.slab.At(b.Buffer(id), uint64(c.Res)))
			ids = append(ids, id)
			if c.More() {
				continue
			}
		} else {
			f.wantErrno(c, syscall.ENOBUFS)
			dry++
		}
		if c.More() {
			f.Fatalf("got flags %#x with %v, want no more to come", c.Flags, c.Errno())
		}
		for _, id := range ids {
			b.Recycle(id)
		}
		ids = ids[:0]
		armed = f.push(receive)
	}
	if dry == 0 {
		f.Fatal("got no ENOBUFS, want some")
	}
	f.wantBytes([]byte(got.String()), text)
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.CancelFD(server, t) }), 1)
	f.closeAll(client, server)
	f.check(b.Close())
}

func receiveSelectCancelled(f *fixture) {
	b := f.bufRing(group, 1, 64)
	client, server := f.pair()
	receive := func(t uring.Token) uring.Entry { return uring.RecvSelect(server, group, 0, 0, t) }
	waiting := f.push(receive)
	f.settle()
	f.want(f.do(func(t uring.Token) uring.Entry { return uring.Cancel(waiting, t) }), 0)
	c := f.wait(waiting)
	f.wantErrno(c, syscall.ECANCELED)
	if _, ok := uring.BufferID(c.Flags); ok {
		f.Fatalf("got flags %#x, want no buffer taken", c.Flags)
	}
	f.send(client, "the only buffer")
	f.wantBytes([]byte(f.selected(b, f.do(receive))), "the only buffer")
	f.closeAll(client, server)
	f.check(b.Close())
}

func bufferGroups(f *fixture) {
	small, large := f.bufRing(1, 2, 16), f.bufRing(2, 2, 4096)
	client, server := f.pair()
	f.send(client, pattern(100))
	f.wantBytes([]byte(f.selected(small, f.do(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, 1, 0, 0, t) }))), pattern(100)[:16])
	f.wantBytes([]byte(f.selected(large, f.do(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, 2, 0, 0, t) }))), pattern(100)[16:])
	f.closeAll(client, server)
	f.check(small.Close())
	f.check(large.Close())
}

func receiveSelectMissing(f *fixture) {
	client, server := f.pair()
	f.send(client, "x")
	f.wantErrno(f.do(func(t uring.Token) uring.Entry { return uring.RecvSelect(server, 99, 0, 0, t) }), syscall.ENOBUFS)
	f.closeAll(client, server)
}
