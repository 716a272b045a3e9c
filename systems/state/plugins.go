package state

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"galgo/components"
	"galgo/wire"
)

// pluginSession stands where the session of a connection would: a plugin has none, and needs none.
const pluginSession = 1

// AddPlugin gives a plugin of this shard what it asks through: a row in Conns without a socket, bound to root. It returns the plugin's number.
// The engine calls it before the first tick.
func AddPlugin(s *components.State) int {
	user, ok := s.Catalog.FindUser(wire.IdentOf(components.RootID))
	if !ok {
		panic("state: a plugin is added to a server without a root user")
	}
	conn, row := s.Conns.Insert(0, netip.AddrPort{}, netip.AddrPort{})
	n := s.Plugins.Add(conn)
	s.Conns.Plugin[row], s.Conns.Session[row], s.Conns.User[row] = uint32(n+1), pluginSession, s.Catalog.Users.Entity(user)
	return n
}

// TakePlugins begins what plugins asked for in the tick before: as if a frame of a client had come in.
// Reads Plugins. Writes Conns, Verify, Routable, Requests or Out.Requests.
func TakePlugins(s *components.State) {
	p := &s.Plugins
	for n := range p.Conn {
		if !p.Busy[n] || p.Begun[n] || s.Stopping {
			continue
		}
		row := s.Conns.MustRow(p.Conn[n])
		if p.Wanted[n].Truncate {
			p.Begun[n] = true
			askTruncate(s, row, &p.Wanted[n])
		} else if p.Begun[n] = frameForPlugin(s, row, &p.Wanted[n]); !p.Begun[n] {
			s.WakeAt(s.Now.MonoMicros + memoryRetryMicros)
		}
	}
}

func askTruncate(s *components.State, row int, r *components.PluginRequest) {
	c := &s.Conns
	c.Header[row], c.Step[row] = wire.RequestHeader{Operation: wire.OpDeleteSegments, Client: wire.U128{Lo: 1}}, components.Away
	partition, ok := s.Catalog.Partitions.Row(r.Partition)
	if !ok {
		answer(s, row, wire.StatusPartitionNotFound)
		return
	}
	s.Ask(s.Catalog.OwnerOf(partition, s.Shards), components.Request{Kind: components.RequestTruncate, Home: uint8(s.Shard), Conn: c.Entity(row),
		Fence: s.Catalog.Applied, Since: s.Now.MonoMicros, Partition: r.Partition, Offset: r.Below})
}

// frameForPlugin makes the frame of a request and takes it as one that was received. It returns false when there is no memory for it now.
func frameForPlugin(s *components.State, row int, r *components.PluginRequest) bool {
	header := wire.RequestHeader{Command: wire.FrameRequest, Operation: r.Operation, Code: r.Code, Size: uint32(wire.FrameHeaderSize + len(r.Body)),
		Client: wire.U128{Lo: 1}, Session: pluginSession, Request: 1}
	if verdict := wire.CheckRequestHeader(header, s.FrameMax); verdict != wire.VerdictOK || r.Operation == wire.OpLogout {
		panic(fmt.Sprintf("state: a plugin asks for operation %v, code %v: %v", r.Operation, r.Code, verdict))
	}
	frame, ok := s.AllocHot(header.Size)
	if !ok {
		return false
	}
	b := s.Memory.Bytes(frame)
	wire.PutRequestHeader(b, header)
	copy(b[wire.FrameHeaderSize:], r.Body)
	takeFrame(s, row, header, frame, false)
	return true
}

// deliver gives a plugin the answer to its request.
func deliver(s *components.State, row int, block components.BlockRef) {
	c, p := &s.Conns, &s.Plugins
	n := c.Plugin[row] - 1
	content := contentOf(s, block)
	header, err := wire.DecodeReplyHeader(content)
	if err != nil {
		panic(fmt.Sprintf("state: what a plugin is answered is no reply: %v", err))
	}
	releaseBlock(s, block)
	if c.Frame[row].Len > 0 {
		s.Arena.Free(c.Frame[row])
	}
	c.Frame[row], c.Step[row] = components.Span{}, components.Idle
	p.Wanted[n], p.Busy[n], p.Begun[n] = components.PluginRequest{}, false, false
	p.Answer[n] = &components.PluginAnswer{Status: header.Status, Body: content[wire.FrameHeaderSize:]}
	if s.Stopping {
		dismiss(s, row)
	}
}

// contentOf is a copy of what a block would have sent.
func contentOf(s *components.State, block components.BlockRef) []byte {
	if block.Vectors == 0 {
		return append([]byte(nil), s.Memory.Bytes(block.Whole())...)
	}
	content := make([]byte, 0, block.Bytes)
	for i := range block.Vectors {
		vector := s.Memory.Bytes(block.Vector(i))
		content = append(content, s.Memory.At(binary.LittleEndian.Uint64(vector), binary.LittleEndian.Uint64(vector[8:]))...)
	}
	return content
}

// dismiss ends a plugin that has nothing under way.
func dismiss(s *components.State, row int) {
	conn := s.Conns.Entity(row)
	s.Conns.Remove(conn)
	s.Conns.Entities.Put(conn)
}
