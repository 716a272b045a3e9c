package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// fileEntry is a key or a table header of a TOML file.
type fileEntry struct {
	path    string
	line    int // from 1
	isTable bool
	value   raw // unless isTable
}

// readFile returns the entries of the TOML file name in their order. The error is an fs.PathError, or names file, line and
// column of what is not TOML.
func readFile(name string) ([]fileEntry, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	// The decoder knows the rules that span lines, such as a key given twice; the parser below knows the lines.
	var whole map[string]any
	if err := toml.Unmarshal(data, &whole); err != nil {
		var where *toml.DecodeError
		if errors.As(err, &where) {
			row, column := where.Position()
			return nil, fmt.Errorf("configuration file %s:%d:%d: %s", name, row, column, strings.TrimPrefix(where.Error(), "toml: "))
		}
		return nil, fmt.Errorf("configuration file %s: %w", name, err)
	}
	f := fileWalk{}
	f.parser.Reset(data)
	table := ""
	for f.parser.NextExpression() {
		node := f.parser.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			path, line := f.key(node, "")
			f.entries = append(f.entries, fileEntry{path: path, line: line, isTable: true})
			table = path
		case unstable.KeyValue:
			f.keyValue(node, table)
		}
	}
	if err := f.parser.Error(); err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", name, err)
	}
	return f.entries, nil
}

type fileWalk struct {
	parser  unstable.Parser
	entries []fileEntry
}

// key returns the dotted path of node below table, and its line.
func (f *fileWalk) key(node *unstable.Node, table string) (path string, line int) {
	path = table
	for parts := node.Key(); parts.Next(); {
		part := parts.Node()
		if line == 0 {
			line = f.parser.Shape(part.Raw).Start.Line
		}
		if path != "" {
			path += "."
		}
		path += string(part.Data)
	}
	return path, line
}

// keyValue appends the entry of node, or those of the inline table that is its value.
func (f *fileWalk) keyValue(node *unstable.Node, table string) {
	path, line := f.key(node, table)
	value := node.Value()
	entry := fileEntry{path: path, line: line}
	switch value.Kind {
	case unstable.InlineTable:
		entry.isTable = true
		f.entries = append(f.entries, entry)
		for inner := value.Children(); inner.Next(); {
			f.keyValue(inner.Node(), path)
		}
		return
	case unstable.Array:
		entry.value.isList = true
		for items := value.Children(); items.Next(); {
			entry.value.list = append(entry.value.list, scalar(items.Node()))
		}
	default:
		entry.value.text = scalar(value)
	}
	f.entries = append(f.entries, entry)
}

// scalar is the text of a value: a string without quotes, a number without the underscores that TOML allows in it.
func scalar(node *unstable.Node) string {
	if node.Kind == unstable.Integer {
		return strings.ReplaceAll(string(node.Data), "_", "")
	}
	return string(node.Data)
}
