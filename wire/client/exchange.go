package client

import (
	"errors"
	"fmt"
	"io"
	"time"

	"galgo/wire"
)

// Raw sends any request and returns the payload of its reply, the result section stripped. Code counts for
// OpNonReplicated only. The errors are those every method returns:
//
//	StatusError    the server refused; not executed
//	SizeError      not sent
//	EvictionError  the session is over, and with it the connection
//	any other      broken: executed or not, nobody knows, and the connection is over
//
// The last two come wrapped with the command.
func (c *Client) Raw(op wire.Operation, code wire.Code, body []byte) (payload []byte, err error) {
	return c.exchange(op, code, append(c.frame(), body...), nil)
}

// frame is where the next request is built: its header's place is there, and the body is appended.
func (c *Client) frame() []byte { return c.out[:wire.FrameHeaderSize] }

// exchange sends one request and reads its reply. Frame is what frame returned with the body appended; tail, which may
// be large and is not copied, follows it.
func (c *Client) exchange(op wire.Operation, code wire.Code, frame, tail []byte) (payload []byte, err error) {
	c.out = frame
	request := wire.RequestHeader{Command: wire.FrameRequest, Operation: op, Code: code}
	command := request.CommandCode()
	if c.broken != nil {
		return nil, c.broken
	}
	size := len(frame) + len(tail)
	if size > wire.FrameSizeMax {
		return nil, SizeError{command, size}
	}
	request.Size = uint32(size)
	request.Client, request.Session, request.Request = c.id, c.session, c.next
	switch op.Plane() {
	case wire.PlaneMetadata:
		request.RequestChecksum = wire.BodyChecksum(frame[wire.FrameHeaderSize:])
		c.next++
	case wire.PlaneSession:
		request.RequestChecksum = wire.BodyChecksum(frame[wire.FrameHeaderSize:])
		if op == wire.OpLogout {
			c.next++
		}
	case wire.PlanePartition: // as the clients of the release count; protocol.md, 5.1
		c.next++
	}
	wire.PutRequestHeader(frame, request)
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return nil, c.fail(command, err)
	}
	if err := c.write(frame, tail); err != nil {
		return nil, c.fail(command, err)
	}
	reply, err := c.read(request)
	if err != nil {
		return nil, c.fail(command, err)
	}
	if reply.Status != wire.StatusOK {
		return nil, StatusError{command, reply.Status}
	}
	if !reply.Operation.Framed() || reply.Operation == wire.OpRegister && len(c.in) == 0 {
		return c.in, nil
	}
	payload, status, err := wire.DecodeResult(c.in)
	if err != nil {
		return nil, c.fail(command, err)
	}
	if status != wire.StatusOK {
		return nil, StatusError{command, status}
	}
	return payload, nil
}

// write sends frame and tail with one system call where the socket takes them whole.
func (c *Client) write(frame, tail []byte) error {
	if len(tail) == 0 {
		_, err := c.conn.Write(frame)
		return err
	}
	c.gather = [2][]byte{frame, tail}
	c.vectors = c.gather[:]
	_, err := c.vectors.WriteTo(c.conn)
	c.gather = [2][]byte{} // the tail is its owner's again
	return err
}

// read reads one frame, leaves its body in c.in, and checks that it answers the request.
func (c *Client) read(request wire.RequestHeader) (wire.ReplyHeader, error) {
	if _, err := io.ReadFull(c.replies, c.header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return wire.ReplyHeader{}, errClosed
		}
		return wire.ReplyHeader{}, err
	}
	if kind, _ := wire.FrameKind(c.header[:]); kind == wire.FrameEviction {
		eviction, err := wire.DecodeEviction(c.header[:])
		if err != nil {
			return wire.ReplyHeader{}, err
		}
		return wire.ReplyHeader{}, EvictionError{eviction.Reason, eviction.ServerVersion, eviction.ServerVersionMin}
	}
	reply, err := wire.DecodeReplyHeader(c.header[:])
	if err != nil {
		return reply, fmt.Errorf("reply header: %w", err)
	}
	if reply.Request != request.Request {
		return reply, fmt.Errorf("%w: reply to request %d, want %d", wire.ErrMalformed, reply.Request, request.Request)
	}
	if reply.Operation != request.Operation.ReplyOperation() && reply.Operation != request.Operation {
		return reply, fmt.Errorf("%w: reply to %s, want %s", wire.ErrMalformed, reply.Operation, request.Operation)
	}
	size := int(reply.Size) - wire.FrameHeaderSize
	if cap(c.in) < size {
		c.in = make([]byte, size)
	}
	c.in = c.in[:size]
	if _, err := io.ReadFull(c.replies, c.in); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // the header promised a body
		}
		return reply, err
	}
	return reply, nil
}

// errClosed reads better than EOF, which it is.
var errClosed = fmt.Errorf("connection closed by the server: %w", io.EOF)
