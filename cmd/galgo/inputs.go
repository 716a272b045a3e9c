package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// stdinPath is the path that stands for standard input.
const stdinPath = "-"

// listInputs returns the paths to read, in order: args, then those listed one a line in the file listPath, which may be
// stdinPath. Without either it is standard input. Every file is looked at, so that one that is missing is known
// before anything is sent.
func listInputs(args []string, listPath string, stdin io.Reader) ([]string, error) {
	paths := args
	if listPath != "" {
		listed, err := readList(listPath, stdin)
		if err != nil {
			return nil, err
		}
		paths = append(paths[:len(paths):len(paths)], listed...)
	} else if len(paths) == 0 {
		paths = []string{stdinPath}
	}
	stdinUsed := listPath == stdinPath
	for _, path := range paths {
		if path == stdinPath {
			if stdinUsed {
				return nil, errors.New("standard input can be read only once")
			}
			stdinUsed = true
			continue
		}
		switch info, err := os.Stat(path); {
		case err != nil:
			return nil, err
		case info.IsDir():
			return nil, fmt.Errorf("%s is a directory", path)
		}
	}
	return paths, nil
}

func readList(path string, stdin io.Reader) (paths []string, err error) {
	from := stdin
	if path != stdinPath {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	scanner := bufio.NewScanner(from)
	for scanner.Scan() {
		if scanner.Text() != "" {
			paths = append(paths, scanner.Text())
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("list of files %s: %w", path, err)
	}
	return paths, nil
}
