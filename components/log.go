package components

// LogLevel is how much a line matters.
type LogLevel uint8

const (
	LogDebug LogLevel = iota
	LogInfo
	LogWarn
	LogError
)

// LogField is a number or a name that a line carries. Text must be a constant or otherwise outlive the call.
type LogField struct {
	Key    string
	Text   string
	Number uint64
	IsText bool
}

// Num is a field with a number.
func Num(key string, n uint64) LogField { return LogField{Key: key, Number: n} }

// Str is a field with a text.
func Str(key, text string) LogField { return LogField{Key: key, Text: text, IsText: true} }

// Logger takes the few lines that systems have to say. It never blocks: a full ring drops the line and counts it.
type Logger interface {
	Log(level LogLevel, message string, fields ...LogField)
}
