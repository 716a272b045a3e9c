//go:build linux

package uring

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// wakeCount is what an eventfd takes: one, as 8 native bytes.
var wakeCount = [8]byte{1}

// Wake signals a parked shard by its eventfd: one write, by the first of those who wake it.
func (p *Parking) Wake(eventFD int) {
	if !p.Claim() {
		return
	}
	for {
		_, err := unix.Write(eventFD, wakeCount[:])
		switch err {
		case nil, unix.EAGAIN: // EAGAIN: the counter is full, so the eventfd is ready as it is
			return
		case unix.EINTR:
		default:
			panic(fmt.Sprintf("uring: write to eventfd %d: %v", eventFD, err))
		}
	}
}
