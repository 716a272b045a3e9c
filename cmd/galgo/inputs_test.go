package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeFile makes a file in dir and returns its path.
func writeFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestListInputs(t *testing.T) {
	dir := t.TempDir()
	a, b := writeFile(t, dir, "a", ""), writeFile(t, dir, "b", "")
	list := writeFile(t, dir, "list", b+"\n\n"+a)
	for _, test := range []struct {
		args       []string
		list       string
		stdin      string
		want       []string
		complaints string
	}{
		{nil, "", "", []string{"-"}, ""},
		{[]string{a, "-", b}, "", "", []string{a, "-", b}, ""},
		{[]string{a}, list, "", []string{a, b, a}, ""},
		{nil, "-", b + "\n", []string{b}, ""},
		{nil, "-", "", nil, ""},
		{[]string{"-"}, "-", "", nil, "only once"},
		{[]string{"-", "-"}, "", "", nil, "only once"},
		{[]string{dir}, "", "", nil, "directory"},
		{[]string{dir + "/none"}, "", "", nil, "no such file"},
		{nil, dir + "/none", "", nil, "no such file"},
		{nil, "-", strings.Repeat("x", 1<<20), nil, "list of files -"},
	} {
		got, err := listInputs(test.args, test.list, strings.NewReader(test.stdin))
		if test.complaints == "" && (err != nil || !slices.Equal(got, test.want)) {
			t.Errorf("%q, list %q: got %q, %v, want %q", test.args, test.list, got, err, test.want)
		}
		if test.complaints != "" && (err == nil || !strings.Contains(err.Error(), test.complaints)) {
			t.Errorf("%q, list %q: got %v, want %q", test.args, test.list, err, test.complaints)
		}
	}
}
