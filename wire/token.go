package wire

import "encoding/binary"

// CreatePersonalAccessToken is the body of OpCreatePersonalAccessToken.
//
//	| name | expiry u64 |
type CreatePersonalAccessToken struct {
	Name         []byte
	ExpiryMicros uint64 // from now; 0 or Never for a token that does not expire
}

// DecodeCreatePersonalAccessToken reads a body.
func DecodeCreatePersonalAccessToken(body []byte) (CreatePersonalAccessToken, Status) {
	r := bodyReader{src: body}
	c := CreatePersonalAccessToken{Name: r.name(), ExpiryMicros: r.u64()}
	return c, r.status()
}

// AppendCreatePersonalAccessToken appends the encoding of c.
func AppendCreatePersonalAccessToken(dst []byte, c CreatePersonalAccessToken) []byte {
	return binary.LittleEndian.AppendUint64(appendName(dst, c.Name), c.ExpiryMicros)
}

// DecodeDeletePersonalAccessToken reads the body of OpDeletePersonalAccessToken: one name.
func DecodeDeletePersonalAccessToken(body []byte) (name []byte, status Status) {
	r := bodyReader{src: body}
	name = r.name()
	return name, r.status()
}

// AppendDeletePersonalAccessToken appends the body of OpDeletePersonalAccessToken.
func AppendDeletePersonalAccessToken(dst, name []byte) []byte { return appendName(dst, name) }

// AppendToken appends the payload that answers OpCreatePersonalAccessToken: the secret, a str8.
func AppendToken(dst, token []byte) []byte { return appendStr8(dst, token) }

// DecodeToken reads the secret of a new token; ErrMalformed when it is not one str8, exactly.
func DecodeToken(payload []byte) ([]byte, error) {
	r := bodyReader{src: payload}
	token := r.str8()
	return token, r.errAtEnd()
}

// PersonalAccessToken is one token in an answer.
//
//	| name | expiry_at u64 |
type PersonalAccessToken struct {
	Name     []byte
	ExpiryAt uint64 // µs since the Unix epoch; 0 for a token that does not expire
}

// AppendPersonalAccessToken appends the encoding of t. CodeGetPersonalAccessTokens is answered with tokens back to
// back.
func AppendPersonalAccessToken(dst []byte, t PersonalAccessToken) []byte {
	return binary.LittleEndian.AppendUint64(appendName(dst, t.Name), t.ExpiryAt)
}

// DecodePersonalAccessTokens reads tokens that fill payload; ErrMalformed when they do not.
func DecodePersonalAccessTokens(payload []byte) ([]PersonalAccessToken, error) {
	r := bodyReader{src: payload}
	var list []PersonalAccessToken
	for len(r.src) > 0 && !r.bad {
		list = append(list, PersonalAccessToken{Name: r.name(), ExpiryAt: r.u64()})
	}
	return list, r.err()
}
