package main

import (
	"os"
	"path/filepath"
	"testing"

	"galgo/wire"
)

func TestReportIsThereAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sent.tsv")
	r, err := createReport(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	want := ""
	for _, step := range []struct {
		at    wire.SendConfirmation
		spans []span
		lines string
	}{
		{wire.SendConfirmation{PartitionID: 3, BaseOffset: 100}, []span{{"a.log", 1, 5}, {"b.log", 1, 1}, {"c.log", 7, 2}},
			"3\t100\t5\ta.log\t1\t5\n3\t105\t1\tb.log\t1\t1\n3\t106\t2\tc.log\t7\t8\n"},
		{wire.SendConfirmation{}, []span{{"odd\t\n\\name", 1, 1}}, "0\t0\t1\todd\\t\\n\\\\name\t1\t1\n"},
	} {
		if err := r.acknowledge(step.at, step.spans); err != nil {
			t.Fatal(err)
		}
		want += step.lines
		if got, _ := os.ReadFile(path); string(got) != want { // not closed yet
			t.Errorf("got %q, want %q", got, want)
		}
	}
	var none *report
	if err := none.acknowledge(wire.SendConfirmation{}, nil); err != nil {
		t.Errorf("no report: got %v", err)
	}
}
