package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Bound holds the addresses that listeners really have, host:port. An empty one is not bound and keeps its configured address.
type Bound struct{ TCP, HTTP, QUIC, WebSocket string }

// of returns the bound address for an address key, or "".
func (b Bound) of(path string) string {
	switch path {
	case "tcp.address":
		return b.TCP
	case "http.address":
		return b.HTTP
	case "quic.address":
		return b.QUIC
	case "websocket.address":
		return b.WebSocket
	}
	return ""
}

// WriteCurrent writes the effective configuration to the file path, which is c.CurrentFile() as a rule, and makes its directory.
// Every key stands in it but secrets and what the reference server no longer has. Programs wait for this file to learn the
// addresses, so it appears complete, by rename; call it last, when the listeners accept. The error names operation and file.
func WriteCurrent(path string, c *Config, bound Bound) error {
	if err := writeRenamed(path, c.current(bound)); err != nil {
		return fmt.Errorf("write the current configuration: %w", err)
	}
	return nil
}

// current renders c as TOML: first the keys without a table, then table by table in the order of Keys.
func (c *Config) current(bound Bound) []byte {
	var tables []string
	lines := map[string][]string{}
	for _, s := range c.Settings {
		if s.Key.Kind == Secret || s.Key.Kind == Free || strings.HasPrefix(s.Key.Path, "system.") {
			continue
		}
		table, name := "", s.Key.Path
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			table, name = name[:i], name[i+1:]
		}
		if _, seen := lines[table]; !seen {
			tables = append(tables, table)
		}
		literal := s.Key.literal(s.Value)
		if address := bound.of(s.Key.Path); address != "" {
			literal = quote(address)
		}
		lines[table] = append(lines[table], name+" = "+literal)
	}
	var out bytes.Buffer
	out.WriteString("# The configuration in effect, with the addresses that are bound. Written at each start; changes here have no effect.\n")
	for _, table := range tables {
		if table != "" {
			fmt.Fprintf(&out, "\n[%s]\n", table)
		}
		for _, line := range lines[table] {
			out.WriteString(line + "\n")
		}
	}
	return out.Bytes()
}

func writeRenamed(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".current_config-*.toml")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // in vain once it is renamed
	_, err = file.Write(data)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	return err
}
