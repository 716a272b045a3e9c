package server

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"galgo/components"
	"galgo/ecs"
	"galgo/server/config"
	"galgo/systems"
	"galgo/systems/state"
	"galgo/systems/storage"
	"galgo/uring"
	"galgo/wire"
)

const (
	// inflightSlots is how many operations a shard may have in flight beside two for each connection.
	inflightSlots = 8192
	// recoverers is how many partitions are recovered at a time.
	recoverers = 16
	// descriptorReserve is what the process needs beside connections and segments.
	descriptorReserve = 128
)

// listen takes the address before anything on disk is touched: a start that fails for want of it leaves no trace. Clients that connect
// while the server recovers wait to be accepted.
func (s *Server) listen() (err error) {
	s.listener, s.Address, err = s.host.Listen(s.cfg.TCP.Address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("tcp.address %s is in use by another process", s.cfg.TCP.Address)
	}
	if err != nil {
		return fmt.Errorf("tcp.address: %w", err)
	}
	return nil
}

// startShards recovers what is on disk, gives it to the shards, and starts them. They accept last.
func (s *Server) startShards(descriptors int) error {
	files, root, secret := s.host.Files(), s.dir.Root, s.dir.Secret()
	wall, mono := s.host.Clock()
	catalog, start, err := storage.LoadControl(files, root, secret)
	if err != nil {
		return err
	}
	s.say(start.Notes)
	var events []*wire.Event
	if catalog.Users.Len() == 0 {
		name, password := s.rootCredentials()
		salt := make([]byte, state.SaltSize)
		s.host.Random(salt)
		events = append(events, storage.RootCreated(catalog, []byte(name), state.HashPassword([]byte(password), salt)))
	}
	boot := storage.BootID(files, s.host.Random)
	start, err = storage.StartRun(files, root, secret, catalog, start, storage.RunInfo{BootID: boot, Shards: uint32(s.plan.Shards), TimeMicros: wall}, events...)
	if err != nil {
		return err
	}
	if err := storage.Snapshot(files, root, secret, start.File.First, wall); err != nil {
		s.log.Error().Err(err).Msg("no snapshot of the control log: starts will take longer until there is one")
	}
	address, _ := netip.ParseAddrPort(s.Address)
	if err := s.makeShards(catalog, start, boot, address, descriptors, mono); err != nil {
		return err
	}
	s.shards[0].storage.Listener.FD, s.listener = s.listener, components.NoFD
	if err := s.recover(catalog, start.Run); err != nil {
		return err
	}
	for _, sh := range s.shards {
		go sh.run()
	}
	for _, sh := range s.shards {
		err = errors.Join(err, <-sh.ready)
	}
	if err != nil {
		return errors.Join(err, s.stopShards()) // those that stand use what is about to be let go
	}
	if err := files.MakeDir(filepath.Dir(s.cfg.CurrentFile()), 0o700); err != nil {
		return err
	}
	return config.WriteCurrent(s.cfg.CurrentFile(), s.cfg, config.Bound{TCP: s.Address})
}

func (s *Server) say(notes []string) {
	for _, note := range notes {
		s.log.Warn().Msg(note)
	}
}

// makeShards makes the worlds: slabs, tables and mailboxes.
func (s *Server) makeShards(catalog *components.Catalog, start storage.ControlStart, boot [16]byte, address netip.AddrPort, descriptors int, mono uint64) error {
	files, root := s.host.Files(), s.dir.Root
	total, free, err := files.StatFS(root)
	if err != nil {
		return err
	}
	direct := s.cfg.Direct != config.DirectOff && s.directWorks()
	s.log.Info().Bool("direct", direct).Msg("segments")
	shared := components.NewShared(s.plan.Memory)
	machine := newMachine(files, root)
	first := s.config(0, start.Run, boot, address)
	post := systems.NewPost(first)
	quiet := make(quiet, s.plan.Shards)
	filesMax := max((descriptors-descriptorReserve-min(first.ConnectionsMax, descriptors/2))/s.plan.Shards, 16)
	for i := range s.plan.Shards {
		cfg := s.config(i, start.Run, boot, address)
		stateSlab, stateArena, err := s.slab(shared)
		if err != nil {
			return err
		}
		storageSlab, storageArena, err := s.slab(shared)
		if err != nil {
			return err
		}
		facts, orders := components.NewExchange(cfg)
		st := components.NewStorage(shared, storageArena, facts, orders, inflightSlots+4*cfg.ShardConnectionsMax())
		logFD, err := files.Open(filepath.Join(root, components.SegmentsDir), uring.O_RDONLY|uring.O_DIRECTORY, 0)
		if err != nil {
			return err
		}
		st.Directory = components.Directory{Root: root, LogFD: logFD, Direct: direct, Reserve: s.cfg.DiskReserve.Of(total),
			Free: free / uint64(s.plan.Shards), FreeAt: mono, FilesMax: filesMax, Found: st.Directory.Found}
		world := components.NewState(cfg, shared, stateArena, catalog.Clone(), facts, orders)
		world.Machine = machine.read
		world.Random = s.host.Random
		world.Log = shardLog{ring: s.ring, host: s.host}
		st.Log = world.Log
		if i == 0 {
			world.Control.Resume(catalog, start.Run, start.Record)
			st.Control = start.File
		}
		sh := &shard{id: i, cpu: -1, spin: s.plan.SpinMicros, host: s.host, state: world, storage: st, mail: post.Of(i, shared.Budget),
			buffers: storageSlab, release: systems.Release{State: stateSlab.Release, Storage: storageSlab.Release}, stop: &s.stop, quiet: quiet, ready: make(chan error, 1), done: make(chan struct{})}
		if s.plan.Pin {
			sh.cpu = s.plan.CPUs[i]
		}
		s.shards = append(s.shards, sh)
	}
	return nil
}

// slab makes a slab and its arena: more addresses than the budget, so that large frames find contiguous ones.
func (s *Server) slab(shared *components.Shared) (*uring.Slab, *components.Arena, error) {
	size := 2 * s.plan.Memory / components.ChunkSize * components.ChunkSize
	slab, err := s.host.Slab(size)
	if err != nil {
		return nil, nil, err
	}
	s.slabs = append(s.slabs, slab)
	number := shared.Memory.Add(slab.Bytes(0, size), uint64(slab.Base()))
	return slab, components.NewArena(number, size, shared.Budget, slab.Populate), nil
}

// directWorks tries direct I/O where the segments are.
func (s *Server) directWorks() bool {
	files := s.host.Files()
	name := filepath.Join(s.dir.Root, components.SegmentsDir, "direct.probe")
	fd, err := files.Open(name, uring.O_RDWR|uring.O_CREAT|uring.O_DIRECT, 0o600)
	if err == nil {
		err = files.Close(fd)
	}
	_ = files.Remove(name) // it is not there when it could not be made
	return err == nil
}

// recover reads every partition's log end and all stored offsets, and gives each to its owner. Shards do not run yet.
func (s *Server) recover(catalog *components.Catalog, run uint64) error {
	files, root := s.host.Files(), s.dir.Root
	list, err := storage.ListSegments(files, root)
	if err != nil {
		return err
	}
	for _, name := range list.Strange {
		s.log.Warn().Str("file", name).Msg("not one of our files: left alone")
	}
	for _, removal := range catalog.RemovalsInOrder() {
		if _, err := storage.RemoveFiles(files, root, list, removal); err != nil {
			return err
		}
		reports := &s.shards[0].state.Out.Reports
		if !reports.Removed.TryPush(removal.Partition) {
			break // the next start goes on
		}
		reports.News = true
	}
	if err := s.recoverPartitions(catalog, list, run); err != nil {
		return err
	}
	return s.recoverOffsets(run)
}

func (s *Server) recoverPartitions(catalog *components.Catalog, list *storage.SegmentList, run uint64) error {
	files := s.host.Files()
	var group errgroup.Group
	group.SetLimit(recoverers)
	var found sync.Map // partition entity -> *components.Recovered
	for row := range catalog.Partitions.All {
		entity := catalog.Partitions.Entity(row)
		of := storage.PartitionFiles{CreatedSeq: catalog.Partitions.Created[row], PartitionID: catalog.Partitions.ID[row]}
		ids := list.Logs[of]
		if len(ids) == 0 {
			continue
		}
		topic := catalog.Topics.MustRow(catalog.Partitions.Topic[row])
		level := s.shards[0].state.LevelOf(catalog.Topics.Options[topic].Persisted)
		in := storage.RecoverInput{Root: s.dir.Root, Secret: s.dir.Secret(), Entity: entity, CreatedSeq: of.CreatedSeq, PartitionID: of.PartitionID,
			SegmentIDs: ids, Level: level, Run: run, BelongsToBoot: func(run uint64) bool { return run >= catalog.BootFirst }}
		group.Go(func() error {
			recovered, err := storage.RecoverPartition(files, in)
			if err == nil {
				found.Store(entity, recovered)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for row := range catalog.Partitions.All {
		entity := catalog.Partitions.Entity(row)
		owner := s.shards[catalog.OwnerOf(row, s.plan.Shards)].state
		own := owner.Catalog.Partitions.MustRow(entity)
		at := state.OpenPartition(owner, own)
		value, ok := found.Load(entity)
		if !ok {
			continue
		}
		recovered := value.(*components.Recovered)
		state.RestorePartition(owner, at, recovered)
		s.report(catalog, row, recovered)
		owner.Gauges.CutBytes.Add(recovered.CutBytes)
	}
	return nil
}

// report logs what recovery had to do to a partition.
func (s *Server) report(catalog *components.Catalog, row int, found *components.Recovered) {
	where := fmt.Sprintf("partition %d created %x", catalog.Partitions.ID[row], catalog.Partitions.Created[row])
	if found.Faulted {
		s.log.Error().Str("partition", where).Str("file", found.DamagePath).Uint64("position", found.DamageAt).Str("damage", found.Damage).
			Msg("partition is damaged: it takes no messages, and serves those that are good")
	}
	if found.CutBytes > 0 {
		s.log.Warn().Str("partition", where).Uint64("bytes", found.CutBytes).Uint64("next_offset", found.OffsetNext).Msg("torn tail cut")
	}
	for _, note := range found.Notes {
		s.log.Warn().Str("partition", where).Msg(note)
	}
}

// recoverOffsets merges all offset logs, gives each offset to the present owner of its partition, and writes it anew there.
func (s *Server) recoverOffsets(run uint64) error {
	files, root, secret := s.host.Files(), s.dir.Root, s.dir.Secret()
	owner := func(partition ecs.Entity) (*components.State, int, bool) {
		for _, sh := range s.shards {
			if row, ok := sh.state.Partitions.Row(partition); ok {
				return sh.state, row, true
			}
		}
		return nil, 0, false
	}
	start, err := storage.LoadOffsets(files, root, secret, func(partition ecs.Entity) (uint64, bool) {
		world, row, ok := owner(partition)
		if !ok {
			return 0, false
		}
		return world.Partitions.Epoch[row], true
	})
	if err != nil {
		return err
	}
	s.say(start.Notes)
	kept, notes := storage.LowerOffsets(start.Records, func(partition ecs.Entity) (uint64, bool) {
		world, row, _ := owner(partition)
		return world.Partitions.OffsetNext[row], world.Partitions.Phase[row] == components.Faulted
	})
	s.say(notes)
	byShard := make([][]wire.OffsetRecord, len(s.shards))
	for _, record := range kept {
		world, row, _ := owner(ecs.Entity(record.Partition))
		if record.Kind == wire.ConsumerGroup && !hasGroup(world, row, record.Consumer) {
			continue // the group was deleted, its offsets were about to be
		}
		world.Offsets.Set(ecs.Entity(record.Partition), components.ConsumerKey{Kind: record.Kind, ID: record.Consumer}, record.Value, record.Order)
		byShard[world.Shard] = append(byShard[world.Shard], record)
	}
	for i, sh := range s.shards {
		if sh.storage.Offsets, err = storage.RewriteOffsets(files, root, secret, run, uint32(i), byShard[i]); err != nil {
			return err
		}
	}
	return storage.RemoveOldOffsets(files, root, run)
}

// hasGroup says whether the topic of a partition has a consumer group of that id.
func hasGroup(world *components.State, row int, id uint32) bool {
	_, ok := world.Catalog.GroupByID(world.Catalog.Topics.MustRow(world.Partitions.Topic[row]), id)
	return ok
}
