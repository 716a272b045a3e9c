package wire

import "strconv"

// Status is the result of a command: 0, or an error code. It travels in the reply header, in a
// result section and in HTTP error bodies. Source: protocol.md, 17.
type Status uint32

// The codes clients know. A client shows a code that it does not know as StatusError.
const (
	StatusOK                                         Status = 0
	StatusError                                      Status = 1
	StatusInvalidConfiguration                       Status = 2
	StatusInvalidCommand                             Status = 3
	StatusInvalidFormat                              Status = 4
	StatusFeatureUnavailable                         Status = 5
	StatusInvalidIdentifier                          Status = 6
	StatusInvalidVersion                             Status = 7
	StatusDisconnected                               Status = 8
	StatusCannotEstablishConnection                  Status = 9
	StatusCannotCreateBaseDirectory                  Status = 10
	StatusCannotCreateRuntimeDirectory               Status = 11
	StatusCannotRemoveRuntimeDirectory               Status = 12
	StatusCannotCreateStateDirectory                 Status = 13
	StatusStateFileNotFound                          Status = 14
	StatusStateFileCorrupted                         Status = 15
	StatusInvalidStateEntryChecksum                  Status = 16
	StatusCannotOpenDatabase                         Status = 19
	StatusResourceNotFound                           Status = 20
	StatusCannotCloseWebSocketConnection             Status = 21
	StatusStaleClient                                Status = 30
	StatusTcpError                                   Status = 31
	StatusQuicError                                  Status = 32
	StatusInvalidServerAddress                       Status = 33
	StatusInvalidClientAddress                       Status = 34
	StatusInvalidIpAddress                           Status = 35
	StatusHttpError                                  Status = 36
	StatusInvalidApiUrl                              Status = 37
	StatusUnauthenticated                            Status = 40
	StatusUnauthorized                               Status = 41
	StatusInvalidCredentials                         Status = 42
	StatusInvalidUsername                            Status = 43
	StatusInvalidPassword                            Status = 44
	StatusInvalidUserStatus                          Status = 45
	StatusUserAlreadyExists                          Status = 46
	StatusUserInactive                               Status = 47
	StatusCannotDeleteUser                           Status = 48
	StatusCannotChangePermissions                    Status = 49
	StatusInvalidPersonalAccessTokenName             Status = 50
	StatusPersonalAccessTokenAlreadyExists           Status = 51
	StatusPersonalAccessTokensLimitReached           Status = 52
	StatusInvalidPersonalAccessToken                 Status = 53
	StatusPersonalAccessTokenExpired                 Status = 54
	StatusUsersLimitReached                          Status = 55
	StatusInvalidPersonalAccessTokenExpiry           Status = 56
	StatusTransientNotCommitted                      Status = 57
	StatusTransientNotAccepted                       Status = 58
	StatusRequestAlreadyApplied                      Status = 59
	StatusNotConnected                               Status = 61
	StatusClientShutdown                             Status = 63
	StatusInvalidTlsDomain                           Status = 64
	StatusInvalidTlsCertificatePath                  Status = 65
	StatusInvalidTlsCertificate                      Status = 66
	StatusFailedToAddCertificate                     Status = 67
	StatusInvalidEncryptionKey                       Status = 70
	StatusCannotEncryptData                          Status = 71
	StatusCannotDecryptData                          Status = 72
	StatusInvalidJwtAlgorithm                        Status = 73
	StatusInvalidJwtSecret                           Status = 74
	StatusJwtMissing                                 Status = 75
	StatusCannotGenerateJwt                          Status = 76
	StatusAccessTokenMissing                         Status = 77
	StatusInvalidAccessToken                         Status = 78
	StatusCannotFetchJwks                            Status = 79
	StatusInvalidSizeBytes                           Status = 80
	StatusInvalidUtf8                                Status = 81
	StatusInvalidNumberEncoding                      Status = 82
	StatusInvalidBooleanValue                        Status = 83
	StatusInvalidNumberValue                         Status = 84
	StatusClientNotFound                             Status = 100
	StatusInvalidClientId                            Status = 101
	StatusConnectionClosed                           Status = 206
	StatusCannotParseHeaderKind                      Status = 209
	StatusHttpResponseError                          Status = 300
	StatusInvalidHttpRequest                         Status = 301
	StatusInvalidJsonResponse                        Status = 302
	StatusInvalidBytesResponse                       Status = 303
	StatusEmptyResponse                              Status = 304
	StatusCannotCreateEndpoint                       Status = 305
	StatusCannotParseUrl                             Status = 306
	StatusWebSocketError                             Status = 400
	StatusWebSocketConnectionError                   Status = 401
	StatusWebSocketCloseError                        Status = 402
	StatusWebSocketReceiveError                      Status = 403
	StatusWebSocketSendError                         Status = 404
	StatusCannotCreateStreamsDirectory               Status = 1000
	StatusCannotCreateStreamDirectory                Status = 1001
	StatusCannotCreateStreamInfo                     Status = 1002
	StatusCannotUpdateStreamInfo                     Status = 1003
	StatusCannotOpenStreamInfo                       Status = 1004
	StatusCannotReadStreamInfo                       Status = 1005
	StatusCannotCreateStream                         Status = 1006
	StatusCannotDeleteStream                         Status = 1007
	StatusCannotDeleteStreamDirectory                Status = 1008
	StatusStreamIdNotFound                           Status = 1009
	StatusStreamNameNotFound                         Status = 1010
	StatusStreamDirectoryNotFound                    Status = 1011
	StatusStreamNameAlreadyExists                    Status = 1012
	StatusInvalidStreamName                          Status = 1013
	StatusInvalidStreamId                            Status = 1014
	StatusCannotReadStreams                          Status = 1015
	StatusInvalidTopicSize                           Status = 1019
	StatusTooManyStreams                             Status = 1020
	StatusCannotCreateTopicsDirectory                Status = 2000
	StatusCannotCreateTopicDirectory                 Status = 2001
	StatusCannotCreateTopicInfo                      Status = 2002
	StatusCannotUpdateTopicInfo                      Status = 2003
	StatusCannotOpenTopicInfo                        Status = 2004
	StatusCannotReadTopicInfo                        Status = 2005
	StatusCannotCreateTopic                          Status = 2006
	StatusCannotDeleteTopic                          Status = 2007
	StatusCannotDeleteTopicDirectory                 Status = 2008
	StatusCannotPollTopic                            Status = 2009
	StatusTopicIdNotFound                            Status = 2010
	StatusTopicNameNotFound                          Status = 2011
	StatusTopicNameAlreadyExists                     Status = 2013
	StatusInvalidTopicName                           Status = 2014
	StatusTooManyPartitions                          Status = 2015
	StatusInvalidTopicId                             Status = 2016
	StatusCannotReadTopics                           Status = 2017
	StatusInvalidReplicationFactor                   Status = 2018
	StatusInvalidPartitionsCount                     Status = 2019
	StatusTopicDirectoryNotFound                     Status = 2020
	StatusTooManyTopics                              Status = 2021
	StatusCannotCreatePartition                      Status = 3000
	StatusCannotCreatePartitionsDirectory            Status = 3001
	StatusCannotCreatePartitionDirectory             Status = 3002
	StatusCannotOpenPartitionLogFile                 Status = 3003
	StatusCannotReadPartitions                       Status = 3004
	StatusCannotDeletePartition                      Status = 3005
	StatusCannotDeletePartitionDirectory             Status = 3006
	StatusPartitionNotFound                          Status = 3007
	StatusNoPartitions                               Status = 3008
	StatusTopicFull                                  Status = 3009
	StatusCannotDeleteConsumerOffsetsDirectory       Status = 3010
	StatusCannotDeleteConsumerOffsetFile             Status = 3011
	StatusCannotCreateConsumerOffsetsDirectory       Status = 3012
	StatusPartitionIdSpaceExhausted                  Status = 3013
	StatusCannotReadConsumerOffsets                  Status = 3020
	StatusConsumerOffsetNotFound                     Status = 3021
	StatusNotResolvedConsumer                        Status = 3022
	StatusCannotOpenConsumerOffsetsFile              Status = 3023
	StatusTooManyConsumerOffsets                     Status = 3024
	StatusSegmentNotFound                            Status = 4000
	StatusSegmentClosed                              Status = 4001
	StatusInvalidSegmentSize                         Status = 4002
	StatusCannotCreateSegmentLogFile                 Status = 4003
	StatusCannotCreateSegmentIndexFile               Status = 4004
	StatusCannotCreateSegmentTimeIndexFile           Status = 4005
	StatusCannotSaveMessagesToSegment                Status = 4006
	StatusCannotSaveIndexToSegment                   Status = 4007
	StatusCannotSaveTimeIndexToSegment               Status = 4008
	StatusInvalidMessagesCount                       Status = 4009
	StatusCannotAppendMessage                        Status = 4010
	StatusCannotReadMessage                          Status = 4011
	StatusCannotReadMessageId                        Status = 4012
	StatusCannotReadMessageState                     Status = 4013
	StatusCannotReadMessageTimestamp                 Status = 4014
	StatusCannotReadHeadersLength                    Status = 4015
	StatusCannotReadHeadersPayload                   Status = 4016
	StatusTooBigUserHeaders                          Status = 4017
	StatusInvalidHeaderKey                           Status = 4018
	StatusInvalidHeaderValue                         Status = 4019
	StatusCannotReadMessageLength                    Status = 4020
	StatusCannotReadMessagePayload                   Status = 4021
	StatusTooBigMessagePayload                       Status = 4022
	StatusTooManyMessages                            Status = 4023
	StatusEmptyMessagePayload                        Status = 4024
	StatusInvalidMessagePayloadLength                Status = 4025
	StatusCannotReadMessageChecksum                  Status = 4026
	StatusInvalidMessageChecksum                     Status = 4027
	StatusInvalidKeyValueLength                      Status = 4028
	StatusCommandLengthError                         Status = 4029
	StatusInvalidSegmentsCount                       Status = 4030
	StatusNonZeroOffset                              Status = 4031
	StatusNonZeroTimestamp                           Status = 4032
	StatusMissingIndex                               Status = 4033
	StatusInvalidIndexesByteSize                     Status = 4034
	StatusInvalidIndexesCount                        Status = 4035
	StatusInvalidMessagesSize                        Status = 4036
	StatusTooSmallMessage                            Status = 4037
	StatusInvalidMessageTimestampDelta               Status = 4038
	StatusInvalidBatchChecksum                       Status = 4039
	StatusInvalidHeaderKind                          Status = 4040
	StatusUnsupportedOptionKey                       Status = 4041
	StatusInvalidOptionValue                         Status = 4042
	StatusOptionsBlockTooLarge                       Status = 4043
	StatusCannotSendMessagesDueToClientDisconnection Status = 4050
	StatusBackgroundSendError                        Status = 4051
	StatusBackgroundSendTimeout                      Status = 4052
	StatusBackgroundSendBufferFull                   Status = 4053
	StatusBackgroundWorkerDisconnected               Status = 4054
	StatusBackgroundSendBufferOverflow               Status = 4055
	StatusProducerSendFailed                         Status = 4056
	StatusProducerClosed                             Status = 4057
	StatusInvalidOffset                              Status = 4100
	StatusInvalidReservedField                       Status = 4101
	StatusSegmentSizeMismatchAtOpen                  Status = 4102
	StatusConsumerGroupIdNotFound                    Status = 5000
	StatusInvalidConsumerGroupId                     Status = 5002
	StatusConsumerGroupNameNotFound                  Status = 5003
	StatusConsumerGroupNameAlreadyExists             Status = 5004
	StatusInvalidConsumerGroupName                   Status = 5005
	StatusConsumerGroupMemberNotFound                Status = 5006
	StatusCannotCreateConsumerGroupInfo              Status = 5007
	StatusCannotDeleteConsumerGroupInfo              Status = 5008
	StatusConsumerGroupPartitionNotOwned             Status = 5009
	StatusMissingBaseOffsetRetainedMessageBatch      Status = 6000
	StatusMissingLastOffsetDeltaRetainedMessageBatch Status = 6001
	StatusMissingMaxTimestampRetainedMessageBatch    Status = 6002
	StatusMissingLengthRetainedMessageBatch          Status = 6003
	StatusMissingPayloadRetainedMessageBatch         Status = 6004
	StatusCannotReadBatchBaseOffset                  Status = 7000
	StatusCannotReadBatchLength                      Status = 7001
	StatusCannotReadLastOffsetDelta                  Status = 7002
	StatusCannotReadMaxTimestamp                     Status = 7003
	StatusCannotReadBatchPayload                     Status = 7004
	StatusInvalidConnectionString                    Status = 8000
	StatusSnapshotFileCompletionFailed               Status = 9000
	StatusCannotSerializeResource                    Status = 10000
	StatusCannotDeserializeResource                  Status = 10001
	StatusCannotReadFile                             Status = 10002
	StatusCannotReadFileMetadata                     Status = 10003
	StatusCannotSeekFile                             Status = 10004
	StatusCannotAppendToFile                         Status = 10005
	StatusCannotWriteToFile                          Status = 10006
	StatusCannotOverwriteFile                        Status = 10007
	StatusCannotDeleteFile                           Status = 10008
	StatusCannotSyncFile                             Status = 10009
	StatusCannotReadIndexOffset                      Status = 10010
	StatusCannotReadIndexPosition                    Status = 10011
	StatusCannotReadIndexTimestamp                   Status = 10012
	StatusTimestampOutOfRange                        Status = 10013
	StatusShardNotFound                              Status = 11000
	StatusShardCommunicationError                    Status = 11001
	StatusCannotBindToSocket                         Status = 12000
	StatusTaskTimeout                                Status = 12001
	StatusIoError                                    Status = 13000
	StatusAlreadyAuthenticated                       Status = 14000
	StatusInvalidSession                             Status = 14001
	StatusIncompatibleProtocolVersion                Status = 14003
)

// String returns the name HTTP error bodies carry, snake_case, and "status_N" for a code without a name.
func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	return "status_" + strconv.FormatUint(uint64(s), 10)
}

var statusNames = map[Status]string{
	StatusOK:                                         "ok",
	StatusError:                                      "error",
	StatusInvalidConfiguration:                       "invalid_configuration",
	StatusInvalidCommand:                             "invalid_command",
	StatusInvalidFormat:                              "invalid_format",
	StatusFeatureUnavailable:                         "feature_unavailable",
	StatusInvalidIdentifier:                          "invalid_identifier",
	StatusInvalidVersion:                             "invalid_version",
	StatusDisconnected:                               "disconnected",
	StatusCannotEstablishConnection:                  "cannot_establish_connection",
	StatusCannotCreateBaseDirectory:                  "cannot_create_base_directory",
	StatusCannotCreateRuntimeDirectory:               "cannot_create_runtime_directory",
	StatusCannotRemoveRuntimeDirectory:               "cannot_remove_runtime_directory",
	StatusCannotCreateStateDirectory:                 "cannot_create_state_directory",
	StatusStateFileNotFound:                          "state_file_not_found",
	StatusStateFileCorrupted:                         "state_file_corrupted",
	StatusInvalidStateEntryChecksum:                  "invalid_state_entry_checksum",
	StatusCannotOpenDatabase:                         "cannot_open_database",
	StatusResourceNotFound:                           "resource_not_found",
	StatusCannotCloseWebSocketConnection:             "cannot_close_web_socket_connection",
	StatusStaleClient:                                "stale_client",
	StatusTcpError:                                   "tcp_error",
	StatusQuicError:                                  "quic_error",
	StatusInvalidServerAddress:                       "invalid_server_address",
	StatusInvalidClientAddress:                       "invalid_client_address",
	StatusInvalidIpAddress:                           "invalid_ip_address",
	StatusHttpError:                                  "http_error",
	StatusInvalidApiUrl:                              "invalid_api_url",
	StatusUnauthenticated:                            "unauthenticated",
	StatusUnauthorized:                               "unauthorized",
	StatusInvalidCredentials:                         "invalid_credentials",
	StatusInvalidUsername:                            "invalid_username",
	StatusInvalidPassword:                            "invalid_password",
	StatusInvalidUserStatus:                          "invalid_user_status",
	StatusUserAlreadyExists:                          "user_already_exists",
	StatusUserInactive:                               "user_inactive",
	StatusCannotDeleteUser:                           "cannot_delete_user",
	StatusCannotChangePermissions:                    "cannot_change_permissions",
	StatusInvalidPersonalAccessTokenName:             "invalid_personal_access_token_name",
	StatusPersonalAccessTokenAlreadyExists:           "personal_access_token_already_exists",
	StatusPersonalAccessTokensLimitReached:           "personal_access_tokens_limit_reached",
	StatusInvalidPersonalAccessToken:                 "invalid_personal_access_token",
	StatusPersonalAccessTokenExpired:                 "personal_access_token_expired",
	StatusUsersLimitReached:                          "users_limit_reached",
	StatusInvalidPersonalAccessTokenExpiry:           "invalid_personal_access_token_expiry",
	StatusTransientNotCommitted:                      "transient_not_committed",
	StatusTransientNotAccepted:                       "transient_not_accepted",
	StatusRequestAlreadyApplied:                      "request_already_applied",
	StatusNotConnected:                               "not_connected",
	StatusClientShutdown:                             "client_shutdown",
	StatusInvalidTlsDomain:                           "invalid_tls_domain",
	StatusInvalidTlsCertificatePath:                  "invalid_tls_certificate_path",
	StatusInvalidTlsCertificate:                      "invalid_tls_certificate",
	StatusFailedToAddCertificate:                     "failed_to_add_certificate",
	StatusInvalidEncryptionKey:                       "invalid_encryption_key",
	StatusCannotEncryptData:                          "cannot_encrypt_data",
	StatusCannotDecryptData:                          "cannot_decrypt_data",
	StatusInvalidJwtAlgorithm:                        "invalid_jwt_algorithm",
	StatusInvalidJwtSecret:                           "invalid_jwt_secret",
	StatusJwtMissing:                                 "jwt_missing",
	StatusCannotGenerateJwt:                          "cannot_generate_jwt",
	StatusAccessTokenMissing:                         "access_token_missing",
	StatusInvalidAccessToken:                         "invalid_access_token",
	StatusCannotFetchJwks:                            "cannot_fetch_jwks",
	StatusInvalidSizeBytes:                           "invalid_size_bytes",
	StatusInvalidUtf8:                                "invalid_utf8",
	StatusInvalidNumberEncoding:                      "invalid_number_encoding",
	StatusInvalidBooleanValue:                        "invalid_boolean_value",
	StatusInvalidNumberValue:                         "invalid_number_value",
	StatusClientNotFound:                             "client_not_found",
	StatusInvalidClientId:                            "invalid_client_id",
	StatusConnectionClosed:                           "connection_closed",
	StatusCannotParseHeaderKind:                      "cannot_parse_header_kind",
	StatusHttpResponseError:                          "http_response_error",
	StatusInvalidHttpRequest:                         "invalid_http_request",
	StatusInvalidJsonResponse:                        "invalid_json_response",
	StatusInvalidBytesResponse:                       "invalid_bytes_response",
	StatusEmptyResponse:                              "empty_response",
	StatusCannotCreateEndpoint:                       "cannot_create_endpoint",
	StatusCannotParseUrl:                             "cannot_parse_url",
	StatusWebSocketError:                             "web_socket_error",
	StatusWebSocketConnectionError:                   "web_socket_connection_error",
	StatusWebSocketCloseError:                        "web_socket_close_error",
	StatusWebSocketReceiveError:                      "web_socket_receive_error",
	StatusWebSocketSendError:                         "web_socket_send_error",
	StatusCannotCreateStreamsDirectory:               "cannot_create_streams_directory",
	StatusCannotCreateStreamDirectory:                "cannot_create_stream_directory",
	StatusCannotCreateStreamInfo:                     "cannot_create_stream_info",
	StatusCannotUpdateStreamInfo:                     "cannot_update_stream_info",
	StatusCannotOpenStreamInfo:                       "cannot_open_stream_info",
	StatusCannotReadStreamInfo:                       "cannot_read_stream_info",
	StatusCannotCreateStream:                         "cannot_create_stream",
	StatusCannotDeleteStream:                         "cannot_delete_stream",
	StatusCannotDeleteStreamDirectory:                "cannot_delete_stream_directory",
	StatusStreamIdNotFound:                           "stream_id_not_found",
	StatusStreamNameNotFound:                         "stream_name_not_found",
	StatusStreamDirectoryNotFound:                    "stream_directory_not_found",
	StatusStreamNameAlreadyExists:                    "stream_name_already_exists",
	StatusInvalidStreamName:                          "invalid_stream_name",
	StatusInvalidStreamId:                            "invalid_stream_id",
	StatusCannotReadStreams:                          "cannot_read_streams",
	StatusInvalidTopicSize:                           "invalid_topic_size",
	StatusTooManyStreams:                             "too_many_streams",
	StatusCannotCreateTopicsDirectory:                "cannot_create_topics_directory",
	StatusCannotCreateTopicDirectory:                 "cannot_create_topic_directory",
	StatusCannotCreateTopicInfo:                      "cannot_create_topic_info",
	StatusCannotUpdateTopicInfo:                      "cannot_update_topic_info",
	StatusCannotOpenTopicInfo:                        "cannot_open_topic_info",
	StatusCannotReadTopicInfo:                        "cannot_read_topic_info",
	StatusCannotCreateTopic:                          "cannot_create_topic",
	StatusCannotDeleteTopic:                          "cannot_delete_topic",
	StatusCannotDeleteTopicDirectory:                 "cannot_delete_topic_directory",
	StatusCannotPollTopic:                            "cannot_poll_topic",
	StatusTopicIdNotFound:                            "topic_id_not_found",
	StatusTopicNameNotFound:                          "topic_name_not_found",
	StatusTopicNameAlreadyExists:                     "topic_name_already_exists",
	StatusInvalidTopicName:                           "invalid_topic_name",
	StatusTooManyPartitions:                          "too_many_partitions",
	StatusInvalidTopicId:                             "invalid_topic_id",
	StatusCannotReadTopics:                           "cannot_read_topics",
	StatusInvalidReplicationFactor:                   "invalid_replication_factor",
	StatusInvalidPartitionsCount:                     "invalid_partitions_count",
	StatusTopicDirectoryNotFound:                     "topic_directory_not_found",
	StatusTooManyTopics:                              "too_many_topics",
	StatusCannotCreatePartition:                      "cannot_create_partition",
	StatusCannotCreatePartitionsDirectory:            "cannot_create_partitions_directory",
	StatusCannotCreatePartitionDirectory:             "cannot_create_partition_directory",
	StatusCannotOpenPartitionLogFile:                 "cannot_open_partition_log_file",
	StatusCannotReadPartitions:                       "cannot_read_partitions",
	StatusCannotDeletePartition:                      "cannot_delete_partition",
	StatusCannotDeletePartitionDirectory:             "cannot_delete_partition_directory",
	StatusPartitionNotFound:                          "partition_not_found",
	StatusNoPartitions:                               "no_partitions",
	StatusTopicFull:                                  "topic_full",
	StatusCannotDeleteConsumerOffsetsDirectory:       "cannot_delete_consumer_offsets_directory",
	StatusCannotDeleteConsumerOffsetFile:             "cannot_delete_consumer_offset_file",
	StatusCannotCreateConsumerOffsetsDirectory:       "cannot_create_consumer_offsets_directory",
	StatusPartitionIdSpaceExhausted:                  "partition_id_space_exhausted",
	StatusCannotReadConsumerOffsets:                  "cannot_read_consumer_offsets",
	StatusConsumerOffsetNotFound:                     "consumer_offset_not_found",
	StatusNotResolvedConsumer:                        "not_resolved_consumer",
	StatusCannotOpenConsumerOffsetsFile:              "cannot_open_consumer_offsets_file",
	StatusTooManyConsumerOffsets:                     "too_many_consumer_offsets",
	StatusSegmentNotFound:                            "segment_not_found",
	StatusSegmentClosed:                              "segment_closed",
	StatusInvalidSegmentSize:                         "invalid_segment_size",
	StatusCannotCreateSegmentLogFile:                 "cannot_create_segment_log_file",
	StatusCannotCreateSegmentIndexFile:               "cannot_create_segment_index_file",
	StatusCannotCreateSegmentTimeIndexFile:           "cannot_create_segment_time_index_file",
	StatusCannotSaveMessagesToSegment:                "cannot_save_messages_to_segment",
	StatusCannotSaveIndexToSegment:                   "cannot_save_index_to_segment",
	StatusCannotSaveTimeIndexToSegment:               "cannot_save_time_index_to_segment",
	StatusInvalidMessagesCount:                       "invalid_messages_count",
	StatusCannotAppendMessage:                        "cannot_append_message",
	StatusCannotReadMessage:                          "cannot_read_message",
	StatusCannotReadMessageId:                        "cannot_read_message_id",
	StatusCannotReadMessageState:                     "cannot_read_message_state",
	StatusCannotReadMessageTimestamp:                 "cannot_read_message_timestamp",
	StatusCannotReadHeadersLength:                    "cannot_read_headers_length",
	StatusCannotReadHeadersPayload:                   "cannot_read_headers_payload",
	StatusTooBigUserHeaders:                          "too_big_user_headers",
	StatusInvalidHeaderKey:                           "invalid_header_key",
	StatusInvalidHeaderValue:                         "invalid_header_value",
	StatusCannotReadMessageLength:                    "cannot_read_message_length",
	StatusCannotReadMessagePayload:                   "cannot_read_message_payload",
	StatusTooBigMessagePayload:                       "too_big_message_payload",
	StatusTooManyMessages:                            "too_many_messages",
	StatusEmptyMessagePayload:                        "empty_message_payload",
	StatusInvalidMessagePayloadLength:                "invalid_message_payload_length",
	StatusCannotReadMessageChecksum:                  "cannot_read_message_checksum",
	StatusInvalidMessageChecksum:                     "invalid_message_checksum",
	StatusInvalidKeyValueLength:                      "invalid_key_value_length",
	StatusCommandLengthError:                         "command_length_error",
	StatusInvalidSegmentsCount:                       "invalid_segments_count",
	StatusNonZeroOffset:                              "non_zero_offset",
	StatusNonZeroTimestamp:                           "non_zero_timestamp",
	StatusMissingIndex:                               "missing_index",
	StatusInvalidIndexesByteSize:                     "invalid_indexes_byte_size",
	StatusInvalidIndexesCount:                        "invalid_indexes_count",
	StatusInvalidMessagesSize:                        "invalid_messages_size",
	StatusTooSmallMessage:                            "too_small_message",
	StatusInvalidMessageTimestampDelta:               "invalid_message_timestamp_delta",
	StatusInvalidBatchChecksum:                       "invalid_batch_checksum",
	StatusInvalidHeaderKind:                          "invalid_header_kind",
	StatusUnsupportedOptionKey:                       "unsupported_option_key",
	StatusInvalidOptionValue:                         "invalid_option_value",
	StatusOptionsBlockTooLarge:                       "options_block_too_large",
	StatusCannotSendMessagesDueToClientDisconnection: "cannot_send_messages_due_to_client_disconnection",
	StatusBackgroundSendError:                        "background_send_error",
	StatusBackgroundSendTimeout:                      "background_send_timeout",
	StatusBackgroundSendBufferFull:                   "background_send_buffer_full",
	StatusBackgroundWorkerDisconnected:               "background_worker_disconnected",
	StatusBackgroundSendBufferOverflow:               "background_send_buffer_overflow",
	StatusProducerSendFailed:                         "producer_send_failed",
	StatusProducerClosed:                             "producer_closed",
	StatusInvalidOffset:                              "invalid_offset",
	StatusInvalidReservedField:                       "invalid_reserved_field",
	StatusSegmentSizeMismatchAtOpen:                  "segment_size_mismatch_at_open",
	StatusConsumerGroupIdNotFound:                    "consumer_group_id_not_found",
	StatusInvalidConsumerGroupId:                     "invalid_consumer_group_id",
	StatusConsumerGroupNameNotFound:                  "consumer_group_name_not_found",
	StatusConsumerGroupNameAlreadyExists:             "consumer_group_name_already_exists",
	StatusInvalidConsumerGroupName:                   "invalid_consumer_group_name",
	StatusConsumerGroupMemberNotFound:                "consumer_group_member_not_found",
	StatusCannotCreateConsumerGroupInfo:              "cannot_create_consumer_group_info",
	StatusCannotDeleteConsumerGroupInfo:              "cannot_delete_consumer_group_info",
	StatusConsumerGroupPartitionNotOwned:             "consumer_group_partition_not_owned",
	StatusMissingBaseOffsetRetainedMessageBatch:      "missing_base_offset_retained_message_batch",
	StatusMissingLastOffsetDeltaRetainedMessageBatch: "missing_last_offset_delta_retained_message_batch",
	StatusMissingMaxTimestampRetainedMessageBatch:    "missing_max_timestamp_retained_message_batch",
	StatusMissingLengthRetainedMessageBatch:          "missing_length_retained_message_batch",
	StatusMissingPayloadRetainedMessageBatch:         "missing_payload_retained_message_batch",
	StatusCannotReadBatchBaseOffset:                  "cannot_read_batch_base_offset",
	StatusCannotReadBatchLength:                      "cannot_read_batch_length",
	StatusCannotReadLastOffsetDelta:                  "cannot_read_last_offset_delta",
	StatusCannotReadMaxTimestamp:                     "cannot_read_max_timestamp",
	StatusCannotReadBatchPayload:                     "cannot_read_batch_payload",
	StatusInvalidConnectionString:                    "invalid_connection_string",
	StatusSnapshotFileCompletionFailed:               "snapshot_file_completion_failed",
	StatusCannotSerializeResource:                    "cannot_serialize_resource",
	StatusCannotDeserializeResource:                  "cannot_deserialize_resource",
	StatusCannotReadFile:                             "cannot_read_file",
	StatusCannotReadFileMetadata:                     "cannot_read_file_metadata",
	StatusCannotSeekFile:                             "cannot_seek_file",
	StatusCannotAppendToFile:                         "cannot_append_to_file",
	StatusCannotWriteToFile:                          "cannot_write_to_file",
	StatusCannotOverwriteFile:                        "cannot_overwrite_file",
	StatusCannotDeleteFile:                           "cannot_delete_file",
	StatusCannotSyncFile:                             "cannot_sync_file",
	StatusCannotReadIndexOffset:                      "cannot_read_index_offset",
	StatusCannotReadIndexPosition:                    "cannot_read_index_position",
	StatusCannotReadIndexTimestamp:                   "cannot_read_index_timestamp",
	StatusTimestampOutOfRange:                        "timestamp_out_of_range",
	StatusShardNotFound:                              "shard_not_found",
	StatusShardCommunicationError:                    "shard_communication_error",
	StatusCannotBindToSocket:                         "cannot_bind_to_socket",
	StatusTaskTimeout:                                "task_timeout",
	StatusIoError:                                    "io_error",
	StatusAlreadyAuthenticated:                       "already_authenticated",
	StatusInvalidSession:                             "invalid_session",
	StatusIncompatibleProtocolVersion:                "incompatible_protocol_version",
}
