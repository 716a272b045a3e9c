package acceptance

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sourceFiles lists every regular .go file of the Go source tree, with its count of lines.
func sourceFiles(t *testing.T) (paths []string, lines map[string]uint64) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.EvalSymlinks(filepath.Join(strings.TrimSpace(string(out)), "src"))
	if err != nil {
		t.Fatal(err)
	}
	lines = map[string]uint64{}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := openSource(path)
		if err != nil {
			return err
		}
		paths = append(paths, path)
		for count := uint64(0); ; count++ {
			if _, ok := file.next(); !ok {
				lines[path] = count
				return nil
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths, lines
}

// sourceFile is a file that is read line by line. A line is what ends at \n, without it, or at the end of the file.
type sourceFile struct {
	rest []byte
	line uint64 // number of the line that next returned, from 1
}

func openSource(path string) (*sourceFile, error) {
	content, err := os.ReadFile(path)
	return &sourceFile{rest: content}, err
}

func (f *sourceFile) next() (line []byte, ok bool) {
	if len(f.rest) == 0 {
		return nil, false
	}
	line, f.rest, _ = bytes.Cut(f.rest, []byte{'\n'})
	f.line++
	return line, true
}

// sources are the files that are being compared. A file is in memory from its first line to its last.
type sources map[string]*sourceFile

// at returns a line of a file; false when the file has none of that number. It is quick when lines are asked for in order.
func (s sources) at(path string, line uint64) (content []byte, ok bool, err error) {
	file := s[path]
	if file == nil || file.line >= line {
		if file, err = openSource(path); err != nil {
			return nil, false, err
		}
		s[path] = file
	}
	for ok = true; ok && file.line < line; {
		content, ok = file.next()
	}
	if !ok || len(file.rest) == 0 {
		delete(s, path)
	}
	return content, ok, nil
}
