package client

import "galgo/wire"

// CreateToken makes a personal access token and returns its secret, which nobody can ask for again. It expires after expiryMicros, never
// if that is 0.
func (c *Client) CreateToken(name string, expiryMicros uint64) (string, error) {
	create := wire.CreatePersonalAccessToken{Name: []byte(name), ExpiryMicros: expiryMicros}
	payload, err := c.exchange(wire.OpCreatePersonalAccessToken, 0, wire.AppendCreatePersonalAccessToken(c.frame(), create), nil)
	if err != nil {
		return "", err
	}
	token, err := wire.DecodeToken(payload)
	token, err = decoded(c, wire.CodeCreatePersonalAccessToken, token, err)
	return string(token), err
}

// DeleteToken deletes a personal access token of the caller.
func (c *Client) DeleteToken(name string) error {
	frame := wire.AppendDeletePersonalAccessToken(c.frame(), []byte(name))
	_, err := c.exchange(wire.OpDeletePersonalAccessToken, 0, frame, nil)
	return err
}

// Tokens returns the caller's personal access tokens by name, without their secrets.
func (c *Client) Tokens() ([]wire.PersonalAccessToken, error) {
	payload, err := c.get(wire.CodeGetPersonalAccessTokens, c.frame())
	if err != nil {
		return nil, err
	}
	list, err := wire.DecodePersonalAccessTokens(payload)
	return decoded(c, wire.CodeGetPersonalAccessTokens, list, err)
}
