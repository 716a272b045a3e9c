package acceptance

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// contents describes everything below dir, so that two descriptions are equal when nothing was touched.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil || entry.IsDir() {
			found[path] = "directory"
			return err
		}
		bytes, err := os.ReadFile(path)
		found[path] = fmt.Sprintf("%s %x", info.Mode(), sha256.Sum256(bytes))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// refuses checks that a command ends with an exit code that is not 0 and, as its last word, one line on standard error in which
// every one of wants is found.
func refuses(t *testing.T, got result, wants ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	if got.code == 0 || !strings.HasPrefix(last, "galgo: ") {
		t.Fatalf("got exit code %d and %q, want one that is not 0 and a line of why", got.code, got.stderr)
	}
	for _, line := range lines[:len(lines)-1] {
		if !strings.HasPrefix(line, `{"level":`) {
			t.Errorf("got a line %q that is neither log nor the reason", line)
		}
	}
	for _, want := range wants {
		if !strings.Contains(last, want) {
			t.Errorf("got %q, want it to name %q", last, want)
		}
	}
}

func TestServeRefuses(t *testing.T) {
	used := start(t, options{})
	used.dial(t)
	stopped := start(t, options{})
	stopped.stop(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("not a directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	toml := filepath.Join(t.TempDir(), "galgo.toml")
	if err := os.WriteFile(toml, []byte("[tcp]\naddres = \"127.0.0.1:0\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		dir   string // "" is one that does not exist yet
		args  []string
		env   []string
		wants []string
	}{
		{name: "port in use, empty directory", args: []string{"--tcp-address", listener.Addr().String()}, wants: []string{listener.Addr().String(), "in use"}},
		{name: "port in use", dir: stopped.dir, args: []string{"--tcp-address", listener.Addr().String()}, wants: []string{listener.Addr().String(), "in use"}},
		{name: "address of another machine", args: []string{"--tcp-address", "192.0.2.1:0"}, wants: []string{"tcp.address"}},
		{name: "no address", args: []string{"--tcp-address", "nonsense"}, wants: []string{"tcp.address", "nonsense"}},
		{name: "directory in use", dir: used.dir, wants: []string{used.dir}},
		{name: "directory in use, to be made fresh", dir: used.dir, args: []string{"--fresh"}, wants: []string{used.dir}},
		{name: "foreign directory", dir: foreign, wants: []string{foreign}},
		{name: "foreign directory, to be made fresh", dir: foreign, args: []string{"--fresh"}, wants: []string{foreign}},
		{name: "a file", dir: file, wants: []string{file}},
		{name: "unknown key", args: []string{"--config", toml}, wants: []string{"tcp.addres", toml}},
		{name: "configuration file that is missing", args: []string{"--config", toml + ".old"}, wants: []string{toml + ".old"}},
		{name: "unknown environment name", env: []string{"GALGO_TCP_ADDRES=1"}, wants: []string{"GALGO_TCP_ADDRES"}},
		{name: "bad value", env: []string{"GALGO_DURABILITY_DEFAULT=paper"}, wants: []string{"GALGO_DURABILITY_DEFAULT", "paper"}},
		{name: "TLS", env: []string{"IGGY_TCP_TLS_ENABLED=true"}, wants: []string{"tcp.tls.enabled"}},
		{name: "encryption", env: []string{"IGGY_ENCRYPTION_ENABLED=true"}, wants: []string{"encryption.enabled"}},
		{name: "key that moved", env: []string{"IGGY_SYSTEM_SEGMENT_SIZE=1"}, wants: []string{"segment"}},
		{name: "name of the root user without a password", env: []string{"IGGY_ROOT_USERNAME=root"}, wants: []string{"IGGY_ROOT_PASSWORD"}},
		{name: "unknown flag", args: []string{"--shard=3"}, wants: []string{"--shard"}},
		{name: "an argument", args: []string{"now"}, wants: []string{"now"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := test.dir
			if dir == "" {
				dir = filepath.Join(t.TempDir(), "data")
			}
			before := map[string]string{}
			if test.dir != "" {
				before = contents(t, dir)
			}
			args := append([]string{"serve", "--data", dir, "--tcp-address", "127.0.0.1:0"}, test.args...)
			refuses(t, runWith(t, test.env, "", args...), test.wants...)
			if test.dir == "" {
				if _, err := os.Stat(dir); err == nil {
					before = contents(t, dir)
					t.Errorf("got %d files in the data directory, want it not to be made", len(before))
				}
			} else if after := contents(t, dir); test.dir != used.dir && !maps.Equal(after, before) {
				t.Errorf("the directory was touched: got %v, want %v", after, before)
			}
		})
	}
	// The server whose directory others wanted goes on.
	if err := used.dial(t).Ping(); err != nil {
		t.Error(err)
	}
	used.stop(t)
	s := start(t, options{dir: stopped.dir})
	s.stop(t)
}

func TestClientCommandsRefuse(t *testing.T) {
	s := start(t, options{})
	c := s.dial(t)
	if _, err := c.CreateStream("here"); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := listener.Addr().String()
	_ = listener.Close()
	for _, test := range []struct {
		name, address, password, target string
		wants                           []string
	}{
		{"nobody there", nobody, "iggy", "--stream=here --topic=x", []string{"cannot connect", nobody}},
		{"wrong password", s.address, "wrong", "--stream=here --topic=x", []string{"wrong name or password", "iggy"}},
		{"no stream", s.address, "iggy", "--stream=absent --topic=x", []string{"absent", "does not exist"}},
		{"no topic", s.address, "iggy", "--stream=here --topic=x", []string{`"x"`, "does not exist"}},
		{"no target", s.address, "iggy", "", []string{"stream", "topic"}},
		{"an unknown flag", s.address, "iggy", "--stream=here --topic=x --fast", []string{"--fast"}},
	} {
		for _, command := range []string{"produce", "consume"} {
			t.Run(command+" "+test.name, func(t *testing.T) {
				args := append([]string{command, "--address", test.address, "--password", test.password}, strings.Fields(test.target)...)
				got := run(t, "line\n", args...)
				refuses(t, got, test.wants...)
				if got.stdout != "" {
					t.Errorf("standard output: got %q, want nothing", got.stdout)
				}
			})
		}
	}
	t.Run("produce a file that is missing", func(t *testing.T) {
		refuses(t, run(t, "", "produce", "--address", s.address, "--stream=here", "--topic=x", "--create", "/absent/file"), "/absent/file")
		if _, found, err := c.Topic(ident(here), ident(absent)); found || err != nil {
			t.Errorf("got a topic, %v, want none to be made", err)
		}
	})
}

// A user meets the program like this.
func TestCommandLine(t *testing.T) {
	s := start(t, options{})
	server := []string{"--address", s.address, "--stream=demo", "--topic=lines"}
	if got := run(t, "one\n\nthree", append([]string{"produce", "--create"}, server...)...); got.code != 0 || got.stdout != "" {
		t.Fatalf("produce: got %+v, want success", got)
	}
	if got, want := run(t, "", append([]string{"consume"}, server...)...), "one\n\nthree\n"; got.code != 0 || got.stdout != want {
		t.Errorf("consume: got %+v, want %q", got, want)
	}
	got := run(t, "", append([]string{"consume", "--with-meta", "--from=2"}, server...)...)
	if want := regexp.MustCompile(`^{"partition":0,"offset":2,"timestamp":"[^"]+","origin_timestamp":"[^"]+","id":"[0-9a-f]{32}","payload":"three"}\n$`); !want.MatchString(got.stdout) {
		t.Errorf("consume --with-meta: got %+v, want %s", got, want)
	}
	for i, want := range []string{"one\n", "\n", "three\n"} {
		if got := run(t, "", append([]string{"consume", "--consumer=reader", "--count=1"}, server...)...); got.stdout != want {
			t.Errorf("consume as a consumer, time %d: got %+v, want %q", i, got, want)
		}
	}
	if got := run(t, "", "version"); got.code != 0 || !strings.HasPrefix(got.stdout, "galgo ") {
		t.Errorf("version: got %+v", got)
	}
}
