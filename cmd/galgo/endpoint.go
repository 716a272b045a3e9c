package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"galgo/server/config"
	"galgo/wire"
	"galgo/wire/client"

	"github.com/spf13/cobra"
)

// endpoint is the server that a client command talks to, and as whom.
type endpoint struct{ address, username, password string }

// endpointHelp is the part of a client command's help on where its endpoint comes from.
const endpointHelp = `The server and the user come from the first of: flag; GALGO_ADDRESS, GALGO_USERNAME, GALGO_PASSWORD; IGGY_USERNAME,
IGGY_PASSWORD; and 127.0.0.1:8090, iggy, iggy.`

func addEndpointFlags(c *cobra.Command) *endpoint {
	e := &endpoint{}
	c.Flags().StringVar(&e.address, "address", "", "server, `host:port`")
	c.Flags().StringVar(&e.username, "username", "", "user to log in as")
	c.Flags().StringVar(&e.password, "password", "", "the user's password; better in GALGO_PASSWORD, where other users do not see it")
	return e
}

// resolve fills in what no flag set.
func (e *endpoint) resolve() {
	e.address = cmp.Or(e.address, os.Getenv(config.EnvAddress), "127.0.0.1:8090")
	e.username = cmp.Or(e.username, os.Getenv(config.EnvUsername), os.Getenv("IGGY_USERNAME"), "iggy")
	e.password = cmp.Or(e.password, os.Getenv(config.EnvPassword), os.Getenv("IGGY_PASSWORD"), "iggy")
}

// dial connects and logs in, and says in the words of the command line what went wrong.
func (e *endpoint) dial(ctx context.Context) (*client.Client, error) {
	if len(e.username) > 255 || len(e.password) > 255 {
		return nil, errors.New("user name and password are at most 255 bytes each")
	}
	c, err := client.Dial(ctx, e.address, client.Options{Username: e.username, Password: e.password})
	var network *net.OpError
	var evicted client.EvictionError
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &evicted) && evicted.Reason == wire.EvictInvalidCredentials:
		return nil, fmt.Errorf("%s: wrong name or password for user %q", e.address, e.username)
	case errors.As(err, &network) && network.Op == "dial":
		return nil, fmt.Errorf("cannot connect to %s: %w", e.address, network.Err)
	}
	return nil, fmt.Errorf("cannot log in at %s: %w", e.address, err)
}
