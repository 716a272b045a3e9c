package main

import (
	"slices"
	"strings"
	"testing"

	"galgo/wire"

	"github.com/spf13/cobra"
)

func TestPartitionChoice(t *testing.T) {
	resolve := func(args ...string) (wire.Partitioning, error) {
		c := &cobra.Command{Use: "x", RunE: func(*cobra.Command, []string) error { return nil }, SilenceErrors: true, SilenceUsage: true}
		p := addPartitionChoiceFlags(c)
		c.SetArgs(args)
		if err := c.Execute(); err != nil {
			return wire.Partitioning{}, err
		}
		err := p.resolve(c)
		return p.of("dir/a.log"), err
	}
	for _, test := range []struct {
		args []string
		want wire.Partitioning
	}{
		{nil, wire.Partitioning{Kind: wire.PartitionBalanced}},
		{[]string{"--partition=0"}, wire.Partitioning{Kind: wire.PartitionNumbered}},
		{[]string{"--partition=7"}, wire.Partitioning{Kind: wire.PartitionNumbered, ID: 7}},
		{[]string{"--key=k"}, wire.Partitioning{Kind: wire.PartitionKeyed, Key: []byte("k")}},
		{[]string{"--key-by=path"}, wire.Partitioning{Kind: wire.PartitionKeyed, Key: []byte("dir/a.log")}},
	} {
		got, err := resolve(test.args...)
		if err != nil || got.Kind != test.want.Kind || got.ID != test.want.ID || string(got.Key) != string(test.want.Key) {
			t.Errorf("%v: got %+v, %v, want %+v", test.args, got, err, test.want)
		}
	}
	for _, args := range [][]string{{"--key="}, {"--key=" + strings.Repeat("k", 256)}, {"--key-by=line"}, {"--key=k", "--partition=1"}} {
		if got, err := resolve(args...); err == nil {
			t.Errorf("%.20q: got %+v, want an error", args, got)
		}
	}
}

func TestKeyOfPathKeepsTheEnd(t *testing.T) {
	path := strings.Repeat("d/", 200) + "a.log"
	if got := string(keyOfPath(path)); len(got) != 255 || !strings.HasSuffix(path, got) {
		t.Errorf("got %q, want the last 255 bytes", got)
	}
}

func TestSharesKeepOrderAndFiles(t *testing.T) {
	var paths []string
	for i := range 100 {
		paths = append(paths, strings.Repeat("x", i+1))
	}
	for _, count := range []int{1, 3, 200} {
		total := 0
		for _, share := range sharePaths(paths, count) {
			total += len(share)
			if len(share) == 0 || !slices.IsSortedFunc(share, func(a, b string) int { return len(a) - len(b) }) {
				t.Errorf("%d shares: got %q, want files in the order they were given", count, share)
			}
		}
		if total != len(paths) {
			t.Errorf("%d shares: got %d files, want %d", count, total, len(paths))
		}
	}
	if got := sharePaths(nil, 4); len(got) != 1 {
		t.Errorf("no files: got %d shares, want 1", len(got))
	}
}
