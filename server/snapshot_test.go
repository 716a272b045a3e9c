package server_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galgo/components"
	"galgo/wire"
	"galgo/wire/client"
)

func snapshot(c *client.Client, compression wire.SnapshotCompression, types ...byte) ([]byte, error) {
	return c.Raw(wire.OpNonReplicated, wire.CodeGetSnapshot, wire.AppendGetSnapshot(nil, wire.GetSnapshot{Compression: compression, Types: types}))
}

// sections are the texts of a snapshot.
func sections(t *testing.T, file []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	noError(t, err)
	texts := map[string]string{}
	for _, entry := range z.File {
		r, err := entry.Open()
		noError(t, err)
		text, err := io.ReadAll(r)
		noError(t, err)
		texts[strings.TrimSuffix(entry.Name, ".txt")] = string(text)
	}
	return texts
}

func TestSystemSnapshot(t *testing.T) {
	const secret = "not-to-be-seen"
	s := start(t, setup{shards: 2, env: []string{"IGGY_HTTP_JWT_ENCODING_SECRET=" + secret, "IGGY_ROOT_USERNAME=iggy", "IGGY_ROOT_PASSWORD=" + secret,
		"GALGO_LOGGING_FILE_ENABLED=true", "GALGO_LOGGING_LEVEL=info"}})
	root := s.mustDialAs("iggy", secret)
	newUser(t, root, "other", "other", wire.Permissions{Global: wire.GlobalReadTopics})
	newUser(t, root, "reader", "reader", wire.Permissions{Global: wire.GlobalReadServers})

	file, err := snapshot(root, wire.SnapshotStored, byte(wire.SnapshotAll))
	noError(t, err)
	texts := sections(t, file)
	for section, want := range map[string]string{"filesystem_overview": "control/", "process_list": "server.test", "resource_usage": "running since",
		"test": "test", "server_logs": "starting", "server_config": "jwt.encoding_secret"} {
		if !strings.Contains(texts[section], want) {
			t.Errorf("%s: got %.300q, want %q in it", section, texts[section], want)
		}
	}
	if bytes.Contains(file, []byte(secret)) {
		t.Error("the file shows a secret")
	}
	reader := s.mustDialAs("reader", "reader")
	if file, err := snapshot(reader, wire.SnapshotXz, byte(wire.SnapshotTest)); err != nil || len(file) == 0 {
		t.Errorf("with read_servers: got %d bytes, %v, want a file", len(file), err)
	}
	_, err = snapshot(s.mustDialAs("other", "other"), wire.SnapshotStored, byte(wire.SnapshotTest))
	wantStatus(t, err, wire.StatusUnauthorized)
	for _, bad := range [][]byte{nil, {1}, {0, 1, 4}, {7, 1, 4}, {1, 1, 0}, {1, 1, 7}, {1, 1, 99}, {1, 3, 4, 4}} {
		_, err := root.Raw(wire.OpNonReplicated, wire.CodeGetSnapshot, bad)
		wantStatus(t, err, wire.StatusInvalidCommand)
	}
}

// What the engine counts is to be seen in the snapshot: what the pool holds, damaged partitions, and what was cut.
func TestSnapshotCounts(t *testing.T) {
	o := setup{dir: filepath.Join(t.TempDir(), "data"), shards: 2, env: []string{"GALGO_POOL_SIZE=16 MiB"}}
	server := start(t, o)
	c := server.dial()
	wantCount := func(name string, want any) {
		t.Helper()
		file, err := snapshot(c, wire.SnapshotStored, byte(wire.SnapshotResourceUsage))
		noError(t, err)
		text := sections(t, file)["resource_usage"]
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%s +%v$`, regexp.QuoteMeta(name), want)).MatchString(text) {
			t.Errorf("got\n%swant a line %q with %v", text, name, want)
		}
	}
	wantCount("files in the pool", 0)
	wantCount("bytes in the pool", 0)
	wantCount("bytes in the pool at most", 16<<20)
	wantCount("partitions faulted", 0)
	old, kept := topic(t, c, "old", 1, option("segment_size", "1 MiB")), topic(t, c, "kept", 2)
	var b wire.BatchBuilder
	for i := range uint64(30) {
		send(t, c, old, 0, batch(&b, i*100, 100, 1000), i*100)
	}
	for partition := range uint32(2) {
		send(t, c, kept, partition, batch(&b, 0, 100, 1000), 0)
	}
	wantCount("messages appended", 3200)
	wantCount("connections", 1)
	noError(t, c.DeleteTopic(named("s"), old))
	eventually(t, "files in the pool", func() bool { return len(pooled(t, server.dir)) > 0 })
	server.stop()

	logs, err := filepath.Glob(filepath.Join(o.dir, components.SegmentsDir, "0*.log"))
	noError(t, err)
	at := slices.IndexFunc(logs, func(name string) bool {
		file, ok := wire.ParseSegmentName(filepath.Base(name))
		return ok && file.PartitionID == 1
	})
	content, err := os.ReadFile(logs[at])
	noError(t, err)
	content[20] ^= 1 // in the head
	noError(t, os.WriteFile(logs[at], content, 0o600))
	server = start(t, o)
	c = server.dial()
	held := pooled(t, server.dir)
	size := int64(0)
	for _, bytes := range held {
		size += bytes
	}
	wantCount("files in the pool", len(held))
	wantCount("bytes in the pool", size)
	wantCount("partitions faulted", 1)
	wantCount("bytes cut from torn tails", 0)
	wantCount("metadata is read-only", false)
}
