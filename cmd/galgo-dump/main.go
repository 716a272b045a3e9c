package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run executes the command line args and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	out := bufio.NewWriter(stdout)
	root := newRootCommand(stderr)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.Execute()
	if err = errors.Join(err, out.Flush()); err != nil {
		say(stderr, err.Error())
		return 1
	}
	return 0
}

// say tells the user something in one line.
func say(stderr io.Writer, text string) {
	fmt.Fprintf(stderr, "galgo-dump: %s\n", strings.Join(strings.Fields(text), " "))
}
