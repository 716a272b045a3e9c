package server

import (
	"fmt"

	"galgo/server/config"
	"galgo/uring"
	"galgo/uring/portable"
)

// chooseHost makes what stands behind the rings, and says why it is that. The error wraps uring.ErrUnsupported: io_uring was asked for by name
// and is not to be had.
func chooseHost(io config.IO) (host uring.Host, reason string, err error) {
	if io == config.IOPortable {
		return portable.New(), "configured", nil
	}
	err = uring.Probe()
	switch {
	case err == nil && io == config.IOUring:
		return uring.NewKernel(), "configured", nil
	case err == nil:
		return uring.NewKernel(), "available", nil
	case io == config.IOUring:
		return nil, "", fmt.Errorf("io = \"io_uring\": %w (io = \"auto\" or \"portable\" runs here)", err)
	}
	return portable.New(), err.Error(), nil
}
