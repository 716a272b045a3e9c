package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// withSecrets sets every secret there is, and some values that need quoting.
var withSecrets = []string{
	"IGGY_HTTP_JWT_ENCODING_SECRET=geheim1", "IGGY_HTTP_JWT_DECODING_SECRET=geheim2", "IGGY_ENCRYPTION_KEY=geheim3",
	"IGGY_ROOT_USERNAME=geheim4", "IGGY_ROOT_PASSWORD=geheim5", "IGGY_CLUSTER_AUTH_SHARED_SECRET=geheim6",
	"IGGY_PATH=a \"quoted\" \\ päth\t", "IGGY_HTTP_CORS_ALLOWED_ORIGINS=https://a,https://b", "GALGO_SHARDS=2", "GALGO_DISK_RESERVE=0",
}

func TestWriteCurrentRoundTrip(t *testing.T) {
	first := load(t, Sources{Environ: withSecrets, Flags: map[string]string{"tcp-address": "127.0.0.1:0"}})
	file := filepath.Join(t.TempDir(), "runtime", "current_config.toml")
	if err := WriteCurrent(file, first, Bound{TCP: "127.0.0.1:4711"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "geheim") || strings.Contains(string(data), "coding_secret") {
		t.Errorf("current configuration: got a secret in it, want none:\n%s", data)
	}
	var seen struct{ TCP, HTTP, QUIC, Websocket struct{ Address string } }
	if err := toml.Unmarshal(data, &seen); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][2]string{
		"tcp": {seen.TCP.Address, "127.0.0.1:4711"}, "http": {seen.HTTP.Address, "127.0.0.1:3000"},
		"quic": {seen.QUIC.Address, "127.0.0.1:8080"}, "websocket": {seen.Websocket.Address, "127.0.0.1:8092"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s.address: got %q, want %q", name, got[0], got[1])
		}
	}

	second := load(t, Sources{File: file})
	for i, s := range first.Settings {
		if s.Key.Kind == Free || s.Key.Kind == Secret || s.Key.Path == "tcp.address" {
			continue
		}
		var back Setting
		for _, other := range second.Settings {
			if other.Key == s.Key {
				back = other
			}
		}
		if back.Key == nil || s.Key.literal(s.Value) != s.Key.literal(back.Value) {
			t.Errorf("setting %d, %s: got %q back, want %q", i, s.Key.Path, back.Value.Written, s.Value.Written)
		}
		if back.Origin == "default" && !strings.HasPrefix(s.Key.Path, "system.") {
			t.Errorf("%s: got it from the default, want it in the file", s.Key.Path)
		}
	}
	if second.Path != first.Path || second.TCP.Address != "127.0.0.1:4711" {
		t.Errorf("got path %q, tcp %q back", second.Path, second.TCP.Address)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("directory: got %v, want the file alone", left)
	}
}

func TestWriteCurrentNamesTheFile(t *testing.T) {
	c := load(t, Sources{})
	if err := os.WriteFile("taken", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteCurrent("taken/current_config.toml", c, Bound{}); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

func TestShow(t *testing.T) {
	c := load(t, Sources{Environ: withSecrets})
	var out strings.Builder
	if err := c.Show(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "geheim") {
		t.Errorf("got a secret, want none:\n%s", &out)
	}
	for _, want := range []string{
		"# encryption.key = ********", "# cluster.* is ignored", "# IGGY_CLUSTER_AUTH_SHARED_SECRET\n", "# GALGO_SHARDS\n",
		"disk.reserve = \"0\"", "shards = 2 ", "memory = \"auto\"", "# default\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got no %q in it, want it:\n%s", want, &out)
		}
	}
	if err := toml.Unmarshal([]byte(out.String()), &map[string]any{}); err != nil {
		t.Errorf("got %v, want TOML", err)
	}
}
