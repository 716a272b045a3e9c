package server

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"galgo/components"
	"galgo/server/config"
	"galgo/server/placement"
	"galgo/server/snapshot"
	"galgo/systems"
	"galgo/systems/engine"
	"galgo/systems/state"
)

const (
	ringEntries   = 1024
	ringCQEntries = 8192
	// inflightSlots is how many operations a shard may have in flight beside those of its connections.
	inflightSlots = 8192
	// recoverers is how many partitions are recovered at a time, and how many files are looked at before that.
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

// startShards recovers what is on disk, gives it to the shards, and starts their threads. They accept last.
func (s *Server) startShards(descriptors int) (err error) {
	if s.engine, err = engine.Recover(s.options(descriptors)); err != nil {
		return err
	}
	s.listener = components.NoFD
	for _, sh := range s.engine.Shards {
		thread := newThread(sh)
		s.threads = append(s.threads, thread)
		go thread.run()
	}
	for _, thread := range s.threads {
		err = errors.Join(err, <-thread.ready)
	}
	if err != nil {
		return errors.Join(err, s.stopShards()) // those that stand use what is about to be let go
	}
	if err := s.host.Files().MakeDir(filepath.Dir(s.cfg.CurrentFile()), 0o700); err != nil {
		return err
	}
	return config.WriteCurrent(s.cfg.CurrentFile(), s.cfg, config.Bound{TCP: s.Address})
}

// options are what the engine is told.
func (s *Server) options(descriptors int) engine.Options {
	cfg := s.config()
	machine := newMachine(s.host, s.dir.Root)
	o := engine.Options{
		Host: s.host, Dir: s.dir, Listener: s.listener, Config: cfg,
		Memory: s.plan.Memory, Direct: s.cfg.Direct != config.DirectOff, Reserve: s.cfg.DiskReserve.Of, PoolSize: s.cfg.PoolSize.Of,
		FilesMax: max((descriptors-descriptorReserve-min(cfg.ConnectionsMax, descriptors/2))/s.plan.Shards, 16),
		Slots:    inflightSlots, Entries: ringEntries, CQEntries: ringCQEntries, SpinMicros: s.plan.SpinMicros, Recoverers: recoverers,
		Plugins: s.plugins,
		Root:    s.rootUser,
		Machine: machine.read,
		Collect: snapshot.New(snapshot.Sources{Data: s.dir.Root, Logs: logDir(s.cfg), Config: s.cfg.Show, Machine: machine.read,
			Counts: func(row func(string, any)) { s.engine.Counts(row) }}).Collect,
		Log: shardLog{ring: s.ring, host: s.host},
	}
	if s.plan.Pin {
		o.Pin = func(shard int) error {
			if err := placement.PinThread(s.plan.CPUs[shard]); err != nil {
				return fmt.Errorf("pin to core %d: %w", s.plan.CPUs[shard], err)
			}
			return nil
		}
	}
	return o
}

// plugins are those of one shard.
func (s *Server) plugins() (list []systems.Plugin) {
	if s.cfg.MessageCleaner.Enabled {
		list = append(list, systems.NewRetention(every(s.cfg.MessageCleaner)))
	}
	return list
}

// logDir is where log files are written; "" is nowhere.
func logDir(cfg *config.Config) string {
	if !cfg.Logging.FileEnabled {
		return ""
	}
	return cfg.LogDir()
}

// rootUser is the first user of a new directory.
func (s *Server) rootUser() (name, passwordHash []byte) {
	user, password := s.rootCredentials()
	salt := make([]byte, state.SaltSize)
	s.host.Random(salt)
	hash := state.HashPassword([]byte(password), salt, 0, nil)
	debug.FreeOSMemory() // the hash's 19 MiB, before the first login takes as much again
	return []byte(user), hash
}

// config is what every shard is told of the configuration.
func (s *Server) config() components.Config {
	const loginMax = 8 << 10                     // a register frame has a few strings of up to 255 bytes
	address, _ := netip.ParseAddrPort(s.Address) // the host wrote it
	level := map[config.Durability]components.Level{config.DurabilityMemory: components.LevelMemory,
		config.DurabilityWritten: components.LevelWritten, config.DurabilityDurable: components.LevelDurable}
	return components.Config{
		Shards: s.plan.Shards, DefaultLevel: level[s.cfg.Durability], FrameMax: s.plan.FrameMax, LoginMax: loginMax,
		PartitionsMax: s.cfg.PartitionsMax, ClientsMax: s.cfg.SessionsMax, ConnectionsMax: s.cfg.SessionsMax + s.cfg.SessionsMax/8 + 64,
		TokensMax: s.cfg.TokensMax, TokenCleanMicros: every(s.cfg.TokenCleaner),
		OffsetsMax: s.cfg.ConsumerOffsetsMax, HandshakeMicros: uint64(s.cfg.HandshakeGrace.Microseconds()),
		HeartbeatMicros: heartbeat(s.cfg), RebalancingMicros: uint64(s.cfg.RebalancingTimeout.Microseconds()),
		ServerVersion: Version, AdvertisedAddress: s.cfg.Node.AdvertisedAddress, TCPAddress: address,
	}
}

// every is how often a job is done, in µs; 0 is never.
func every(job config.Job) uint64 {
	if !job.Enabled {
		return 0
	}
	return uint64(job.Interval.Microseconds())
}

// heartbeat is how often group members should be heard, in µs; 0 is no matter.
func heartbeat(cfg *config.Config) uint64 {
	if !cfg.Heartbeat.Enabled {
		return 0
	}
	return uint64(cfg.Heartbeat.Interval.Microseconds())
}
