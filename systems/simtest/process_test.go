package simtest

import (
	"fmt"
	"net/netip"

	"galgo/components"
	"galgo/systems"
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
	frameMax = 4 << 20
	// hashMemory is KiB: logins are many here, and secrets there are none.
	hashMemory = 8
	// adoptMin is bytes: the batches that fill segments stay where they were received.
	adoptMin = 64 << 10
	// markBytes is how often the index hears of a log: segments are small here. And one bulk write is as many as there are at a time.
	markBytes, bulkMax = 16 << 10, 1
	// filesMaxLeast is how many files of segments a shard of a real server may have open at least.
	filesMaxLeast = 16
)

// process is one life of the server.
type process struct {
	*engine.Engine
	world  *sim.World
	host   *sim.Kernel
	dir    *storage.DataDir
	level  components.Level // of topics that ask for nothing better
	damage []damage         // what is wrong with the directory, as the server says
	cut    int              // torn tails that recovery cut
	ended  int              // shards that have stopped in good order
	before func(shard int)  // called before a shard's turn

	retention uint64 // µs between its passes
}

// start recovers the data directory and lets the World run the shards.
func start(w *sim.World, shards int, memory uint64, level components.Level) (*process, error) {
	p := &process{world: w, host: w.Boot(), level: level, retention: []uint64{second, 60 * second}[w.Rand().IntN(2)]}
	wall, _ := p.host.Clock()
	var err error
	if p.dir, err = storage.OpenDirectory(p.host.Files(), root, false, p.host.Random, wall, 1); err != nil {
		return nil, err
	}
	listener, bound, err := p.host.Listen(address)
	if err != nil {
		return nil, err
	}
	p.Engine, err = engine.Recover(engine.Options{
		Host: p.host, Dir: p.dir, Listener: listener,
		Config: components.Config{Shards: shards, DefaultLevel: level, FrameMax: frameMax, LoginMax: 8 << 10, PartitionsMax: 1000, ClientsMax: 64, TokensMax: 100,
			ConnectionsMax: 128, OffsetsMax: 1000, HandshakeMicros: 10_000_000, RebalancingMicros: 5_000_000,
			HeartbeatMicros: 30_000_000, HashMemory: hashMemory, AdoptMin: adoptMin, MarkBytes: markBytes, BulkMax: bulkMax,
			ServerVersion: "0.0.0", TCPAddress: netip.MustParseAddrPort(bound)},
		Memory: memory, Direct: true, Reserve: func(uint64) uint64 { return 1 << 20 },
		PoolSize: func(uint64) uint64 { return 8 << 20 }, FilesMax: []int{1000, filesMaxLeast}[w.Rand().IntN(2)], Slots: 1024, Entries: 256, CQEntries: 2048, Recoverers: 1,
		Root: func() ([]byte, []byte) {
			return []byte(user), state.HashPassword([]byte(password), make([]byte, state.SaltSize), hashMemory, nil)
		},
		Plugins: func() []systems.Plugin { return []systems.Plugin{systems.NewRetention(p.retention)} },
		Machine: func(*wire.Stats) {},
		Collect: collected,
		Log:     p,
	})
	if err != nil {
		return nil, err
	}
	for i, sh := range p.Shards {
		if err := sh.SetUp(); err != nil {
			return nil, err
		}
		w.Run(i, func() {
			if p.before != nil {
				p.before(i)
			}
			late := p.holdBack(i)
			goesOn := sh.Turn()
			p.giveBack(i, late)
			if !goesOn {
				sh.TearDown()
				w.Halt(i)
				p.ended++
			}
		})
	}
	return p, nil
}

// Log keeps what is found damaged, and counts what recovery cuts.
func (p *process) Log(level components.LogLevel, message string, fields ...components.LogField) {
	switch {
	case level == components.LogError:
		p.damage = append(p.damage, damage{fmt.Sprint(message, fields), filesIn(fields)})
	case message == "torn tail cut":
		p.cut++
	}
}

// holdBack lets a shard look for events just before they come, and into its other mailboxes just after: as threads may, and whole turns never do.
func (p *process) holdBack(shard int) (late []*wire.Event) {
	if shard == 0 || p.world.Rand().IntN(8) > 0 {
		return nil
	}
	ring := p.Shards[shard].Mail.From(0).Events
	for event, ok := ring.TryPop(); ok; event, ok = ring.TryPop() {
		late = append(late, event)
	}
	return late
}

// giveBack delivers what was held back. Shard 0 has not run meanwhile, so the order is as it was.
func (p *process) giveBack(shard int, late []*wire.Event) {
	for _, event := range late {
		p.Shards[shard].Mail.From(0).Events.TryPush(event)
	}
	if len(late) > 0 {
		p.host.Wake(shard)
	}
}

// home is the shard that has the connection of a client, -1 when none has.
func (p *process) home(id wire.U128) int {
	for i, sh := range p.Shards {
		conns := &sh.State.Conns
		for row := range conns.All {
			if conns.Client[row] == id {
				return i
			}
		}
	}
	return -1
}
