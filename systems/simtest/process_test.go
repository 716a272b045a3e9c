package simtest

import (
	"encoding/base64"
	"fmt"
	"net/netip"

	"golang.org/x/crypto/argon2"

	"galgo/components"
	"galgo/systems/engine"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring/sim"
	"galgo/wire"
)

const (
	root     = "/data"
	address  = "127.0.0.1:8090"
	user     = "root"
	password = "password"
	memory   = 160 << 20 // bytes, of all shards
	frameMax = 4 << 20
)

// process is one life of the server.
type process struct {
	*engine.Engine
	host   *sim.Kernel
	dir    *storage.DataDir
	faults []string // what recovery found damaged
}

// start recovers the data directory and lets the World run the shards.
func start(w *sim.World, shards int, level components.Level) (*process, error) {
	p := &process{host: w.Boot()}
	wall, _ := p.host.Clock()
	var err error
	if p.dir, err = storage.OpenDirectory(p.host.Files(), root, false, p.host.Random, wall); err != nil {
		return nil, err
	}
	listener, bound, err := p.host.Listen(address)
	if err != nil {
		return nil, err
	}
	p.Engine, err = engine.Recover(engine.Options{
		Host: p.host, Dir: p.dir, Listener: listener,
		Config: components.Config{Shards: shards, DefaultLevel: level, FrameMax: frameMax, LoginMax: 8 << 10, PartitionsMax: 1000, ClientsMax: 64,
			ConnectionsMax: 128, OffsetsMax: 1000, HandshakeMicros: 10_000_000, ServerVersion: "0.0.0", TCPAddress: netip.MustParseAddrPort(bound)},
		Memory: memory, Direct: true, Reserve: func(uint64) uint64 { return 1 << 20 }, FilesMax: 1000, Slots: 1024, Entries: 256, CQEntries: 2048, Recoverers: 1,
		Root:    func() ([]byte, []byte) { return []byte(user), cheapHash(password) },
		Machine: func(*wire.Stats) {},
		Collect: func(wire.GetSnapshot, int) ([]byte, error) { return nil, nil },
		Log:     p,
	})
	if err != nil {
		return nil, err
	}
	for i, sh := range p.Shards {
		if err := sh.SetUp(); err != nil {
			return nil, err
		}
		w.Run(i, func() { sh.Turn() })
	}
	return p, nil
}

// Log keeps what recovery finds damaged.
func (p *process) Log(level components.LogLevel, message string, fields ...components.LogField) {
	if level == components.LogError {
		p.faults = append(p.faults, fmt.Sprint(message, fields))
	}
}

// cheapHash is a password hash that costs nothing to verify: logins are many here, and secrets there are none.
func cheapHash(password string) []byte {
	salt := make([]byte, state.SaltSize)
	hash := argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)
	return fmt.Appendf(nil, "$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, base64.RawStdEncoding.EncodeToString(salt),
		base64.RawStdEncoding.EncodeToString(hash))
}
