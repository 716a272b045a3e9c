package logging

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"galgo/server/config"

	"github.com/rs/zerolog"
	"golang.org/x/term"
	"gopkg.in/natefinch/lumberjack.v2"
)

// timeFormat shows microseconds: within a second, the order of lines is what one looks for.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

func init() {
	// zerolog keeps it in a package variable; set once here, before any logger runs.
	zerolog.TimeFieldFormat = timeFormat
}

// fileName is the log file in the log directory; rotated ones get their time into the name.
const fileName = "galgo.log"

// Options says where log lines go. OptionsOf takes them from a configuration.
type Options struct {
	Level        zerolog.Level
	Dir          string        // directory of the log files, made when missing; "" writes none
	FileSizeMax  uint64        // bytes of one file; 0: unlimited
	TotalSizeMax uint64        // bytes of all files; 0: unlimited
	Retention    time.Duration // age at which a rotated file goes; 0: never
}

// OptionsOf returns the options that c asks for.
func OptionsOf(c *config.Config) Options {
	o := Options{
		Level:        level(c.Logging.Level),
		FileSizeMax:  c.Logging.FileSizeMax,
		TotalSizeMax: c.Logging.TotalSizeMax,
		Retention:    c.Logging.Retention,
	}
	if c.Logging.FileEnabled {
		o.Dir = c.LogDir()
	}
	return o
}

// level is the level of a configured name, which config.Load has checked.
func level(name string) zerolog.Level {
	if name == "off" || name == "none" {
		return zerolog.Disabled
	}
	l, err := zerolog.ParseLevel(name)
	if err != nil {
		panic(fmt.Sprintf("logging: level %q", name))
	}
	return l
}

// Log is an open log. Its Logger may be copied and used from any goroutine that may wait.
type Log struct {
	zerolog.Logger                    // stamps each line with the present time
	bare           zerolog.Logger     // does not: for lines that bring their time along
	file           *lumberjack.Logger // nil without files
}

// Open starts logging to stderr and, if o has a directory, to files. On a terminal stderr gets lines for people, else JSON. The
// error names the log file that cannot be written.
func Open(o Options, stderr *os.File) (*Log, error) {
	var out io.Writer = stderr
	if term.IsTerminal(int(stderr.Fd())) {
		out = zerolog.ConsoleWriter{Out: stderr, TimeFormat: "15:04:05.000000"}
	}
	return open(o, out)
}

func open(o Options, out io.Writer) (*Log, error) {
	l := &Log{}
	if o.Dir != "" {
		l.file = o.rotation()
		// The rotating file opens at its first line, which would tell a wrong directory to nobody.
		if _, err := l.file.Write(nil); err != nil {
			return nil, fmt.Errorf("log file %s: %w", l.file.Filename, err)
		}
		out = zerolog.MultiLevelWriter(out, l.file)
	}
	l.bare = zerolog.New(out).Level(o.Level)
	l.Logger = l.bare.With().Timestamp().Logger()
	return l, nil
}

// rotation turns the limits into lumberjack's: whole megabytes (2^20 bytes) of a file, whole days, and a number of rotated files,
// which is what the total leaves beside the current one. All are rounded so that nothing goes sooner than asked, but the total
// holds at least one rotated file.
func (o Options) rotation() *lumberjack.Logger {
	const megabyte = 1 << 20
	r := &lumberjack.Logger{Filename: filepath.Join(o.Dir, fileName)}
	switch {
	case o.FileSizeMax == 0:
		r.MaxSize = math.MaxInt32 // 2 PiB; 0 would be lumberjack's default
	default:
		r.MaxSize = int(min((o.FileSizeMax+megabyte-1)/megabyte, math.MaxInt32))
	}
	if o.TotalSizeMax != 0 && o.FileSizeMax != 0 {
		r.MaxBackups = int(min(max(o.TotalSizeMax/o.FileSizeMax, 2)-1, math.MaxInt32))
	}
	const day = 24 * time.Hour
	r.MaxAge = int((o.Retention + day - 1) / day)
	return r
}

// Close ends the log file. Lines logged later open it again.
func (l *Log) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
