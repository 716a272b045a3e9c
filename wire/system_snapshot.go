package wire

import "strconv"

// SnapshotCompression is how the entries of a system snapshot are packed into its ZIP. Source: protocol.md, 7.1.
type SnapshotCompression uint8

const (
	SnapshotStored   SnapshotCompression = 1
	SnapshotDeflated SnapshotCompression = 2
	SnapshotBzip2    SnapshotCompression = 3
	SnapshotZstd     SnapshotCompression = 4
	SnapshotLzma     SnapshotCompression = 5
	SnapshotXz       SnapshotCompression = 6
)

// SnapshotType is one entry of a system snapshot.
type SnapshotType uint8

const (
	SnapshotFilesystemOverview SnapshotType = 1
	SnapshotProcessList        SnapshotType = 2
	SnapshotResourceUsage      SnapshotType = 3
	SnapshotTest               SnapshotType = 4
	SnapshotServerLogs         SnapshotType = 5
	SnapshotServerConfig       SnapshotType = 6
	SnapshotAll                SnapshotType = 100 // each of the others
)

// String returns the name in snake_case, which is also that of the entry.
func (t SnapshotType) String() string {
	if t == SnapshotAll {
		return "all"
	}
	if int(t) < len(snapshotTypes) && snapshotTypes[t] != "" {
		return snapshotTypes[t]
	}
	return "snapshot_type_" + strconv.Itoa(int(t))
}

var snapshotTypes = [...]string{
	SnapshotFilesystemOverview: "filesystem_overview",
	SnapshotProcessList:        "process_list",
	SnapshotResourceUsage:      "resource_usage",
	SnapshotTest:               "test",
	SnapshotServerLogs:         "server_logs",
	SnapshotServerConfig:       "server_config",
}

func (t SnapshotType) valid() bool {
	return t >= SnapshotFilesystemOverview && t <= SnapshotServerConfig || t == SnapshotAll
}

// GetSnapshot is the body of CodeGetSnapshot, which is answered with a ZIP file. It has nothing to do with the snapshots of a
// control log.
//
//	| compression u8 | types_count u8 | type u8 × types_count |
type GetSnapshot struct {
	Compression SnapshotCompression
	Types       []byte // a SnapshotType each; aliases what was decoded
}

// DecodeGetSnapshot reads a body; StatusInvalidCommand also for unknown values.
func DecodeGetSnapshot(body []byte) (GetSnapshot, Status) {
	r := bodyReader{src: body}
	g := GetSnapshot{Compression: SnapshotCompression(r.u8()), Types: r.str8()}
	if g.Compression < SnapshotStored || g.Compression > SnapshotXz {
		r.bad = true
	}
	for _, t := range g.Types {
		if !SnapshotType(t).valid() {
			r.bad = true
		}
	}
	return g, r.status()
}

// AppendGetSnapshot appends the encoding of g.
func AppendGetSnapshot(dst []byte, g GetSnapshot) []byte {
	return appendStr8(append(dst, byte(g.Compression)), g.Types)
}
