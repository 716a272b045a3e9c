package simtest

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"path"

	"golang.org/x/crypto/argon2"

	"galgo/components"
	"galgo/ecs"
	"galgo/systems"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring"
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
	world  *sim.World
	host   *sim.Kernel
	level  components.Level
	dir    *storage.DataDir
	states []*components.State
	stores []*components.Storage
	faults []string // partitions that recovery found damaged
}

// start recovers the data directory and lets the World run the shards: server's start-up, step by step, on the simulated host.
func start(w *sim.World, shards int, level components.Level) (*process, error) {
	p := &process{world: w, host: w.Boot(), level: level}
	files := p.host.Files()
	wall, mono := p.host.Clock()
	var err error
	if p.dir, err = storage.OpenDirectory(files, root, false, p.host.Random, wall); err != nil {
		return nil, err
	}
	secret := p.dir.Secret()
	catalog, begin, err := storage.LoadControl(files, root, secret)
	if err != nil {
		return nil, err
	}
	var events []*wire.Event
	if catalog.Users.Len() == 0 {
		events = append(events, storage.RootCreated(catalog, []byte(user), cheapHash(password)))
	}
	boot := storage.BootID(files, p.host.Random)
	begin, err = storage.StartRun(files, root, secret, catalog, begin, storage.RunInfo{BootID: boot, Shards: uint32(shards), TimeMicros: wall}, events...)
	if err != nil {
		return nil, err
	}
	if err := storage.Snapshot(files, root, secret, begin.File.First, wall); err != nil {
		return nil, err
	}
	listener, bound, err := p.host.Listen(address)
	if err != nil {
		return nil, err
	}
	config := components.Config{Shards: shards, Secret: secret, Run: begin.Run, Boot: boot, DefaultLevel: level, FrameMax: frameMax,
		LoginMax: 8 << 10, PartitionsMax: 1000, ClientsMax: 64, ConnectionsMax: 128, OffsetsMax: 1000, HandshakeMicros: 10_000_000,
		ServerVersion: "0.0.0", TCPAddress: netip.MustParseAddrPort(bound)}
	mails, buffers, releases, err := p.makeWorlds(config, catalog, begin, mono)
	if err != nil {
		return nil, err
	}
	p.stores[0].Listener.FD = listener
	if err := p.recover(catalog, begin.Run); err != nil {
		return nil, err
	}
	for i := range shards {
		if err := p.runShard(i, mails[i], buffers[i], releases[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// cheapHash is a password hash that costs nothing to verify: logins are many here, and secrets there are none.
func cheapHash(password string) []byte {
	salt := make([]byte, state.SaltSize)
	hash := argon2.IDKey([]byte(password), salt, 1, 8, 1, 32)
	return fmt.Appendf(nil, "$argon2id$v=%d$m=8,t=1,p=1$%s$%s", argon2.Version, base64.RawStdEncoding.EncodeToString(salt),
		base64.RawStdEncoding.EncodeToString(hash))
}

func (p *process) makeWorlds(config components.Config, catalog *components.Catalog, begin storage.ControlStart, mono uint64) (
	mails []*systems.Mail, buffers []*uring.Slab, releases []systems.Release, err error) {
	files := p.host.Files()
	_, free, err := files.StatFS(root)
	if err != nil {
		return nil, nil, nil, err
	}
	shared := components.NewShared(memory)
	post := systems.NewPost(&config)
	for i := range config.Shards {
		cfg := config
		cfg.Shard = i
		stateSlab, stateArena, err := p.slab(shared)
		if err != nil {
			return nil, nil, nil, err
		}
		storageSlab, storageArena, err := p.slab(shared)
		if err != nil {
			return nil, nil, nil, err
		}
		facts, orders := components.NewExchange(&cfg)
		st := components.NewStorage(shared, storageArena, facts, orders, 1024+4*cfg.ShardConnectionsMax())
		logFD, err := files.Open(path.Join(root, components.SegmentsDir), uring.O_RDONLY|uring.O_DIRECTORY, 0)
		if err != nil {
			return nil, nil, nil, err
		}
		st.Directory = components.Directory{Root: root, LogFD: logFD, Direct: true, Reserve: 1 << 20, Free: free / uint64(config.Shards),
			FreeAt: mono, FilesMax: 1000, Found: st.Directory.Found}
		world := components.NewState(&cfg, shared, stateArena, catalog.Clone(), facts, orders)
		world.Machine = func(*wire.Stats) {}
		world.Random = p.host.Random
		world.Log = quiet{}
		st.Log = world.Log
		if i == 0 {
			world.Control.Resume(catalog, begin.Run, begin.Record)
			st.Control = begin.File
		}
		p.states, p.stores = append(p.states, world), append(p.stores, st)
		mails, buffers = append(mails, post.Of(i, shared.Budget)), append(buffers, storageSlab)
		releases = append(releases, systems.Release{State: stateSlab.Release, Storage: storageSlab.Release})
	}
	return mails, buffers, releases, nil
}

// quiet drops what the engine logs.
type quiet struct{}

func (quiet) Log(components.LogLevel, string, ...components.LogField) {}

func (p *process) slab(shared *components.Shared) (*uring.Slab, *components.Arena, error) {
	const size = 2 * memory / components.ChunkSize * components.ChunkSize
	slab, err := p.host.Slab(size)
	if err != nil {
		return nil, nil, err
	}
	number := shared.Memory.Add(slab.Bytes(0, size), uint64(slab.Base()))
	return slab, components.NewArena(number, size, shared.Budget, slab.Populate), nil
}

func (p *process) recover(catalog *components.Catalog, run uint64) error {
	files := p.host.Files()
	list, err := storage.ListSegments(files, root)
	if err != nil {
		return err
	}
	for _, removal := range catalog.RemovalsInOrder() {
		if _, err := storage.RemoveFiles(files, root, list, removal); err != nil {
			return err
		}
		reports := &p.states[0].Out.Reports
		if !reports.Removed.TryPush(removal.Partition) {
			break
		}
		reports.News = true
	}
	for row := range catalog.Partitions.All {
		entity := catalog.Partitions.Entity(row)
		owner := p.states[catalog.OwnerOf(row, len(p.states))]
		at := state.OpenPartition(owner, owner.Catalog.Partitions.MustRow(entity))
		of := storage.PartitionFiles{CreatedSeq: catalog.Partitions.Created[row], PartitionID: catalog.Partitions.ID[row]}
		ids := list.Logs[of]
		if len(ids) == 0 {
			continue
		}
		topic := catalog.Topics.MustRow(catalog.Partitions.Topic[row])
		found, err := storage.RecoverPartition(files, storage.RecoverInput{Root: root, Secret: p.dir.Secret(), Entity: entity,
			CreatedSeq: of.CreatedSeq, PartitionID: of.PartitionID, SegmentIDs: ids, Run: run,
			Level:         p.states[0].LevelOf(catalog.Topics.Options[topic].Persisted),
			BelongsToBoot: func(run uint64) bool { return run >= catalog.BootFirst }})
		if err != nil {
			return err
		}
		if found.Faulted {
			p.faults = append(p.faults, fmt.Sprintf("partition %d at %d of %s: %s", of.PartitionID, found.DamageAt, found.DamagePath, found.Damage))
		}
		state.RestorePartition(owner, at, found)
	}
	return p.recoverOffsets(run)
}

func (p *process) recoverOffsets(run uint64) error {
	files, secret := p.host.Files(), p.dir.Secret()
	find := func(partition ecs.Entity) (*components.State, int, bool) {
		for _, s := range p.states {
			if row, ok := s.Partitions.Row(partition); ok {
				return s, row, true
			}
		}
		return nil, 0, false
	}
	found, err := storage.LoadOffsets(files, root, secret, func(partition ecs.Entity) (uint64, bool) {
		s, row, ok := find(partition)
		if !ok {
			return 0, false
		}
		return s.Partitions.Epoch[row], true
	})
	if err != nil {
		return err
	}
	kept, _ := storage.LowerOffsets(found.Records, func(partition ecs.Entity) (uint64, bool) {
		s, row, _ := find(partition)
		return s.Partitions.OffsetNext[row], s.Partitions.Phase[row] == components.Faulted
	})
	byShard := make([][]wire.OffsetRecord, len(p.states))
	for _, record := range kept {
		s, _, _ := find(ecs.Entity(record.Partition))
		s.Offsets.Set(ecs.Entity(record.Partition), components.ConsumerKey{Kind: record.Kind, ID: record.Consumer}, record.Value, record.Order)
		byShard[s.Shard] = append(byShard[s.Shard], record)
	}
	for i, st := range p.stores {
		if st.Offsets, err = storage.RewriteOffsets(files, root, secret, run, uint32(i), byShard[i]); err != nil {
			return err
		}
	}
	return storage.RemoveOldOffsets(files, root, run)
}

// runShard puts a shard's ring and tick together and leaves it to the World.
func (p *process) runShard(i int, mail *systems.Mail, slab *uring.Slab, release systems.Release) error {
	s, st := p.states[i], p.stores[i]
	ring, err := uring.NewRing(p.host, i, uring.Params{Entries: 256, CQEntries: 2048, Ready: mail.Waiting})
	if err != nil {
		return err
	}
	received, ok := st.Arena.Alloc(uint32(uring.BytesNeeded(storage.RecvBuffers, storage.RecvBufferSize)))
	one, ok2 := st.Arena.Alloc(4)
	if !ok || !ok2 {
		return fmt.Errorf("simtest: shard %d: no memory", i)
	}
	buffers, err := uring.NewBufRing(ring, storage.RecvGroup, slab, received.Off, storage.RecvBuffers, storage.RecvBufferSize)
	if err != nil {
		return err
	}
	copy(st.Memory.Bytes(one), []byte{1, 0, 0, 0})
	st.One = one
	received.Off += uint64(buffers.Buffer(0) - slab.Addr(received.Off))
	tick := systems.NewTick(s, st, storage.NewIO(ring, buffers, received), mail, release)
	schedule := systems.NewSchedule()
	p.world.Run(i, func() {
		s.Now.WallMicros, s.Now.MonoMicros = p.host.Clock()
		s.Deadline = 0
		schedule.Run(tick)
		if err := ring.Enter(s.Deadline == 0 || s.Deadline > s.Now.MonoMicros, s.Deadline); err != nil {
			panic(fmt.Errorf("shard %d: enter: %w", i, err))
		}
	})
	return nil
}
