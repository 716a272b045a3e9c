package config

import "strings"

// refusedKey is a key that the reference server gave up and we do not take: whoever still sets it would believe that it works.
type refusedKey struct {
	path     string // ".*" at the end: the table and everything below it
	instead  string
	inFile   bool // refused in files only: as an environment name it would be too common a word
	newNames bool // refused without `system.` only; with it, it is a key of Keys
}

var refusedKeys = []refusedKey{
	{path: "topic.max_size", instead: "it is now the topic option max_topic_size, given when the topic is created"},
	{path: "topic.message_expiry", instead: "it is now the topic option message_expiry, given when the topic is created"},
	{path: "partition.enforce_fsync", instead: "it is now the topic option durability=persisted, given when the topic is created; for all other topics see durability.default"},
	{path: "partition.messages_required_to_save", instead: "it is now the topic option messages_required_to_save, given when the topic is created"},
	{path: "partition.size_of_messages_required_to_save", instead: "it is now the topic option size_of_messages_required_to_save, given when the topic is created"},
	{path: "partition.consumer_offset_enforce_fsync", instead: "it is now the topic option consumer_offset_durability, given when the topic is created"},
	{path: "segment.size", instead: "it is now the topic option segment_size, given when the topic is created"},
	{path: "segment.preallocate", instead: "it is now the topic option preallocate_segments, given when the topic is created"},
	{path: "message_deduplication.*", instead: "message deduplication was removed, nothing replaces it"},
	{path: "extra.*", instead: "the section was removed, nothing replaces it"},
	{path: "partition.path", instead: "it was removed, the layout of the data directory is fixed", newNames: true},
	{path: "stream.*", instead: "the section was removed, the layout of the data directory is fixed", inFile: true, newNames: true},
	{path: "topic.*", instead: "the section was removed, its settings are now topic options, given when the topic is created", inFile: true, newNames: true},
}

// findRefused returns why path, a key or a table of a file, is refused, or "".
func findRefused(path string) string {
	plain, old := strings.CutPrefix(path, "system.")
	for _, r := range refusedKeys {
		if old && r.newNames {
			continue
		}
		if table, isTree := strings.CutSuffix(r.path, ".*"); plain == r.path || isTree && (plain == table || strings.HasPrefix(plain, table+".")) {
			return r.instead
		}
	}
	return ""
}

// isRefusedTable says whether path is a table of a file in which keys are refused.
func isRefusedTable(path string) bool {
	plain := strings.TrimPrefix(path, "system.")
	for _, r := range refusedKeys {
		if strings.HasPrefix(r.path, plain+".") {
			return true
		}
	}
	return false
}

// findRefusedEnv is findRefused for an environment name without its IGGY_ or GALGO_.
func findRefusedEnv(name string) string {
	plain, old := strings.CutPrefix(name, "SYSTEM_")
	for _, r := range refusedKeys {
		if r.inFile || old && r.newNames {
			continue
		}
		if table, isTree := strings.CutSuffix(r.path, ".*"); plain == envName(r.path) || isTree && strings.HasPrefix(plain, envName(table)+"_") {
			return r.instead
		}
	}
	return ""
}
