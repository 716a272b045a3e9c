package logging

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galgo/server/config"

	"github.com/rs/zerolog"
)

func TestOpenWritesJSONToBoth(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "logs")
	var out bytes.Buffer
	log, err := open(Options{Level: zerolog.WarnLevel, Dir: dir, FileSizeMax: 1 << 20}, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Info().Msg("too fine")
	log.Warn().Int("n", 1).Msg("seen")
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	if string(file) != out.String() || !strings.Contains(out.String(), `"n":1,`) || strings.Contains(out.String(), "too fine") {
		t.Errorf("got %q on the screen and %q in the file, want the same one line", &out, file)
	}
}

func TestOpenWithoutFiles(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	log, err := Open(Options{}, file)
	if err != nil {
		t.Fatal(err)
	}
	log.Info().Msg("no terminal")
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file.Name()); err != nil || !strings.HasPrefix(string(got), `{"level":"info"`) {
		t.Errorf("got %q, %v, want JSON", got, err)
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(Options{Dir: dir}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want an error that names %s", err, dir)
	}
}

func TestOptionsOf(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := config.Load(config.Sources{Environ: []string{"IGGY_PATH=d"}})
	if err != nil {
		t.Fatal(err)
	}
	want := Options{Level: zerolog.InfoLevel, Dir: "d/logs", FileSizeMax: 500_000_000, TotalSizeMax: 4_000_000_000, Retention: 168 * time.Hour}
	if got := OptionsOf(c); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	c, err = config.Load(config.Sources{Environ: []string{"RUST_LOG=off", "IGGY_LOGGING_FILE_ENABLED=false"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := OptionsOf(c); got.Level != zerolog.Disabled || got.Dir != "" {
		t.Errorf("off: got %+v, want it disabled and without files", got)
	}
}

func TestRotation(t *testing.T) {
	for _, test := range []struct {
		name                string
		o                   Options
		size, backups, days int
	}{
		{"defaults", Options{FileSizeMax: 500_000_000, TotalSizeMax: 4_000_000_000, Retention: 168 * time.Hour}, 477, 7, 7},
		{"unlimited", Options{}, 1<<31 - 1, 0, 0},
		{"small", Options{FileSizeMax: 1000, TotalSizeMax: 1000, Retention: time.Minute}, 1, 1, 1},
	} {
		r := test.o.rotation()
		if r.MaxSize != test.size || r.MaxBackups != test.backups || r.MaxAge != test.days {
			t.Errorf("%s: got %d MB, %d backups, %d days, want %d, %d, %d", test.name, r.MaxSize, r.MaxBackups, r.MaxAge, test.size, test.backups, test.days)
		}
	}
}
