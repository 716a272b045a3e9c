package wire

import "encoding/binary"

// Transport is how a client is connected.
type Transport uint8

const (
	TransportTCP       Transport = 1
	TransportQUIC      Transport = 2
	TransportHTTP      Transport = 3
	TransportWebSocket Transport = 4
)

// NoUser stands for the user of a client that is not logged in.
const NoUser uint32 = 1<<32 - 1

// DecodeGetClient reads the body of CodeGetClient: a client id.
func DecodeGetClient(body []byte) (clientID uint32, status Status) {
	r := bodyReader{src: body}
	clientID = r.u32()
	return clientID, r.status()
}

// AppendGetClient appends the body of CodeGetClient.
func AppendGetClient(dst []byte, clientID uint32) []byte {
	return binary.LittleEndian.AppendUint32(dst, clientID)
}

// Client is one connection in an answer. Source: protocol.md, 8.9.
//
//	| client_id u32 | user_id u32 | transport u8 | address str32 | consumer_groups_count u32 |
type Client struct {
	ID          uint32 // numbers connections from 1, stable for the connection's life
	UserID      uint32 // NoUser when not logged in
	Transport   Transport
	Address     []byte // ip:port
	GroupsCount uint32
}

// AppendClient appends the encoding of c. CodeGetClients is answered with clients back to back.
func AppendClient(dst []byte, c Client) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, c.ID)
	dst = binary.LittleEndian.AppendUint32(dst, c.UserID)
	dst = append(dst, byte(c.Transport))
	dst = appendBlob32(dst, c.Address)
	return binary.LittleEndian.AppendUint32(dst, c.GroupsCount)
}

func (r *bodyReader) client() Client {
	return Client{
		ID:          r.u32(),
		UserID:      r.u32(),
		Transport:   Transport(r.u8()),
		Address:     r.str32(),
		GroupsCount: r.u32(),
	}
}

// DecodeClients reads clients that fill payload; ErrMalformed when they do not.
func DecodeClients(payload []byte) ([]Client, error) {
	r := bodyReader{src: payload}
	var list []Client
	for len(r.src) > 0 && !r.bad {
		list = append(list, r.client())
	}
	return list, r.err()
}

// ClientGroup names a consumer group that a client is a member of.
//
//	| stream_id u32 | topic_id u32 | group_id u32 |
type ClientGroup struct{ StreamID, TopicID, GroupID uint32 }

// AppendClientGroup appends the encoding of g.
func AppendClientGroup(dst []byte, g ClientGroup) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, g.StreamID)
	dst = binary.LittleEndian.AppendUint32(dst, g.TopicID)
	return binary.LittleEndian.AppendUint32(dst, g.GroupID)
}

// ClientDetails is a client with its groups; it answers CodeGetMe and CodeGetClient.
type ClientDetails struct {
	Client
	Groups []ClientGroup // GroupsCount of them
}

// AppendClientDetails appends the encoding of d; GroupsCount is taken from Groups.
func AppendClientDetails(dst []byte, d ClientDetails) []byte {
	d.GroupsCount = uint32(len(d.Groups))
	dst = AppendClient(dst, d.Client)
	for _, g := range d.Groups {
		dst = AppendClientGroup(dst, g)
	}
	return dst
}

// DecodeClientDetails reads a payload that is not empty, which would mean that the client was not found; ErrMalformed
// when it is not one client and its groups, exactly.
func DecodeClientDetails(payload []byte) (ClientDetails, error) {
	r := bodyReader{src: payload}
	d := ClientDetails{Client: r.client()}
	for n := uint32(0); n < d.GroupsCount && !r.bad; n++ {
		d.Groups = append(d.Groups, ClientGroup{StreamID: r.u32(), TopicID: r.u32(), GroupID: r.u32()})
	}
	return d, r.errAtEnd()
}
