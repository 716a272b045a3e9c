package client

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"galgo/wire"
)

// Options says how to connect.
type Options struct {
	Username, Password string        // no login when Username is empty; Login comes later, or never
	Timeout            time.Duration // of connecting and of each request; 0 is TimeoutDefault
}

// TimeoutDefault is how long the stock clients wait for a reply. Source: protocol.md, 1.
const TimeoutDefault = 30 * time.Second

// Client is one connection. It is not safe for concurrent use, save Close.
type Client struct {
	conn    net.Conn
	replies *bufio.Reader
	timeout time.Duration
	broken  error // why the connection is over; nil while it is not

	id         wire.U128 // minted by each login
	session    uint64    // 0 before login
	next       uint64    // the next request number; 0 before login
	registered wire.Registered

	out      []byte      // the frame under way, its header first
	gather   [2][]byte   // out and what follows it on the socket
	vectors  net.Buffers // over gather
	header   [wire.FrameHeaderSize]byte
	in       []byte // the body of the last reply
	verifier wire.BatchVerifier
}

// Dial connects to address, `host:port`, and logs in. The context bounds both, and nothing afterwards. It returns a
// *net.OpError when there is nobody to talk to, and else the errors of Login.
func Dial(ctx context.Context, address string, o Options) (*Client, error) {
	c := &Client{timeout: o.Timeout}
	if c.timeout == 0 {
		c.timeout = TimeoutDefault
	}
	dialer := net.Dialer{Timeout: c.timeout}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	c.conn = conn
	c.replies = bufio.NewReaderSize(conn, 64<<10)
	c.out = make([]byte, wire.FrameHeaderSize)
	c.mint()
	if o.Username == "" {
		return c, nil
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := c.Login(o.Username, o.Password); err != nil {
		_ = conn.Close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	return c, nil
}

// Close closes the connection without a goodbye, as the protocol has it. Another goroutine may call it: a request under
// way is broken then, with net.ErrClosed.
func (c *Client) Close() error { return c.conn.Close() }

// Registered is what the server said at login.
func (c *Client) Registered() wire.Registered { return c.registered }

// Login registers a new session. Credentials that are refused are an EvictionError, and the connection is over.
func (c *Client) Login(username, password string) error {
	return c.login(wire.AppendPasswordCredentials(nil, wire.PasswordCredentials{
		Username: []byte(username), Password: []byte(password),
	}))
}

// LoginToken is Login with a personal access token.
func (c *Client) LoginToken(token string) error {
	return c.login(wire.AppendTokenCredentials(nil, wire.TokenCredentials{Token: []byte(token)}))
}

func (c *Client) login(credentials []byte) error {
	c.mint()
	c.session, c.next = 0, 0
	payload, err := c.exchange(wire.OpRegister, 0, wire.AppendRegister(c.frame(), wire.Register{
		ProtocolVersion: wire.ProtocolVersion,
		SDKName:         []byte("galgo"),
		SDKVersion:      []byte("1"),
		Credentials:     credentials,
	}), nil)
	if err != nil {
		return err
	}
	registered, err := wire.DecodeRegistered(payload)
	if err != nil || registered.Session == 0 {
		return c.fail(wire.CodeRegister, wire.ErrMalformed)
	}
	registered.ServerVersion = append([]byte(nil), registered.ServerVersion...)
	c.registered, c.session, c.next = registered, registered.Session, 1
	return nil
}

// Logout ends the session. The connection stays, and may log in again.
func (c *Client) Logout() error {
	_, err := c.exchange(wire.OpLogout, 0, c.frame(), nil)
	if err == nil {
		c.session, c.next = 0, 0
	}
	return err
}

// mint makes a client id; one in 2^128 would be the 0 that stands for none.
func (c *Client) mint() {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	c.id = wire.U128{Lo: binary.LittleEndian.Uint64(b[:]) | 1, Hi: binary.LittleEndian.Uint64(b[8:])}
}

// fail ends the connection: what follows on it cannot be trusted to answer what is asked.
func (c *Client) fail(command wire.Code, err error) error {
	c.broken = fmt.Errorf("client: %s: %w", command, err)
	_ = c.conn.Close()
	return c.broken
}
