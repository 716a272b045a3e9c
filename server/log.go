package server

import (
	"github.com/rs/zerolog"

	"galgo/components"
	"galgo/server/logging"
	"galgo/uring"
)

// shardLog hands a shard's lines to the logging ring. It never blocks.
type shardLog struct {
	ring *logging.Ring
	host uring.Host
}

var levels = [...]zerolog.Level{components.LogDebug: zerolog.DebugLevel, components.LogInfo: zerolog.InfoLevel,
	components.LogWarn: zerolog.WarnLevel, components.LogError: zerolog.ErrorLevel}

// Log implements components.Logger.
func (l shardLog) Log(level components.LogLevel, message string, fields ...components.LogField) {
	if !l.ring.Enabled(levels[level]) {
		return
	}
	var out [logging.FieldsMax]logging.Field
	n := 0
	for _, f := range fields[:min(len(fields), len(out))] {
		if f.IsText {
			out[n] = logging.Text(f.Key, f.Text)
		} else {
			out[n] = logging.Uint(f.Key, f.Number)
		}
		n++
	}
	wall, _ := l.host.Clock()
	l.ring.Log(wall, levels[level], message, out[:n]...)
}
