package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/dustin/go-humanize"

	"galgo/components"
	"galgo/server/config"
	"galgo/server/logging"
	"galgo/server/placement"
	"galgo/systems/engine"
	"galgo/systems/storage"
	"galgo/uring"
)

// Server is a running server.
type Server struct {
	Address string // bound TCP address

	cfg        *config.Config
	plan       placement.Plan
	host       uring.Host
	hostReason string // why this one
	dir        *storage.DataDir
	log        *logging.Log
	ring       *logging.Ring
	engine     *engine.Engine
	threads    []*thread     // by shard
	listener   int32         // until the engine has it
	trim       chan struct{} // closed when the heap need not be trimmed any more
	failed     error
}

// Run runs a server until ctx ends, and stops it in good order. It is what the binary does: it prints where things are to stderr.
func Run(ctx context.Context, cfg *config.Config) error {
	s, err := Start(cfg)
	if err != nil {
		return err
	}
	if s.host.Name() == uring.KernelName { // elsewhere threads that do I/O are among the others
		if err := placement.Prefer(threadName, uring.WorkerThreads); err != nil {
			s.log.Warn().Err(err).Msg("passwords and collections are not kept out of the shards' way")
		}
	}
	s.banner()
	<-ctx.Done()
	s.log.Info().Msg("stopping: answering what is under way, writing what is journaled")
	return s.Stop()
}

// Start recovers the data directory and starts to serve. The caller ends the server with Stop.
func Start(cfg *config.Config) (_ *Server, err error) {
	s := &Server{cfg: cfg, listener: components.NoFD}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if s.plan, err = placement.For(cfg, "/"); err != nil {
		return nil, err
	}
	if cfg.Nice != 0 {
		if err := placement.SetNice(cfg.Nice); err != nil {
			return nil, err
		}
	}
	descriptors, err := placement.RaiseFiles()
	if err != nil {
		return nil, err
	}
	if s.host, s.hostReason, err = chooseHost(cfg.IO); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	wall, _ := s.host.Clock()
	root, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, err
	}
	if s.dir, err = storage.OpenDirectory(s.host.Files(), root, cfg.Fresh, s.host.Random, wall, recoverers); err != nil {
		return nil, err
	}
	if s.log, err = logging.Open(logging.OptionsOf(cfg), os.Stderr); err != nil {
		return nil, err
	}
	s.ring = logging.NewRing(logging.RingSize, s.log)
	s.notices()
	passwords := components.NewPasswords(s.plan.Memory)
	tuneRuntime(&s.plan, passwords)
	if err := s.startShards(int(min(descriptors, 1<<20))); err != nil {
		return nil, err
	}
	s.trim = make(chan struct{})
	go boundHeap(passwords, s.trim)
	return s, nil
}

// notices logs what configuration and placement have to say.
func (s *Server) notices() {
	for _, notice := range s.cfg.Notices {
		event := s.log.Info()
		if notice.Warn {
			event = s.log.Warn()
		}
		event.Msg(notice.Text)
	}
	if s.cfg.ConfigFile != "" {
		s.log.Info().Str("file", s.cfg.ConfigFile).Msg("configuration read")
	}
	if s.dir.Created { // which is no surprise, or a disk that is not mounted
		s.log.Info().Str("path", s.dir.Root).Msg("the data directory is new")
	}
	for _, note := range s.plan.Notes {
		s.log.Info().Msg(note)
	}
	s.log.Info().Str("io", s.host.Name()).Str("reason", s.hostReason).Int("shards", s.plan.Shards).Bool("pinned", s.plan.Pin).Uint64("memory", s.plan.Memory).
		Str("durability", string(s.cfg.Durability)).Msg("starting")
}

// tuneRuntime keeps the Go runtime out of the shards' way. Each shard and each worker can always run, and two goroutines more, so that the kernel
// arbitrates and not Go: a shard that comes back from a wait while all of GOMAXPROCS is taken waits for one of Go's 10 ms slices to end. And where
// the heap has room for several passwords, it is collected when it reaches the bound that boundHeap sets, not at twice of what lives: that is
// little, and the number of collections is what costs.
func tuneRuntime(plan *placement.Plan, passwords *components.Passwords) {
	runtime.GOMAXPROCS(plan.Shards + uring.WorkersMax() + 2)
	if passwords.Reserved() > 0 {
		debug.SetGCPercent(-1)
	} else {
		debug.SetGCPercent(100)
	}
}

// banner says what a person at the terminal wants to know first.
func (s *Server) banner() {
	fmt.Fprintf(os.Stderr, "\ngalgo %s (serves clients of Apache Iggy %s)\n  data     %s\n  tcp      %s\n  shards   %d, memory %s, durability %s\n  try      galgo produce --create --stream demo --topic lines --address %s README.md\n\n",
		BuildVersion(), Version, s.dir.Root, s.Address, s.plan.Shards, humanize.IBytes(s.plan.Memory), s.cfg.Durability, s.Address)
}

// Stop ends the server: no more connections, what is under way is answered, what is journaled is made durable, within 10 s.
func (s *Server) Stop() error {
	if s.failed = s.stopShards(); s.failed == nil {
		s.log.Info().Msg("stopped")
	}
	s.release()
	return s.failed
}

// stopShards ends the shards. An error says what they left undone.
func (s *Server) stopShards() error {
	s.engine.Stop()
	for _, thread := range s.threads {
		<-thread.done
	}
	return s.engine.Undone()
}

// release lets go of what Start took. What it cannot let go of goes with the process, and nothing in it is unwritten.
func (s *Server) release() {
	if s.trim != nil {
		close(s.trim)
	}
	if s.ring != nil {
		s.ring.Close()
	}
	if s.log != nil {
		_ = s.log.Close()
	}
	if s.listener != components.NoFD {
		_ = s.host.CloseFD(s.listener)
	}
	if s.host != nil {
		_ = s.host.Close()
	}
	if s.engine != nil {
		s.engine.Free()
	}
	if s.dir != nil {
		_ = s.dir.Close()
	}
}

// rootCredentials are those of the first root user: the given ones, or generated ones, which are shown once and on stderr only.
func (s *Server) rootCredentials() (name, password string) {
	if s.cfg.Root.Username != "" {
		return s.cfg.Root.Username, s.cfg.Root.Password
	}
	secret := make([]byte, 18)
	_, _ = rand.Read(secret) // never fails
	name, password = "iggy", base64.RawURLEncoding.EncodeToString(secret)
	fmt.Fprintf(os.Stderr, "\nroot user created: %s, password: %s\n(shown this once; set IGGY_ROOT_USERNAME and IGGY_ROOT_PASSWORD before the first start to choose them)\n", name, password)
	return name, password
}
