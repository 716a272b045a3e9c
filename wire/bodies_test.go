package wire

import (
	"bytes"
	"testing"
)

// bodyCodec is one body layout: a sample in canonical form, and decoding followed by appending.
type bodyCodec struct {
	name    string
	sample  []byte
	recode  func([]byte) ([]byte, bool) // false when refused
	partial bool                        // some proper prefixes of the sample are good too
}

// request wraps the codec of a request body.
func request[T any](name string, v T, decode func([]byte) (T, Status), appendTo func([]byte, T) []byte) bodyCodec {
	return bodyCodec{name: name, sample: appendTo(nil, v), recode: func(b []byte) ([]byte, bool) {
		got, status := decode(b)
		if status != StatusOK {
			return nil, false
		}
		return appendTo(nil, got), true
	}}
}

// answer wraps the codec of what a server sends.
func answer[T any](name string, v T, decode func([]byte) (T, error), appendTo func([]byte, T) []byte) bodyCodec {
	return bodyCodec{name: name, sample: appendTo(nil, v), recode: func(b []byte) ([]byte, bool) {
		got, err := decode(b)
		if err != nil {
			return nil, false
		}
		return appendTo(nil, got), true
	}}
}

// list is an append function for many out of that for one.
func list[T any](appendOne func([]byte, T) []byte) func([]byte, []T) []byte {
	return func(dst []byte, all []T) []byte {
		for _, v := range all {
			dst = appendOne(dst, v)
		}
		return dst
	}
}

func partial(c bodyCodec) bodyCodec {
	c.partial = true
	return c
}

// bodyCodecs lists every body of protocol.md, 7 and 8.
func bodyCodecs(t testing.TB) []bodyCodec {
	stream, topic, group := IdentNamed([]byte("orders")), IdentOf(7), IdentNamed([]byte("g"))
	permissions := AppendPermissions(nil, samplePermissions())
	defaults := DefaultTopicOptions()
	options := AppendPair(nil, StringValue([]byte("durability")), StringValue([]byte("persisted")))
	key := OffsetKey{Consumer: Consumer{ConsumerGroup, group}, Stream: stream, Topic: topic, Partition: OptionalPartition{true, 3}}
	topicObject := Topic{
		ID: 1, CreatedAt: 2, PartitionsCount: 2, MessageExpiryMicros: Never, Compression: CompressionGzip,
		MaxTopicSize: Unlimited, Size: 3, MessagesCount: 4, Name: []byte("events"),
		ExplicitOptions: options, DerivedOptions: defaults.AppendDerived(nil),
	}
	emptyTopic := Topic{ID: 2, Name: []byte("t")}
	partition := Partition{ID: 1, CreatedAt: 2, SegmentsCount: 3, CurrentOffset: 4, Size: 5, MessagesCount: 6}
	streamObject := Stream{ID: 1, CreatedAt: 2, TopicsCount: 2, Size: 3, MessagesCount: 4, Name: []byte("orders")}
	groupObject := Group{ID: 1, PartitionsCount: 3, MembersCount: 2, Name: []byte("g")}
	user := User{ID: 1, CreatedAt: 2, Status: UserInactive, Username: []byte("anna")}
	client := Client{ID: 1, UserID: NoUser, Transport: TransportTCP, Address: []byte("127.0.0.1:4000"), GroupsCount: 1}
	node := ClusterNode{Name: SingleNodeName, IP: "::1", TCP: 8090, Status: NodeUnknown}

	return []bodyCodec{
		request("send_messages", SendMessages{stream, topic, Partitioning{Kind: PartitionKeyed, Key: []byte("k")}, 2, vectorBatch(t)},
			DecodeSendMessages, AppendSendMessages),
		request("send_messages balanced", SendMessages{topic, stream, Partitioning{Kind: PartitionBalanced}, 0, nil},
			DecodeSendMessages, AppendSendMessages),
		request("send_messages numbered", SendMessages{topic, stream, Partitioning{Kind: PartitionNumbered, ID: 9}, 1, nil},
			DecodeSendMessages, AppendSendMessages),
		request("poll_messages", PollMessages{key.Consumer, stream, topic, key.Partition, Strategy{PollNext, 5}, 10, true},
			DecodePollMessages, AppendPollMessages),
		request("register", Register{ProtocolVersion, []byte("go-sdk"), []byte("0.9.0"), []byte("\x03abc\x00\x00\x00\x00")},
			DecodeRegister, AppendRegister),
		request("get_snapshot", GetSnapshot{SnapshotZstd, []byte{1, 6, 100}}, DecodeGetSnapshot, AppendGetSnapshot),
		request("describe_options", ScopeUser, DecodeDescribeOptions, AppendDescribeOptions),
		request("attach_consumer_session", ConsumerSession{U128{1, 2}, 3, 4}, DecodeConsumerSession, AppendConsumerSession),
		request("get_client", 7, DecodeGetClient, AppendGetClient),
		request("create_stream", CreateStream{[]byte("orders")}, DecodeCreateStream, AppendCreateStream),
		request("update_stream", UpdateStream{stream, []byte("orders2")}, DecodeUpdateStream, AppendUpdateStream),
		request("stream_ref", stream, DecodeStreamRef, AppendIdent),
		request("create_topic", CreateTopic{stream, 3, []byte("events"), options}, DecodeCreateTopic, AppendCreateTopic),
		request("update_topic", UpdateTopic{stream, topic, []byte("events"), options}, DecodeUpdateTopic, AppendUpdateTopic),
		request("topic_ref", TopicRef{stream, topic}, DecodeTopicRef, AppendTopicRef),
		request("change_partitions", ChangePartitions{stream, topic, 1000}, DecodeChangePartitions, AppendChangePartitions),
		request("delete_segments", DeleteSegments{stream, topic, 1, 2}, DecodeDeleteSegments, AppendDeleteSegments),
		request("offset_key", key, DecodeOffsetKey, AppendOffsetKey),
		request("store_consumer_offset", StoreConsumerOffset{key, 42, AckQuorum}, DecodeStoreConsumerOffset, AppendStoreConsumerOffset),
		request("delete_consumer_offset", DeleteConsumerOffset{key, AckNone}, DecodeDeleteConsumerOffset, AppendDeleteConsumerOffset),
		request("create_consumer_group", CreateConsumerGroup{stream, topic, []byte("g")}, DecodeCreateConsumerGroup, AppendCreateConsumerGroup),
		request("group_ref", GroupRef{stream, topic, group}, DecodeGroupRef, AppendGroupRef),
		request("create_user", CreateUser{[]byte("anna"), []byte("secret"), UserInactive, permissions}, DecodeCreateUser, AppendCreateUser),
		request("create_user plain", CreateUser{[]byte("anna"), nil, UserActive, nil}, DecodeCreateUser, AppendCreateUser),
		request("update_user", UpdateUser{stream, []byte("anna"), true, UserActive}, DecodeUpdateUser, AppendUpdateUser),
		request("update_user nothing", UpdateUser{User: topic}, DecodeUpdateUser, AppendUpdateUser),
		request("user_ref", topic, DecodeUserRef, AppendIdent),
		request("update_permissions", UpdatePermissions{topic, permissions}, DecodeUpdatePermissions, AppendUpdatePermissions),
		request("clear_permissions", UpdatePermissions{topic, nil}, DecodeUpdatePermissions, AppendUpdatePermissions),
		request("change_password", ChangePassword{topic, []byte("old"), []byte("new")}, DecodeChangePassword, AppendChangePassword),
		request("create_token", CreatePersonalAccessToken{[]byte("ci"), 1800}, DecodeCreatePersonalAccessToken, AppendCreatePersonalAccessToken),
		request("delete_token", []byte("ci"), DecodeDeletePersonalAccessToken, AppendDeletePersonalAccessToken),

		answer("registered", Registered{1, 2, ProtocolVersion, []byte("0.9.0")}, DecodeRegistered, AppendRegistered),
		answer("send_reply", SendConfirmation{1, 2, 3, 4}, DecodeSendReply, AppendSendReply),
		answer("stored_offset", StoredOffset{1, 2, 3}, DecodeStoredOffset, AppendStoredOffset),
		partial(answer("streams", []Stream{streamObject, {ID: 9, Name: []byte("s")}}, DecodeStreams, list(AppendStream))),
		answer("stream_details", StreamDetails{streamObject, []Topic{topicObject, emptyTopic}}, DecodeStreamDetails, AppendStreamDetails),
		answer("topics", []Topic{topicObject, emptyTopic}, DecodeTopics, func(dst []byte, all []Topic) []byte {
			return list(AppendTopic)(AppendTopicsCount(dst, uint32(len(all))), all)
		}),
		answer("topic_details", TopicDetails{topicObject, []Partition{partition, {}}}, DecodeTopicDetails, AppendTopicDetails),
		partial(answer("groups", []Group{groupObject, groupObject}, DecodeGroups, list(AppendGroup))),
		answer("group_details", GroupDetails{groupObject, []GroupMember{{1, []uint32{4, 5}}, {2, nil}}}, DecodeGroupDetails, AppendGroupDetails),
		answer("assignment", Assignment{3, []uint32{0, 2}}, DecodeAssignment, AppendAssignment),
		answer("assignment of nothing", Assignment{Generation: 3}, DecodeAssignment, AppendAssignment),
		partial(answer("users", []User{user, user}, DecodeUsers, list(AppendUser))),
		answer("user_details", UserDetails{user, permissions}, DecodeUserDetails, AppendUserDetails),
		answer("user_details without permissions", UserDetails{user, nil}, DecodeUserDetails, AppendUserDetails),
		answer("token", []byte("c2VjcmV0"), DecodeToken, AppendToken),
		partial(answer("tokens", []PersonalAccessToken{{[]byte("ci"), 5}, {[]byte("x"), 0}}, DecodePersonalAccessTokens, list(AppendPersonalAccessToken))),
		partial(answer("clients", []Client{client, client}, DecodeClients, list(AppendClient))),
		answer("client_details", ClientDetails{client, []ClientGroup{{1, 2, 3}}}, DecodeClientDetails, AppendClientDetails),
		answer("stats", Stats{
			ProcessID: 1, CPUUsage: 2.5, TotalCPUUsage: 3.5, MemoryUsage: 4, TotalMemory: 5, AvailableMemory: 6,
			RunTimeMicros: 7, StartTimeMicros: 8, ReadBytes: 9, WrittenBytes: 10, MessagesSizeBytes: 11, StreamsCount: 12,
			TopicsCount: 13, PartitionsCount: 14, SegmentsCount: 15, MessagesCount: 16, ClientsCount: 17,
			ConsumerGroupsCount: 18, Hostname: "h", OSName: "Linux", OSVersion: "1", KernelVersion: "6",
			ServerVersion: "0.9.0", ServerSemver: PackSemver(0, 9, 0), ThreadsCount: 2, FreeDiskSpace: 3, TotalDiskSpace: 4,
		}, DecodeStats, AppendStats),
		answer("cluster_metadata", ClusterMetadata{SingleClusterName, []ClusterNode{node}}, DecodeClusterMetadata, AppendClusterMetadata),
		answer("consumer_route", ConsumerRoute{ConsumerSession{U128{1, 0}, 2, 3}, node}, DecodeConsumerRoute, AppendConsumerRoute),
		answer("permissions", samplePermissions(), DecodePermissions, AppendPermissions),
	}
}

func samplePermissions() Permissions {
	return Permissions{
		Global: GlobalReadServers | GlobalSendMessages,
		Streams: []StreamPermissions{
			{StreamID: 1, Grants: StreamManageStream},
			{StreamID: 4, Grants: StreamSendMessages | StreamPollMessages, Topics: []TopicPermissions{
				{TopicID: 0, Grants: TopicManageTopic}, {TopicID: 2, Grants: TopicSendMessages},
			}},
		},
	}
}

func TestBodiesKeepTheirBytes(t *testing.T) {
	for _, c := range bodyCodecs(t) {
		if got, ok := c.recode(c.sample); !ok || !bytes.Equal(got, c.sample) {
			t.Errorf("%s: got %x (%v), want %x", c.name, got, ok, c.sample)
		}
	}
}

// A body that ends early is refused at every byte. Where a prefix is a body of its own, it is read as just that.
func TestBodiesCutAtEachByte(t *testing.T) {
	for _, c := range bodyCodecs(t) {
		for size := range c.sample {
			got, ok := c.recode(c.sample[:size])
			if !ok {
				continue
			}
			whole := c.partial
			switch c.name {
			case "create_topic", "update_topic": // the options are the tail
				whole = size == len(c.sample)-29
			case "send_messages", "register": // the batch and the credentials are not looked at
				whole = true
			}
			if !whole || !bytes.Equal(got, c.sample[:size]) {
				t.Errorf("%s cut to %d of %d bytes: got %x, want a refusal", c.name, size, len(c.sample), got)
			}
		}
	}
}

// Requests ignore what follows their last field unless they end with an options block.
func TestTrailingBytes(t *testing.T) {
	tail := []byte{1}
	for _, c := range bodyCodecs(t) {
		got, ok := c.recode(append(bytes.Clone(c.sample), tail...))
		switch c.name {
		case "create_stream", "update_stream", "create_topic", "update_topic", "create_user", "create_user plain",
			"update_user", "update_user nothing":
			if ok {
				t.Errorf("%s with a trailing byte: got %x, want a refusal", c.name, got)
			}
		case "poll_messages", "flush", "get_snapshot", "describe_options", "attach_consumer_session", "get_client",
			"stream_ref", "topic_ref", "change_partitions", "delete_segments", "offset_key", "store_consumer_offset",
			"delete_consumer_offset", "create_consumer_group", "group_ref", "user_ref", "update_permissions",
			"clear_permissions", "change_password", "create_token", "delete_token":
			if !ok || !bytes.Equal(got, c.sample) {
				t.Errorf("%s with a trailing byte: got %x (%v), want it ignored", c.name, got, ok)
			}
		}
	}
}

func TestBodyStatuses(t *testing.T) {
	option := AppendPair(nil, StringValue([]byte("k")), StringValue([]byte("v")))
	twice := append(bytes.Clone(option), option...)
	name := []byte("\x03abc")
	id := []byte("\x01\x04\x07\x00\x00\x00")
	var many, long []byte
	for i := range OptionsCountMax + 1 {
		many = AppendPair(many, StringValue([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676)}), StringValue([]byte("v")))
	}
	for len(long) <= OptionsSizeMax {
		long = AppendPair(long, StringValue(bytes.Repeat([]byte("k"), 255)), StringValue(bytes.Repeat([]byte("v"), 255)))
	}
	status := func(_ any, status Status) Status { return status }
	concat := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

	for _, c := range []struct {
		name string
		got  Status
		want Status
	}{
		{"stream with an option", status(DecodeCreateStream(concat(name, option))), StatusUnsupportedOptionKey},
		{"stream with an option twice", status(DecodeCreateStream(concat(name, twice))), StatusInvalidCommand},
		{"stream update with an option", status(DecodeUpdateStream(concat(id, name, option))), StatusUnsupportedOptionKey},
		{"stream without a name", status(DecodeCreateStream([]byte{0})), StatusInvalidCommand},
		{"stream name no UTF-8", status(DecodeCreateStream([]byte{1, 0xff})), StatusInvalidCommand},
		{"stream kind 3", status(DecodeStreamRef([]byte{3, 1, 'a'})), StatusInvalidCommand},
		{"stream id of 3 bytes", status(DecodeStreamRef([]byte{1, 3, 0, 0, 0, 0})), StatusInvalidCommand},
		{"user with an option", status(DecodeCreateUser(concat(name, name, []byte{1, 0}, option))), StatusUnsupportedOptionKey},
		{"user update with an option", status(DecodeUpdateUser(concat(id, []byte{0, 0}, option))), StatusUnsupportedOptionKey},
		{"user update to status 3", status(DecodeUpdateUser(concat(id, []byte{0, 1, 3}))), StatusInvalidCommand},
		{"options too many", status(DecodeCreateTopic(concat(id, make([]byte, 4), name, many))), StatusOptionsBlockTooLarge},
		{"options too long", status(DecodeCreateTopic(concat(id, make([]byte, 4), name, long))), StatusOptionsBlockTooLarge},
		{"option key not a string", status(DecodeCreateTopic(concat(id, make([]byte, 4), name, []byte{1, 1, 0, 0, 0, 'k', 1, 1, 0, 0, 0, 'v'}))), StatusInvalidCommand},
		{"1001 partitions", status(DecodeCreateTopic(concat(id, []byte{0xe9, 3, 0, 0}, name))), StatusTooManyPartitions},
		{"no more partitions", status(DecodeChangePartitions(concat(id, id, make([]byte, 4)))), StatusTooManyPartitions},
		{"1001 more partitions", status(DecodeChangePartitions(concat(id, id, []byte{0xe9, 3, 0, 0}))), StatusTooManyPartitions},
		{"undecodable send", status(DecodeSendMessages(nil)), StatusResourceNotFound},
		{"send with a wrong metadata length", status(DecodeSendMessages(concat([]byte{17, 0, 0, 0}, id, id, []byte{1, 0}, make([]byte, 4)))), StatusResourceNotFound},
		{"send", status(DecodeSendMessages(concat([]byte{18, 0, 0, 0}, id, id, []byte{1, 0}, make([]byte, 4)))), StatusOK},
		{"send balanced with a value", status(DecodeSendMessages(concat([]byte{19, 0, 0, 0}, id, id, []byte{1, 1, 0}, make([]byte, 4)))), StatusResourceNotFound},
		{"poll by consumer kind 3", status(DecodePollMessages(concat([]byte{3}, id, id, id, make([]byte, 5), []byte{1}, make([]byte, 13)))), StatusInvalidCommand},
		{"poll by strategy 6", status(DecodePollMessages(concat([]byte{1}, id, id, id, make([]byte, 5), []byte{6}, make([]byte, 13)))), StatusInvalidCommand},
		{"poll", status(DecodePollMessages(concat([]byte{1}, id, id, id, make([]byte, 5), []byte{1}, make([]byte, 13)))), StatusOK},
		{"offset with ack 2", status(DecodeDeleteConsumerOffset(concat([]byte{1}, id, id, id, make([]byte, 5), []byte{2}))), StatusInvalidCommand},
		{"snapshot of type 7", status(DecodeGetSnapshot([]byte{1, 1, 7})), StatusInvalidCommand},
		{"snapshot packed as 7", status(DecodeGetSnapshot([]byte{7, 1, 1})), StatusInvalidCommand},
		{"options of scope 4", status(DecodeDescribeOptions([]byte{4})), StatusInvalidCommand},
		{"malformed login", status(DecodeRegister([]byte{0})), StatusInvalidFormat},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	if got := CheckOptions(many[:len(many)-14]); got != StatusOK {
		t.Errorf("%d options: got %v, want ok", OptionsCountMax, got)
	}
}

// What clients may send in more than one way is read as one.
func TestLenientBodies(t *testing.T) {
	user, status := DecodeCreateUser([]byte("\x03abc\x00\x09\x00"))
	if status != StatusOK || user.Status != UserActive {
		t.Errorf("user of status 9: got %v, %v, want it active", user.Status, status)
	}
	r := bodyReader{src: []byte{2, 1, 0, 0, 0}}
	if p := r.optionalPartition(); p != (OptionalPartition{}) || r.bad {
		t.Errorf("partition with flag 2: got %+v, want none", p)
	}
	unordered := AppendPermissions(nil, Permissions{Streams: []StreamPermissions{
		{StreamID: 5, Grants: StreamReadStream}, {StreamID: 2}, {StreamID: 5, Grants: StreamManageStream},
	}})
	p, err := DecodePermissions(unordered)
	if err != nil || len(p.Streams) != 2 || p.Streams[0].StreamID != 2 || p.Streams[1].Grants != StreamManageStream {
		t.Errorf("permissions out of order: got %+v, %v", p, err)
	}
}

func TestCredentials(t *testing.T) {
	token := AppendTokenCredentials(nil, TokenCredentials{Token: bytes.Repeat([]byte("x"), 68)})
	if _, ok := DecodePasswordCredentials(token); ok {
		t.Error("a token passes for a password")
	}
	if c, ok := DecodeTokenCredentials(token); !ok || len(c.Token) != 68 {
		t.Errorf("token: got %q, %v", c.Token, ok)
	}
	password := AppendPasswordCredentials(nil, PasswordCredentials{[]byte("iggy"), []byte("iggy"), []byte("ctx")})
	if c, ok := DecodePasswordCredentials(password); !ok || string(c.Username) != "iggy" || string(c.Context) != "ctx" {
		t.Errorf("password: got %+v, %v", c, ok)
	}
	for size := range password {
		if c, ok := DecodePasswordCredentials(password[:size]); ok {
			t.Errorf("password cut to %d bytes: got %+v, want a refusal", size, c)
		}
	}
}

func TestResult(t *testing.T) {
	payload, status, err := DecodeResult(append(AppendResultOK(nil), 'x'))
	if string(payload) != "x" || status != StatusOK || err != nil {
		t.Errorf("success: got %q, %v, %v", payload, status, err)
	}
	rejection := AppendResultError(nil, StatusStreamIdNotFound)
	if payload, status, err = DecodeResult(rejection); len(payload) != 0 || status != StatusStreamIdNotFound || err != nil {
		t.Errorf("rejection: got %q, %v, %v", payload, status, err)
	}
	for size := range rejection {
		if _, _, err := DecodeResult(rejection[:size]); err == nil {
			t.Errorf("rejection cut to %d bytes: got no error", size)
		}
	}
}

func TestOptionCatalog(t *testing.T) {
	entries, err := DecodeOptionCatalog(AppendOptionCatalog(nil, ScopeTopic))
	if err != nil || len(entries) != topicOptionsCount {
		t.Fatalf("got %d entries and %v, want %d", len(entries), err, topicOptionsCount)
	}
	wantKinds := []ValueKind{ValueString, ValueUint64, ValueUint64, ValueUint64, ValueString, ValueString, ValueUint32,
		ValueUint64, ValueBool, ValueBool}
	for i, entry := range entries {
		if string(entry.Key) != TopicOption(i).String() || entry.Default.Kind != wantKinds[i] || !entry.Default.Valid() {
			t.Errorf("entry %d: got %s of kind %d, want %s of kind %d", i, entry.Key, entry.Default.Kind, TopicOption(i), wantKinds[i])
		}
	}
	expectHex(t, "stream catalog", AppendOptionCatalog(nil, ScopeStream), "00000000")
}

func FuzzBodies(f *testing.F) {
	codecs := bodyCodecs(f)
	for i, c := range codecs {
		f.Add(uint8(i), c.sample)
	}
	f.Fuzz(func(t *testing.T, i uint8, body []byte) {
		c := codecs[int(i)%len(codecs)]
		first, ok := c.recode(body)
		if !ok {
			return
		}
		second, ok := c.recode(first)
		if !ok || !bytes.Equal(first, second) {
			t.Errorf("%s: got %x (%v) from its own encoding, want %x", c.name, second, ok, first)
		}
	})
}

func FuzzPairs(f *testing.F) {
	f.Add(unhex(f, vectorHeaders))
	f.Add(AppendPair(nil, TypedValue{ValueBool, []byte{1}}, TypedValue{ValueUint128, make([]byte, 16)}))
	f.Fuzz(func(t *testing.T, block []byte) {
		var again []byte
		it := PairsIn(block)
		keys := map[string]int{}
		strings := true
		for key, value, ok := it.Next(); ok; key, value, ok = it.Next() {
			again = AppendPair(again, key, value)
			keys[string(key.Data)]++
			strings = strings && key.Kind == ValueString && key.Valid()
		}
		if !it.Malformed() && !bytes.Equal(again, block) || !bytes.HasPrefix(block, again) {
			t.Errorf("got %x, want %x", again, block)
		}
		want := StatusOK
		for _, count := range keys {
			if it.Malformed() || !strings || count > 1 {
				want = StatusInvalidCommand
			}
		}
		if it.Malformed() {
			want = StatusInvalidCommand
		}
		if len(block) <= OptionsSizeMax && len(keys) <= OptionsCountMax {
			if got := CheckOptions(block); got != want {
				t.Errorf("options %x: got %v, want %v", block, got, want)
			}
		}
	})
}
