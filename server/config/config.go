package config

import (
	"path/filepath"
	"time"
)

// Config is the effective configuration. Load fills it; nobody changes it afterwards, so it may be read from anywhere.
type Config struct {
	Path    string // data directory, as given: relative to the working directory
	Runtime struct {
		Path string // below Path unless absolute
	}
	Fresh         bool        // delete the data directory before the start
	Root          Credentials // for the first creation of the root user
	ConfigFile    string      // the file that was read, or "" if none was
	Notices       []Notice    // to be logged once a logger runs, in this order
	Settings      []Setting   // in the order of Keys; Free keys only when given
	Shards        int         // 0: placement decides
	Memory        uint64      // bytes; 0: placement decides
	Pin           Pin
	Direct        Direct
	IO            IO
	Nice          int // 0: left alone
	Durability    Durability
	PartitionsMax int // over all streams
	DiskReserve   Reserve
	PoolSize      PoolSize
	FrameMax      uint64 // bytes of the largest frame, before placement lowers it for lack of memory
	// HandshakeGrace is how long a TLS or WebSocket handshake may take.
	HandshakeGrace     time.Duration
	SessionsMax        int // HTTP ones included
	ConsumerOffsetsMax int // stored offset keys per partition and kind
	RebalancingTimeout time.Duration
	TokensMax          int // personal access tokens per user
	TokenCleaner       Job
	MessageCleaner     Job
	Heartbeat          Job
	Node               struct {
		AdvertisedAddress string // given to clients in the cluster metadata; "" is the bound address
	}
	TCP       Transport
	QUIC      Transport
	WebSocket Transport
	HTTP      HTTP
	Logging   Logging
}

// Credentials name a user. Both are empty when nobody gave them, and neither is otherwise.
type Credentials struct{ Username, Password string }

// Notice is a line for the operator about the configuration.
type Notice struct {
	Warn bool // else it is information
	Text string
}

// Job is background work that runs every Interval.
type Job struct {
	Enabled  bool
	Interval time.Duration
}

// Transport is a listener of the binary protocol.
type Transport struct {
	Enabled bool
	Address string // host:port; port 0 lets the kernel choose
	TLS     TLS
}

// TLS names a certificate and its key, PEM files.
type TLS struct {
	Enabled           bool
	SelfSigned        bool // make a certificate for localhost if the files are missing
	CertFile, KeyFile string
}

// HTTP is the REST API.
type HTTP struct {
	Enabled        bool
	Address        string
	RequestSizeMax uint64 // bytes
	WebUI          bool
	CORS           CORS
	JWT            JWT
	Metrics        struct {
		Enabled  bool
		Endpoint string
	}
	TLS TLS
}

// CORS says which foreign pages may use the REST API. No origins means none, and a leading "*" means any.
type CORS struct {
	Enabled                                                        bool
	AllowedMethods, AllowedOrigins, AllowedHeaders, ExposedHeaders []string
	AllowCredentials, AllowPrivateNetwork                          bool
}

// JWT says how the REST API signs and checks its tokens. Empty secrets mean a random one at each start.
type JWT struct {
	Algorithm, Issuer, Audience             string
	ValidIssuers, ValidAudiences            []string
	AccessTokenExpiry, ClockSkew, NotBefore time.Duration
	EncodingSecret, DecodingSecret          string
	UseBase64Secret                         bool
}

// Logging is where log lines go beside standard error.
type Logging struct {
	Path         string // below Config.Path unless absolute
	Level        string // trace, debug, info, warn, error, off or none
	FileEnabled  bool
	FileSizeMax  uint64        // bytes of one file; 0: unlimited
	TotalSizeMax uint64        // bytes of all files; 0: unlimited
	Retention    time.Duration // 0: unlimited
}

// Pin says whether shards are bound to cores.
type Pin string

// The values of Pin. PinAuto leaves it to placement.
const (
	PinAuto Pin = "auto"
	PinOn   Pin = "on"
	PinOff  Pin = "off"
)

// Direct says whether segments are written and read past the page cache.
type Direct string

// The values of Direct. DirectAuto does so where the filesystem can.
const (
	DirectAuto Direct = "auto"
	DirectOff  Direct = "off"
)

// IO says which kernel stands behind the ring.
type IO string

// The values of IO. IOAuto is io_uring where the system allows it, and ordinary system calls elsewhere.
const (
	IOAuto     IO = "auto"
	IOUring    IO = "io_uring"
	IOPortable IO = "portable"
)

// Durability is when a send is answered: in memory, written to the file, or durable.
type Durability string

// The values of Durability.
const (
	DurabilityMemory  Durability = "memory"
	DurabilityWritten Durability = "written"
	DurabilityDurable Durability = "durable"
)

// Listener is one of the four listeners that clients know.
type Listener struct {
	Name    string // "tcp", "quic", "http" or "websocket"
	Enabled bool
	Built   bool // this server has it; if not, its port is 0 in the cluster metadata
	Address string
}

// Listeners returns the four listeners, always in the same order.
func (c *Config) Listeners() [4]Listener {
	return [4]Listener{
		{Name: "tcp", Enabled: c.TCP.Enabled, Built: true, Address: c.TCP.Address},
		{Name: "http", Enabled: c.HTTP.Enabled, Address: c.HTTP.Address},
		{Name: "quic", Enabled: c.QUIC.Enabled, Address: c.QUIC.Address},
		{Name: "websocket", Enabled: c.WebSocket.Enabled, Address: c.WebSocket.Address},
	}
}

// CurrentFile is the path of the file that WriteCurrent is to write.
func (c *Config) CurrentFile() string {
	return filepath.Join(c.below(c.Runtime.Path), "current_config.toml")
}

// LogDir is the directory of the log files.
func (c *Config) LogDir() string { return c.below(c.Logging.Path) }

func (c *Config) below(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Path, path)
}
