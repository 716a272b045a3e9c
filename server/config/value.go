package config

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is how a key's value is written.
type Kind uint8

// The kinds of values.
const (
	Text     Kind = iota // any text
	Toggle               // true or false
	Count                // a whole number
	Size                 // bytes: "64 MiB", "2 MB", "4096"
	Duration             // "30 s", "1h 30m", "0"
	List                 // an array of texts in a file, texts between commas elsewhere
	Choice               // one of Key.Choices
	Address              // host:port, port 0 allowed
	Host                 // an address or a host name, without a port; may be empty
	Level                // a log filter, see ParseLevel
	Secret               // text that is never printed
	Free                 // anything: the key means nothing here and its value is not looked at
)

// Value is a value of any kind: the field of its kind is filled, and Written in every kind but List.
type Value struct {
	Written  string // as it stood in its source, without quotes
	Auto     bool   // the word "auto", where the key allows it; the other fields are zero then
	Toggle   bool
	Count    int64
	Size     uint64
	Duration time.Duration
	List     []string
}

// bounds limits counts, sizes (bytes) and durations (nanoseconds), both ends included. The zero bounds limit nothing.
type bounds struct{ min, max int64 }

// raw is a value as its source wrote it, before the key's kind is known to it.
type raw struct {
	text   string
	list   []string
	isList bool
}

// parse reads r as a value of key k. The error says what is allowed and does not repeat the value.
func (k *Key) parse(r raw) (Value, error) {
	if k.Kind == List {
		if !r.isList {
			r.list = splitList(r.text)
		}
		return Value{List: r.list}, nil
	}
	if r.isList && k.Kind != Free {
		return Value{}, fmt.Errorf("want %s, not an array", k.want())
	}
	v := Value{Written: r.text}
	if k.Auto && r.text == "auto" {
		v.Auto = true
		return v, nil
	}
	wrong := fmt.Errorf("want %s", k.want())
	switch k.Kind {
	case Toggle:
		if r.text != "true" && r.text != "false" {
			return Value{}, wrong
		}
		v.Toggle = r.text == "true"
	case Count:
		n, err := strconv.ParseInt(r.text, 10, 64)
		if err != nil || !k.bounds.allow(n) {
			return Value{}, wrong
		}
		v.Count = n
	case Size:
		n, err := ParseSize(r.text)
		if err != nil || n > math.MaxInt64 || !k.bounds.allow(int64(n)) {
			return Value{}, wrong
		}
		v.Size = n
	case Duration:
		d, err := ParseDuration(r.text)
		if err != nil || !k.bounds.allow(int64(d)) {
			return Value{}, wrong
		}
		v.Duration = d
	case Choice:
		if !slices.Contains(k.Choices, r.text) {
			return Value{}, wrong
		}
	case Address:
		if !isAddress(r.text) {
			return Value{}, wrong
		}
	case Host:
		if r.text != "" && !isHost(r.text) {
			return Value{}, wrong
		}
	case Level:
		if _, ok := ParseLevel(r.text); !ok {
			return Value{}, wrong
		}
	}
	if k.Required && r.text == "" {
		return Value{}, wrong
	}
	return v, nil
}

func (b bounds) allow(n int64) bool { return b == bounds{} || n >= b.min && n <= b.max }

// want says in words what k allows.
func (k *Key) want() string {
	what := ""
	switch k.Kind {
	case Toggle:
		what = "true or false"
	case Count:
		what = "a whole number" + k.bounds.between(func(n int64) string { return strconv.FormatInt(n, 10) })
	case Size:
		what = "a size such as 64 MiB" + k.bounds.between(func(n int64) string { return FormatSize(uint64(n)) })
	case Duration:
		what = "a duration such as 30 s" + k.bounds.between(func(n int64) string { return time.Duration(n).String() })
	case Choice:
		what = strings.Join(k.Choices, ", ")
		if i := strings.LastIndex(what, ", "); i >= 0 {
			what = what[:i] + " or" + what[i+1:]
		}
	case Address:
		what = "host:port with a port from 0 to 65535"
	case Host:
		what = "an address or a host name without a port, and not a wildcard"
	case Level:
		what = "trace, debug, info, warn, error, off or none, optionally followed by target=level"
	default:
		what = "a text that is not empty"
	}
	if k.Auto {
		what = "auto or " + what
	}
	return what
}

func (b bounds) between(format func(int64) string) string {
	switch {
	case b == bounds{}:
		return ""
	case b.max == math.MaxInt64:
		return ", at least " + format(b.min)
	}
	return " from " + format(b.min) + " to " + format(b.max)
}

// splitList splits "a, b" or "[a, b]", with or without quotes; an empty text is an empty list.
func splitList(text string) []string {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	if text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	for i, item := range items {
		items[i] = strings.Trim(strings.TrimSpace(item), `"'`)
	}
	return items
}

func isAddress(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false
	}
	return host == "" || net.ParseIP(withoutZone(host)) != nil || isHostName(host)
}

func isHost(text string) bool {
	if ip := net.ParseIP(withoutZone(text)); ip != nil {
		return !ip.IsUnspecified()
	}
	return isHostName(text)
}

// withoutZone drops the interface from an address such as fe80::1%eth0.
func withoutZone(host string) string {
	address, _, _ := strings.Cut(host, "%")
	return address
}

// isHostName follows RFC 1123: labels of letters, digits and inner hyphens, 63 bytes each and 253 in all. An underscore is
// let through, because container networks use it. A last label of digits only would be a mistyped address.
func isHostName(text string) bool {
	if text == "" || len(text) > 253 {
		return false
	}
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}

// literal is v as it stands in a TOML file. A secret is an empty text.
func (k *Key) literal(v Value) string {
	switch {
	case k.Kind == Secret:
		return `""`
	case k.Kind == List:
		return listLiteral(v.List)
	case (k.Kind == Toggle || k.Kind == Count) && !v.Auto:
		return v.Written
	}
	return quote(v.Written)
}

func listLiteral(list []string) string {
	items := make([]string, len(list))
	for i, item := range list {
		items[i] = quote(item)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// quote is text as a TOML basic string.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
