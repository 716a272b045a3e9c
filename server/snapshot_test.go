package server_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"galgo/wire"
	"galgo/wire/client"
)

func snapshot(c *client.Client, compression wire.SnapshotCompression, types ...byte) ([]byte, error) {
	return c.Raw(wire.OpNonReplicated, wire.CodeGetSnapshot, wire.AppendGetSnapshot(nil, wire.GetSnapshot{Compression: compression, Types: types}))
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
