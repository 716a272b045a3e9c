package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// write puts text into a new file and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads s in an empty working directory and fails the test on an error.
func load(t *testing.T, s Sources) *Config {
	t.Helper()
	t.Chdir(t.TempDir())
	c, err := Load(s)
	if err != nil {
		t.Fatalf("Load: got %v, want no error", err)
	}
	return c
}

// refuse loads s in an empty working directory and returns the error, which must be one line with all the words.
func refuse(t *testing.T, s Sources, words ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	_, err := Load(s)
	if err == nil {
		t.Fatalf("Load: got no error, want one with %q", words)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("Load: got the error %q, want one line", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("Load: got the error %q, want %q in it", err, word)
		}
	}
}

func origin(t *testing.T, c *Config, path string) string {
	t.Helper()
	for _, s := range c.Settings {
		if s.Key.Path == path {
			return s.Origin
		}
	}
	t.Fatalf("settings: got no %s, want it", path)
	return ""
}

func TestDefaults(t *testing.T) {
	c := load(t, Sources{})
	for _, got := range []struct {
		name      string
		got, want any
	}{
		{"path", c.Path, "local_data"},
		{"tcp.address", c.TCP.Address, "127.0.0.1:8090"},
		{"http.max_request_size", c.HTTP.RequestSizeMax, uint64(2_000_000)},
		{"message_bus.max_message_size", c.FrameMax, uint64(64 << 20)},
		{"logging.retention", c.Logging.Retention, 7 * 24 * time.Hour},
		{"logging.level", c.Logging.Level, "info"},
		{"durability.default", c.Durability, DurabilityWritten},
		{"shards", c.Shards, 0},
		{"memory", c.Memory, uint64(0)},
		{"pin", c.Pin, PinAuto},
		{"pool.size", c.PoolSize, PoolSize{Auto: true}},
		{"disk.reserve", c.DiskReserve, Reserve{Auto: true}},
		{"limits.partitions_max", c.PartitionsMax, 100000},
		{"root", c.Root, Credentials{}},
		{"current file", c.CurrentFile(), "local_data/runtime/current_config.toml"},
		{"log directory", c.LogDir(), "local_data/logs"},
	} {
		if got.got != got.want {
			t.Errorf("%s: got %v, want %v", got.name, got.got, got.want)
		}
	}
	if got, want := c.HTTP.CORS.AllowedMethods, []string{"GET", "POST", "PUT", "DELETE"}; !slices.Equal(got, want) {
		t.Errorf("http.cors.allowed_methods: got %q, want %q", got, want)
	}
}

// TestPrecedence gives path from every set of sources and expects the highest to win, old names below new ones.
func TestPrecedence(t *testing.T) {
	sources := []string{"default", "file old", "file", "iggy old", "iggy", "galgo", "flag"}
	for set := range 1 << len(sources) {
		file, s := "", Sources{Flags: map[string]string{}}
		want := "local_data"
		for i, source := range sources {
			if set&(1<<i) == 0 || i == 0 {
				continue
			}
			value := strings.ReplaceAll(source, " ", "-")
			want = value
			switch source {
			case "file old":
				file += "system.path = \"" + value + "\"\n"
			case "file":
				file += "path = \"" + value + "\"\n"
			case "iggy old":
				s.Environ = append(s.Environ, "IGGY_SYSTEM_PATH="+value)
			case "iggy":
				s.Environ = append(s.Environ, "IGGY_PATH="+value)
			case "galgo":
				s.Environ = append(s.Environ, "GALGO_PATH="+value)
			case "flag":
				s.Flags["data"] = value
			}
		}
		s.File = write(t, file)
		if c := load(t, s); c.Path != want {
			t.Errorf("sources %07b: got path %q, want %q", set, c.Path, want)
		}
	}
}

func TestOriginNamesTheSource(t *testing.T) {
	file := write(t, "# a comment\n[tcp]\naddress = \"127.0.0.1:1\"\n[system]\nlogging = { level = \"warn\", path = \"l\" }\n")
	c := load(t, Sources{
		File:    file,
		Environ: []string{"IGGY_SYSTEM_LOGGING_PATH=x", "GALGO_SHARDS=3"},
		Flags:   map[string]string{"memory": "1 GiB"},
	})
	for path, want := range map[string]string{
		"tcp.address":   file + ":3",
		"logging.level": file + ":5",
		"logging.path":  "IGGY_SYSTEM_LOGGING_PATH",
		"shards":        "GALGO_SHARDS",
		"memory":        "flag --memory",
		"http.address":  "default",
	} {
		if got := origin(t, c, path); got != want {
			t.Errorf("origin of %s: got %q, want %q", path, got, want)
		}
	}
	if c.Shards != 3 || c.Memory != 1<<30 || c.Logging.Level != "warn" || c.Logging.Path != "x" {
		t.Errorf("got shards %d, memory %d, logging %+v, want 3, 1 GiB, warn and x", c.Shards, c.Memory, c.Logging)
	}
}

func TestConfigurationFiles(t *testing.T) {
	one, two := write(t, `path = "one"`), write(t, `path = "two"`)
	if c := load(t, Sources{Environ: []string{"IGGY_CONFIG_PATH=" + one}}); c.Path != "one" || c.ConfigFile != one {
		t.Errorf("IGGY_CONFIG_PATH: got path %q of file %q, want one", c.Path, c.ConfigFile)
	}
	if c := load(t, Sources{File: two, Environ: []string{"IGGY_CONFIG_PATH=" + one}}); c.Path != "two" {
		t.Errorf("--config and IGGY_CONFIG_PATH: got path %q, want two", c.Path)
	}
	refuse(t, Sources{File: "/nowhere/c.toml"}, "configuration file", "/nowhere/c.toml", "no such file")
	refuse(t, Sources{Environ: []string{"IGGY_CONFIG_PATH=/nowhere/c.toml"}}, "/nowhere/c.toml")
	refuse(t, Sources{File: write(t, "path = \"a\"\npath = \"b\"\n")}, "config.toml:2:")
	refuse(t, Sources{File: write(t, "\n\ntcp.address = \n")}, "config.toml:3:")

	t.Chdir(t.TempDir())
	if err := os.MkdirAll("core/server", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(defaultFile, []byte(`path = "three"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(Sources{}); err != nil || c.Path != "three" {
		t.Errorf("default file: got %v, want path three", err)
	}
}

func TestDotenv(t *testing.T) {
	dir := t.TempDir()
	env := filepath.Join(dir, "my.env")
	if err := os.WriteFile(env, []byte("IGGY_PATH=from-dotenv\nIGGY_TCP_ADDRESS=127.0.0.1:2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, Sources{Environ: []string{"IGGY_ENV_PATH=" + env, "IGGY_TCP_ADDRESS=127.0.0.1:1"}})
	if c.Path != "from-dotenv" || c.TCP.Address != "127.0.0.1:1" {
		t.Errorf("got path %q and address %q, want from-dotenv and the process's 127.0.0.1:1", c.Path, c.TCP.Address)
	}
	if got, want := origin(t, c, "path"), "IGGY_PATH in "+env; got != want {
		t.Errorf("origin: got %q, want %q", got, want)
	}
	refuse(t, Sources{Environ: []string{"IGGY_ENV_PATH=/nowhere/.env"}}, "environment file", "/nowhere/.env")

	t.Chdir(dir)
	if err := os.WriteFile(".env", []byte("GALGO_SHARDS=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := Load(Sources{}); err != nil || c.Shards != 2 {
		t.Errorf(".env in the working directory: got error %v, want 2 shards", err)
	}
	if err := os.WriteFile(".env", []byte("IGGY_ROOT_PASSWORD geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Sources{}); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("broken .env: got %v, want an error that does not quote it", err)
	}
}

func TestRustLogBeatsLevel(t *testing.T) {
	c := load(t, Sources{Environ: []string{"RUST_LOG=debug,galgo=trace", "GALGO_LOGGING_LEVEL=warn"}})
	if c.Logging.Level != "debug" || origin(t, c, "logging.level") != "RUST_LOG" {
		t.Errorf("got level %q, want debug of RUST_LOG", c.Logging.Level)
	}
	if c := load(t, Sources{Environ: []string{"RUST_LOG=iggy=trace", "IGGY_LOGGING_LEVEL=warn"}}); c.Logging.Level != "warn" {
		t.Errorf("RUST_LOG of targets only: got level %q, want warn", c.Logging.Level)
	}
	c = load(t, Sources{Environ: []string{"RUST_LOG=loud"}})
	if c.Logging.Level != "info" || !c.Notices[0].Warn || !strings.Contains(c.Notices[0].Text, "RUST_LOG") {
		t.Errorf("RUST_LOG=loud: got level %q and %v, want info and a warning", c.Logging.Level, c.Notices)
	}
}

func TestRootCredentials(t *testing.T) {
	user, password := "IGGY_ROOT_USERNAME=admin", "IGGY_ROOT_PASSWORD=geheim"
	if c := load(t, Sources{Environ: []string{user, password}}); c.Root != (Credentials{"admin", "geheim"}) {
		t.Errorf("got %v, want admin and geheim", c.Root)
	}
	if c := load(t, Sources{WithDefaultRootCredentials: true}); c.Root != (Credentials{"iggy", "iggy"}) {
		t.Errorf("defaults: got %v, want iggy twice", c.Root)
	}
	if c := load(t, Sources{WithDefaultRootCredentials: true, Environ: []string{password}}); c.Root != (Credentials{"iggy", "geheim"}) {
		t.Errorf("defaults beside a password: got %v, want iggy and geheim", c.Root)
	}
	refuse(t, Sources{Environ: []string{user}}, "IGGY_ROOT_USERNAME", "without IGGY_ROOT_PASSWORD")
	refuse(t, Sources{Environ: []string{password}}, "without IGGY_ROOT_USERNAME")
	refuse(t, Sources{Environ: []string{user, "IGGY_ROOT_PASSWORD=ab"}}, "IGGY_ROOT_PASSWORD has 2 bytes")
}

func TestUnknownNames(t *testing.T) {
	refuse(t, Sources{File: write(t, "[tcp]\nadress = 1\n")}, "unknown key tcp.adress", "config.toml:2")
	refuse(t, Sources{File: write(t, "[tpc]\naddress = 1\n")}, "unknown table [tpc]", "config.toml:1")
	refuse(t, Sources{File: write(t, "tcp = 5\n")}, "unknown key tcp")
	refuse(t, Sources{File: write(t, "system.tcp.address = \"h:1\"\n")}, "unknown key system.tcp.address")
	refuse(t, Sources{Environ: []string{"GALGO_TCP_ADRESS=1"}}, "unknown environment name GALGO_TCP_ADRESS")
	refuse(t, Sources{Environ: []string{"GALGO_SYSTEM_PATH=1"}}, "GALGO_SYSTEM_PATH")
	load(t, Sources{Environ: []string{"GALGO_ADDRESS=h:1", "GALGO_USERNAME=u", "GALGO_PASSWORD=p"}}) // produce and consume read them

	c := load(t, Sources{Environ: []string{"IGGY_TCP_ADRESS=1", "IGGY_SHARDS=2", "IGGY_HOME=h", "IGGY_MCP_X=y", "IGGY_USERNAME=u", "IGGYX=1"}})
	var warnings []string
	for _, n := range c.Notices {
		if strings.Contains(n.Text, "unknown") {
			warnings = append(warnings, n.Text)
		}
	}
	want := []string{"unknown environment names are ignored: IGGY_SHARDS, IGGY_TCP_ADRESS"}
	if !slices.Equal(warnings, want) {
		t.Errorf("unknown IGGY_ names: got %q, want %q", warnings, want)
	}
	if c.Shards != 0 {
		t.Errorf("IGGY_SHARDS: got %d shards, want it without effect", c.Shards)
	}
}

func TestKeysWithoutMeaningAreOneLine(t *testing.T) {
	file := write(t, "memory_pool.size = \"1 GiB\"\n[cluster]\nname = \"x\"\n[[cluster.nodes]]\nname = \"n\"\nports = { tcp = 1 }\n"+
		"[sharding]\ninbox_capacity = 7\n[system.stream]\npath = \"s\"\n")
	c := load(t, Sources{File: file, Environ: []string{"IGGY_TELEMETRY_ENABLED=true", "IGGY_CLUSTER_NODES_0_IP=1"}})
	var lines []string
	for _, n := range c.Notices {
		if !n.Warn {
			lines = append(lines, n.Text)
		}
	}
	want := []string{"known keys without meaning in this server: telemetry.enabled (IGGY_TELEMETRY_ENABLED), memory_pool.size (" + file +
		":1), sharding.* (" + file + ":8), cluster.* (IGGY_CLUSTER_NODES_0_IP), system.stream.path (" + file + ":10)"}
	if !slices.Equal(lines, want) {
		t.Errorf("information: got %q, want %q", lines, want)
	}
}

func TestWhatIsNotBuilt(t *testing.T) {
	for _, path := range []string{"tcp.tls.enabled", "websocket.tls.enabled", "http.tls.enabled", "encryption.enabled", "cluster.enabled",
		"system.encryption.enabled", "system.segment.archive_expired", "system.recovery.recreate_missing_state"} {
		named := strings.TrimPrefix(path, "system.encryption.")
		refuse(t, Sources{File: write(t, path+" = true\n")}, named, "config.toml:1")
		refuse(t, Sources{Environ: []string{"IGGY_" + envName(path) + "=true"}}, named, "IGGY_"+envName(path))
		load(t, Sources{File: write(t, path+" = false\n")})
		if strings.HasPrefix(path, "system.") {
			continue
		}
		load(t, Sources{File: write(t, path+" = true\n"), Environ: []string{"IGGY_" + envName(path) + "=false"}})
	}
	refuse(t, Sources{Environ: []string{"IGGY_TCP_ENABLED=false"}}, "tcp.enabled", "no listener")

	c := load(t, Sources{Environ: []string{"IGGY_QUIC_ENABLED=false"}})
	want := Notice{Warn: true, Text: "enabled but not built into this server, so nothing listens there: http (127.0.0.1:3000), websocket (127.0.0.1:8092)"}
	if !slices.Equal(c.Notices, []Notice{want}) {
		t.Errorf("listeners: got %v, want %v", c.Notices, want)
	}
}

func TestValuesAreChecked(t *testing.T) {
	for _, bad := range []struct{ path, value, want string }{
		{"tcp.address", "8090", "host:port"},
		{"tcp.address", "127.0.0.1:65536", "0 to 65535"},
		{"tcp.address", "999.0.0.1:1", "host:port"},
		{"tcp.enabled", "yes", "true or false"},
		{"shards", "0", "auto or a whole number from 1 to 256"},
		{"shards", "many", "auto or a whole number"},
		{"memory", "1 MiB", "at least 16 MiB"},
		{"memory", "1,5 GiB", "a size such as 64 MiB"},
		{"pin", "maybe", "auto, on or off"},
		{"nice", "20", "from -20 to 19"},
		{"durability.default", "persisted", "memory, written or durable"},
		{"message_bus.max_message_size", "257 MiB", "from 4 KiB to 256 MiB"},
		{"heartbeat.interval", "30", "a duration such as 30 s"},
		{"heartbeat.interval", "0", "at least 1ms"},
		{"logging.level", "loud", "trace, debug, info"},
		{"node.advertised_address", "0.0.0.0", "not a wildcard"},
		{"node.advertised_address", "host:1", "without a port"},
		{"path", "", "not empty"},
	} {
		name := "GALGO_" + envName(bad.path)
		refuse(t, Sources{Environ: []string{name + "=" + bad.value}}, bad.path, name, `"`+bad.value+`"`, bad.want)
	}
	refuse(t, Sources{File: write(t, "tcp.address = [\"a\"]\n")}, "tcp.address", "not an array")
	refuse(t, Sources{Environ: []string{"GALGO_SHARDS=x", "GALGO_PIN=y"}}, "shards", "pin")
	c := load(t, Sources{
		File:    write(t, "message_bus.max_message_size = 1_048_576\nheartbeat.interval = \"1h 30m\"\nsharding.cpu_allocation = 4\n"),
		Environ: []string{"IGGY_HTTP_CORS_ALLOWED_ORIGINS=https://a, https://b", "IGGY_TCP_ADDRESS=[::]:0", "IGGY_NODE_ADVERTISED_ADDRESS=iggy_1"},
	})
	if c.FrameMax != 1<<20 || c.Heartbeat.Interval != 90*time.Minute || c.TCP.Address != "[::]:0" || c.Node.AdvertisedAddress != "iggy_1" {
		t.Errorf("got frame %d, heartbeat %v, tcp %q, node %q", c.FrameMax, c.Heartbeat.Interval, c.TCP.Address, c.Node.AdvertisedAddress)
	}
	if got, want := c.HTTP.CORS.AllowedOrigins, []string{"https://a", "https://b"}; !slices.Equal(got, want) {
		t.Errorf("list from the environment: got %q, want %q", got, want)
	}
}
