package wire

import "encoding/binary"

// The bounds of credentials in bytes. A login outside them is refused with EvictInvalidCredentials.
const (
	UsernameSizeMin = 3
	UsernameSizeMax = 50
	PasswordSizeMin = 3
	PasswordSizeMax = 100
)

// Register is the body of OpRegister up to the credentials. Source: protocol.md, 4.1.
//
//	| protocol_version u32 | sdk_name name | sdk_version name | credentials |
type Register struct {
	ProtocolVersion     uint32 // judged by AcceptsProtocol
	SDKName, SDKVersion []byte
	Credentials         []byte // of either kind: the frame does not say which
}

// DecodeRegister reads a body. Whatever it cannot read is answered with EvictMalformedLogin; the status is
// StatusInvalidFormat then, which is how clients surface that.
func DecodeRegister(body []byte) (Register, Status) {
	r := bodyReader{src: body}
	g := Register{ProtocolVersion: r.u32(), SDKName: r.name(), SDKVersion: r.name(), Credentials: r.rest()}
	if r.bad {
		return Register{}, StatusInvalidFormat
	}
	return g, StatusOK
}

// AppendRegister appends the encoding of g. AppendPasswordCredentials and AppendTokenCredentials make the credentials.
func AppendRegister(dst []byte, g Register) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, g.ProtocolVersion)
	dst = appendName(dst, g.SDKName)
	dst = appendName(dst, g.SDKVersion)
	return append(dst, g.Credentials...)
}

// PasswordCredentials is the first kind of credentials.
//
//	| username name | password str8 | context u32 length + bytes |
type PasswordCredentials struct{ Username, Password, Context []byte }

// DecodePasswordCredentials reads credentials of the first kind; false when they are not of that kind, exactly.
// Credentials of the second kind without context never pass for the first.
func DecodePasswordCredentials(src []byte) (PasswordCredentials, bool) {
	r := bodyReader{src: src}
	c := PasswordCredentials{Username: r.name(), Password: r.str8(), Context: r.blob32()}
	return c, r.errAtEnd() == nil
}

// AppendPasswordCredentials appends the encoding of c.
func AppendPasswordCredentials(dst []byte, c PasswordCredentials) []byte {
	return appendBlob32(appendStr8(appendName(dst, c.Username), c.Password), c.Context)
}

// TokenCredentials is the second kind of credentials, a personal access token.
//
//	| token str8 | context u32 length + bytes |
type TokenCredentials struct{ Token, Context []byte }

// DecodeTokenCredentials reads credentials of the second kind; false when they are not of that kind, exactly.
func DecodeTokenCredentials(src []byte) (TokenCredentials, bool) {
	r := bodyReader{src: src}
	c := TokenCredentials{Token: r.str8(), Context: r.blob32()}
	return c, r.errAtEnd() == nil
}

// AppendTokenCredentials appends the encoding of c.
func AppendTokenCredentials(dst []byte, c TokenCredentials) []byte {
	return appendBlob32(appendStr8(dst, c.Token), c.Context)
}

// Registered is the payload that answers OpRegister, after the result section. Source: protocol.md, 4.3.
//
//	| user_id u32 | session u64 | server_protocol_version u32 | server_version str8 |
type Registered struct {
	UserID          uint32
	Session         uint64 // larger than every session handed out before
	ProtocolVersion uint32
	ServerVersion   []byte // 1..=255 bytes
}

// AppendRegistered appends the encoding of g.
func AppendRegistered(dst []byte, g Registered) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, g.UserID)
	dst = binary.LittleEndian.AppendUint64(dst, g.Session)
	dst = binary.LittleEndian.AppendUint32(dst, g.ProtocolVersion)
	return appendName(dst, g.ServerVersion)
}

// DecodeRegistered reads a payload; ErrMalformed for one that is not whole.
func DecodeRegistered(payload []byte) (Registered, error) {
	r := bodyReader{src: payload}
	g := Registered{UserID: r.u32(), Session: r.u64(), ProtocolVersion: r.u32(), ServerVersion: r.name()}
	return g, r.err()
}
