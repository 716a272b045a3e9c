package config

import (
	"strings"
	"testing"
)

// referenceKeys holds the keys that the reference server documents: path, and default ("-" where the documentation gives none).
const referenceKeys = `
node.advertised_address                                 -
tcp.enabled                                             true
tcp.address                                             127.0.0.1:8090
tcp.tls.enabled                                         false
tcp.tls.self_signed                                     true
tcp.tls.cert_file                                       core/certs/iggy_cert.pem
tcp.tls.key_file                                        core/certs/iggy_key.pem
quic.enabled                                            true
quic.address                                            127.0.0.1:8080
quic.certificate.self_signed                            -
websocket.enabled                                       true
websocket.address                                       127.0.0.1:8092
websocket.tls.enabled                                   -
http.enabled                                            true
http.address                                            127.0.0.1:3000
http.max_request_size                                   2 MB
http.web_ui                                             false
http.cors.enabled                                       true
http.jwt.algorithm                                      HS256
http.jwt.issuer                                         iggy.apache.org
http.jwt.audience                                       iggy.apache.org
http.jwt.valid_issuers                                  iggy.apache.org
http.jwt.valid_audiences                                iggy.apache.org
http.jwt.access_token_expiry                            1 h
http.jwt.clock_skew                                     5 s
http.jwt.not_before                                     0 s
http.jwt.encoding_secret                                -
http.jwt.decoding_secret                                -
http.jwt.use_base64_secret                              false
http.metrics.enabled                                    true
http.metrics.endpoint                                   /metrics
http.tls.enabled                                        false
http.tls.cert_file                                      -
http.tls.key_file                                       -
consumer_group.rebalancing_timeout                      30s
data_maintenance.messages.cleaner_enabled               true
data_maintenance.messages.interval                      1 m
personal_access_token.max_tokens_per_user               100
personal_access_token.cleaner.enabled                   true
personal_access_token.cleaner.interval                  1 m
heartbeat.enabled                                       true
heartbeat.interval                                      30 s
telemetry.enabled                                       false
telemetry.service_name                                  iggy
telemetry.logs.transport                                grpc
telemetry.logs.endpoint                                 http://localhost:7281/v1/logs
telemetry.traces.transport                              grpc
telemetry.traces.endpoint                               http://localhost:7281/v1/traces
path                                                    local_data
runtime.path                                            runtime
logging.path                                            logs
logging.level                                           info
logging.file_enabled                                    true
logging.max_file_size                                   500 MB
logging.max_total_size                                  4 GB
logging.rotation_check_interval                         1 h
logging.retention                                       7 days
encryption.enabled                                      false
encryption.key                                          -
partition.validate_checksum                             true
partition.consumer_offsets_max                          4096
memory_pool.enabled                                     true
memory_pool.size                                        4 GiB
memory_pool.bucket_capacity                             8192
sharding.cpu_allocation                                 numa:auto
sharding.inbox_capacity                                 -
system.segment.archive_expired                          false
system.recovery.recreate_missing_state                  false
message_bus.max_message_size                            64 MiB
message_bus.handshake_grace                             10 s
metadata.clients_table_max                              8192
metadata.prepare_queue_depth                            32
metadata.journal_slots                                  1024
cluster.enabled                                         false
cluster.name                                            -
system.path                                             local_data
system.runtime.path                                     runtime
system.logging.level                                    info
system.encryption.enabled                               false
system.memory_pool.size                                 4 GiB
system.sharding.cpu_allocation                          numa:auto
system.partition.validate_checksum                      true
`

func TestReferenceKeysAreKnown(t *testing.T) {
	for row := range strings.Lines(strings.TrimSpace(referenceKeys)) {
		path, value, _ := strings.Cut(strings.TrimSpace(row), " ")
		value = strings.TrimSpace(value)
		k, old := findKey(path)
		if k == nil {
			t.Errorf("key %s: got unknown, want known", path)
			continue
		}
		if byEnv, oldEnv := findEnv(envName(path)); byEnv != k || oldEnv != old {
			t.Errorf("IGGY_%s: got another key, want %s", envName(path), k.Path)
		}
		if value != "-" && k.Default != value {
			t.Errorf("default of %s: got %q, want %q", path, k.Default, value)
		}
		if k.Ours {
			t.Errorf("key %s: got one of ours, want one of the reference's", path)
		}
	}
}

func TestKeysAreWellFormed(t *testing.T) {
	paths, names, flags := map[string]bool{}, map[string]string{}, map[string]bool{}
	for i := range Keys {
		k := &Keys[i]
		if paths[k.Path] {
			t.Errorf("key %s: got it twice, want once", k.Path)
		}
		paths[k.Path] = true
		if other := names[envName(k.Path)]; other != "" {
			t.Errorf("environment name of %s: got that of %s too, want it unique", k.Path, other)
		}
		names[envName(k.Path)] = k.Path
		if k.Flag != "" && flags[k.Flag] {
			t.Errorf("flag --%s: got it twice, want once", k.Flag)
		}
		flags[k.Flag] = true
		if k.isTree() && k.Kind != Free {
			t.Errorf("tree %s: got kind %d, want Free", k.Path, k.Kind)
		}
		if (k.Help == "") != (k.Kind == Free) {
			t.Errorf("key %s: got help %q, want it exactly for what is looked at", k.Path, k.Help)
		}
		if k.Use == Used && k.fill == nil {
			t.Errorf("key %s: got no field, want one for a key that is used", k.Path)
		}
		if found, old := findKey(k.Path); found != k || old {
			t.Errorf("key %s: got another one by its path, want itself", k.Path)
		}
	}
}

func TestRefusedKeys(t *testing.T) {
	for path, replacement := range map[string]string{
		"topic.max_size":                              "max_topic_size",
		"topic.message_expiry":                        "message_expiry",
		"partition.enforce_fsync":                     "durability",
		"partition.messages_required_to_save":         "messages_required_to_save",
		"partition.size_of_messages_required_to_save": "size_of_messages_required_to_save",
		"partition.consumer_offset_enforce_fsync":     "consumer_offset_durability",
		"segment.size":                                "segment_size",
		"segment.preallocate":                         "preallocate_segments",
		"message_deduplication.enabled":               "removed",
		"extra.anything":                              "removed",
	} {
		for _, full := range []string{path, "system." + path} {
			refuse(t, Sources{File: write(t, full+" = 1\n")}, full+" (", "config.toml:1", replacement)
			dot := strings.LastIndexByte(full, '.')
			refuse(t, Sources{File: write(t, "["+full[:dot]+"]\n"+full[dot+1:]+" = 1\n")}, full+" (", "config.toml:2", replacement)
			for _, prefix := range []string{"IGGY_", "GALGO_"} {
				refuse(t, Sources{Environ: []string{prefix + envName(full) + "=1"}}, prefix+envName(full), replacement)
			}
		}
	}
	refuse(t, Sources{File: write(t, "[stream]\n")}, "stream (", "removed")
	refuse(t, Sources{File: write(t, "[topic]\npath = \"t\"\n")}, "topic.path (", "removed")
	refuse(t, Sources{Environ: []string{"IGGY_PARTITION_PATH=p"}}, "IGGY_PARTITION_PATH", "fixed")
	load(t, Sources{Environ: []string{"IGGY_SYSTEM_PARTITION_PATH=p", "IGGY_TOPIC_NAME=t"}})
}
