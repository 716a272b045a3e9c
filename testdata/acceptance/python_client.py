"""Talks to a server through the released Python client, as any program of a user would.

    python python_client.py HOST:PORT

The server has an empty data directory and the user iggy with the password iggy. Two times the program asks for a restart,
with a line `restart SIGNAL` on standard output, and waits for a line on standard input that says it is done. It
ends with exit code 0, or with a traceback that says what was expected and what came.
"""

import asyncio
import datetime
import io
import os
import struct
import sys
import zipfile

from apache_iggy import (
    AutoLogin,
    Consumer,
    Durability,
    GlobalPermissions,
    HeaderKey,
    HeaderValue,
    IggyClient,
    IggyExpiry,
    MaxTopicSize,
    Partitioning,
    Permissions,
    PollingStrategy,
    SendMessage,
    StreamPermissions,
    TcpConfig,
    TcpReconnectionConfig,
    TopicPermissions,
    UserStatus,
)

GET_STATS, GET_SNAPSHOT, GET_TOKENS, CREATE_TOKEN, DELETE_TOKEN = 10, 11, 41, 42, 43
SEND, FLUSH, GET_OFFSET, STORE_OFFSET, DELETE_OFFSET = 101, 102, 120, 121, 122
U64_MAX = 2**64 - 1


def check(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


async def refused(what, awaitable, want):
    """Checks that the server refuses. The client tells by a text which status came."""
    try:
        got = await awaitable
    except RuntimeError as error:
        check(f"refusal of {what}", str(error), want)
        return
    raise AssertionError(f"{what}: got {got!r}, want the error {want!r}")


def without_reconnection(address, **config):
    return IggyClient(TcpConfig(server_address=address, reconnection=TcpReconnectionConfig(enabled=False), **config))


async def logged_in(address, name, password):
    client = without_reconnection(address)
    await client.connect()
    await client.login_user(name, password)
    return client


# What the typed interface does not reach goes over raw requests; the layouts are those of the protocol.


def ident(value):
    if isinstance(value, int):
        return struct.pack("<BBI", 1, 4, value)
    name = value.encode()
    return struct.pack("<BB", 2, len(name)) + name


def offset_key(consumer, stream, topic, partition):
    return b"\x01" + ident(consumer) + ident(stream) + ident(topic) + struct.pack("<BI", 1, partition)


async def stored_offset(client, *key):
    """The offset stored for a key, or None."""
    body = await client.send_binary_request(GET_OFFSET, offset_key(*key))
    if body == b"":
        return None
    partition, _, stored = struct.unpack("<IQQ", body)
    check("partition of a stored offset", partition, key[3])
    return stored


async def store_offset(client, offset, *key):
    await client.send_binary_request(STORE_OFFSET, offset_key(*key) + struct.pack("<QB", offset, 1))


async def delete_offset(client, *key):
    await client.send_binary_request(DELETE_OFFSET, offset_key(*key) + b"\x01")


async def log_in(client):
    await client.connect()
    await client.ping()
    await refused("a read before login", client.get_streams(), "Unauthenticated")
    await client.login_user("iggy", "iggy")
    await client.ping()


async def wrong_password(address):
    for name, password in (("iggy", "wrong-password"), ("nobody", "iggy")):
        client = without_reconnection(address)
        await client.connect()
        await refused(f"login as {name}/{password}", client.login_user(name, password), "Invalid credentials")


async def log_out(address):
    client = without_reconnection(address)
    await client.connect()
    await client.login_user("iggy", "iggy")
    await client.logout_user()
    await client.ping()
    await refused("a read after logout", client.get_streams(), "Unauthenticated")
    await client.login_user("iggy", "iggy")
    await client.get_streams()


async def describe_options(client):
    specs = {spec.key: spec for spec in await client.describe_options("topic")}
    check(
        "topic options",
        {key: spec.kind for key, spec in specs.items()},
        {
            "compression_algorithm": "string",
            "message_expiry": "uint64",
            "max_topic_size": "uint64",
            "segment_size": "uint64",
            "durability": "string",
            "consumer_offset_durability": "string",
            "messages_required_to_save": "uint32",
            "size_of_messages_required_to_save": "uint64",
            "preallocate_segments": "bool",
            "enforce_fsync": "bool",
        },
    )
    check("default of segment_size", specs["segment_size"].default_value.value, 1 << 30)
    for scope in ("stream", "user"):
        check(f"{scope} options", await client.describe_options(scope), [])


async def streams_and_topics(client):
    check("streams at the start", await client.get_streams(), [])
    check("a stream that is not there", await client.get_stream("orders"), None)
    await client.create_stream("orders")
    await client.create_stream("payments")
    check("streams", [(s.id, s.name, s.topics_count) for s in await client.get_streams()], [(0, "orders", 0), (1, "payments", 0)])
    await refused("the same name again", client.create_stream("orders"), "Stream with name:  already exists.")

    await client.create_topic(
        "orders",
        "events",
        3,
        message_expiry=IggyExpiry.ExpireDuration(datetime.timedelta(hours=1)),
        max_topic_size=MaxTopicSize.Custom(4 << 30),
        segment_size=2 << 20,
        durability=Durability.PERSISTED,
        compression_algorithm="gzip",
    )
    topic = await client.get_topic("orders", "events")
    check("topic", (topic.id, topic.name, topic.partitions_count, topic.messages_count, topic.size), (0, "events", 3, 0, 0))
    check("compression", topic.compression_algorithm, "gzip")
    check("expiry", topic.message_expiry.duration, datetime.timedelta(hours=1))
    check("size limit", topic.max_topic_size.bytes, 4 << 30)
    check(
        "explicit options",
        topic.options.to_scalar_dict(),
        {
            "compression_algorithm": "gzip",
            "consumer_offset_durability": "replicated",
            "durability": "persisted",
            "max_topic_size": 4 << 30,
            "message_expiry": 3600 * 10**6,
            "segment_size": 2 << 20,
        },
    )
    check(
        "derived options",
        topic.derived_options.to_scalar_dict(),
        {"messages_required_to_save": 1024, "preallocate_segments": False, "size_of_messages_required_to_save": 1 << 20},
    )
    check("partitions", [(p.id, p.messages_count, p.current_offset) for p in topic.partitions], [(0, 0, 0), (1, 0, 0), (2, 0, 0)])

    await client.create_topic("orders", "plain", 1, options={"segment_size": "4 MiB", "enforce_fsync": "true"})
    plain = await client.get_topic("orders", "plain")
    check("topic id", plain.id, 1)
    check("explicit options of text", plain.options.to_scalar_dict()["segment_size"], 4 << 20)
    check("no expiry", type(plain.message_expiry), IggyExpiry.NeverExpire)
    check("topics", [t.name for t in await client.get_topics("orders")], ["events", "plain"])
    check("topics of the stream", (await client.get_stream("orders")).topics_count, 2)
    await refused("an unknown option", client.create_topic("orders", "x", 1, options={"colour": "red"}), "Unsupported option key: ")
    await refused("a bad value", client.create_topic("orders", "x", 1, segment_size=12345), "Invalid option value for key: ")
    await refused("the same topic again", client.create_topic("orders", "plain", 1), "Topic with name:  for stream with ID: 0 already exists.")
    check("a topic that is not there", await client.get_topic("orders", "x"), None)


async def send(client, topic, partitioning, messages):
    """Sends a batch, and returns its partition and first offset."""
    response = await client.send_messages("orders", topic, partitioning, messages)
    check("confirmations", len(response.confirmations), 1)
    return response.confirmations[0].partition_id, response.confirmations[0].base_offset


async def poll(client, topic, partition, strategy, count, auto_commit=False, consumer=None):
    consumer = consumer or Consumer.Single(1)
    return await client.poll_messages(
        "orders", topic, consumer=consumer, polling_strategy=strategy, count=count, auto_commit=auto_commit, partition_id=partition
    )


# A batch of two messages, `hello` and `world` (the latter with the header k: v), with its checksums: the one that the protocol's
# test vectors give, since nothing here computes XXH3.
BATCH = (
    struct.pack("<6QI204x", 0, 0, 0, 1_000_000, 374, 0xB5060CE83592B32C, 2)
    + struct.pack("<Q16sIIIIQ5s", 0xB9BFBDDB9EA55C8E, b"\x01", 0, 0, 0, 5, 0, b"hello")
    + struct.pack("<Q16sIIIIQ5s12s", 0x062945568962EB63, b"\x02", 1, 10, 12, 5, 0, b"world", bytes.fromhex("02010000006b020100000076"))
)


async def send_raw(client, partitioning):
    """Sends BATCH and leaves the choice of the partition to the server, which the client's own interface never does."""
    target = ident("orders") + ident("events") + partitioning + struct.pack("<I", 2)
    body = await client.send_binary_request(SEND, struct.pack("<I", len(target)) + target + BATCH)
    count, stream, topic, partition, base = struct.unpack("<IIIIQ", body)
    check("raw confirmation", (count, stream, topic), (1, 0, 0))
    return partition, base


async def send_and_poll(client):
    balanced = [await send(client, "events", Partitioning.balanced(), [SendMessage(f"balanced {i}")]) for i in range(6)]
    check("balanced sends", sorted(balanced), [(p, offset) for p in range(3) for offset in range(2)])

    headers = {
        HeaderKey.String("text"): HeaderValue.String("käse"),
        HeaderKey.Raw(b"\x00\xff"): HeaderValue.Raw(b"\x01\x02"),
        HeaderKey.UnsignedInt8(7): HeaderValue.Bool(True),
        HeaderKey.String("i128"): HeaderValue.Int128(-(2**100)),
        HeaderKey.String("f64"): HeaderValue.Float64(0.5),
    }
    large = bytes(range(256)) * 4096
    batch = [SendMessage("first", headers, id=2**127 + 1), SendMessage(b"\x00\xff\n", id=5), SendMessage(large)]
    check("send by partition", await send(client, "events", Partitioning.partition_id(1), batch), (1, 2))
    check("send by number", await send(client, "events", 1, [SendMessage(f"m{i}") for i in range(5, 100)]), (1, 5))
    await refused("send to no partition", client.send_messages("orders", "events", 9, [SendMessage("x")]), "Resource with key:  was not found.")

    keyed = {(await send(client, "events", Partitioning.messages_key("order-key-1"), [SendMessage(str(i))]))[0] for i in range(4)}
    check("one key", keyed, {0x0D3FE0E1 % 3})
    check("one key, hashed by the server", (await send_raw(client, b"\x03\x0border-key-1"))[0], 0x0D3FE0E1 % 3)
    dealt = [(await send_raw(client, b"\x01\x00"))[0] for _ in range(6)]
    check("balanced by the server", dealt, [0, 1, 2, 0, 1, 2])

    messages = await poll(client, "events", 1, PollingStrategy.Offset(2), 3)
    check("offsets", [m.offset() for m in messages], [2, 3, 4])
    check("payloads", [m.payload() for m in messages], [b"first", b"\x00\xff\n", large])
    check("ids", [m.id() for m in messages[:2]], [2**127 + 1, 5])
    check("headers", dict(messages[0].user_headers()), headers)
    check("no headers", messages[1].user_headers(), None)
    check("partition", {m.partition_id() for m in messages}, {1})
    check("one time a batch", len({m.timestamp() for m in messages}), 1)

    check("slice of a batch", [m.payload() for m in await poll(client, "events", 1, PollingStrategy.Offset(50), 3)], [b"m50", b"m51", b"m52"])
    end = {p.id: p.current_offset for p in (await client.get_topic("orders", "events")).partitions}
    first = await poll(client, "events", 1, PollingStrategy.First(), 2)
    check("first", [m.offset() for m in first], [0, 1])
    last = await poll(client, "events", 1, PollingStrategy.Last(), 4)
    check("last", [m.offset() for m in last], list(range(end[1] - 3, end[1] + 1)))
    check("all", len(await poll(client, "events", 1, PollingStrategy.First(), 1000)), end[1] + 1)
    check("beyond the end", await poll(client, "events", 1, PollingStrategy.Offset(end[1] + 1), 10), [])
    at = await poll(client, "events", 1, PollingStrategy.Timestamp(messages[0].timestamp()), 3)
    check("by time", [m.timestamp() >= messages[0].timestamp() for m in at], [True] * 3)
    check("in the future", await poll(client, "events", 1, PollingStrategy.Timestamp(last[-1].timestamp() + 10**9), 3), [])
    vector = (await poll(client, "events", 0x0D3FE0E1 % 3, PollingStrategy.Last(), 2))
    check("the raw batch", [(m.payload(), m.origin_timestamp()) for m in vector], [(b"hello", 1_000_000), (b"world", 1_000_010)])

    for topic, partition, text in (
        ("nothing", 0, "Topic with ID: 0 for stream with ID: 0 was not found."),
        ("events", 9, "Partition with ID: 0 for topic with ID: 0 for stream with ID: 0 was not found."),
    ):
        await refused(f"poll of {topic}/{partition}", poll(client, topic, partition, PollingStrategy.First(), 1), text)

    topic = await client.get_topic("orders", "events")
    check("messages", topic.messages_count, sum(p.messages_count for p in topic.partitions))
    check("messages of partition 1", topic.partitions[1].messages_count, end[1] + 1)
    if topic.size <= len(large):
        raise AssertionError(f"size: got {topic.size}, want more than {len(large)}")


async def next_and_offsets(client):
    reader = Consumer.Single("reader")
    key = ("reader", "orders", "events", 1)
    check("nothing stored", await stored_offset(client, *key), None)
    for first in (0, 10, 20):
        messages = await poll(client, "events", 1, PollingStrategy.Next(), 10, True, reader)
        check("next", [m.offset() for m in messages], list(range(first, first + 10)))
        check("committed", await stored_offset(client, *key), first + 9)
    for _ in range(2):
        messages = await poll(client, "events", 1, PollingStrategy.Next(), 5, False, reader)
        check("next without commit", [m.offset() for m in messages], list(range(30, 35)))
    check("another consumer", (await poll(client, "events", 1, PollingStrategy.Next(), 1, False, Consumer.Single("other")))[0].offset(), 0)
    check("another partition", await stored_offset(client, "reader", "orders", "events", 0), None)

    await store_offset(client, 3, *key)
    check("stored, backwards", await stored_offset(client, *key), 3)
    check("next after it", (await poll(client, "events", 1, PollingStrategy.Next(), 1, False, reader))[0].offset(), 4)
    await poll(client, "events", 1, PollingStrategy.First(), 2, True, reader)
    check("a commit never goes back", await stored_offset(client, *key), 3)
    await refused("an offset beyond the end", store_offset(client, 10**6, *key), "Invalid offset: 0")
    await refused("an offset of no partition", store_offset(client, 0, "reader", "orders", "events", 9), "Partition with ID: 0 for topic with ID: 0 for stream with ID: 0 was not found.")
    await delete_offset(client, *key)
    check("deleted", await stored_offset(client, *key), None)
    await refused("deleted again", delete_offset(client, *key), "Consumer offset for consumer with ID: 0 was not found.")
    await store_offset(client, 40, *key)


async def partitions(client):
    await client.create_partitions("orders", "plain", 2)
    check("partitions", [p.id for p in (await client.get_topic("orders", "plain")).partitions], [0, 1, 2])
    check("send to a new one", await send(client, "plain", 2, [SendMessage("x")]), (2, 0))
    await client.delete_partitions("orders", "plain", 1)
    topic = await client.get_topic("orders", "plain")
    check("partitions", ([p.id for p in topic.partitions], topic.messages_count), ([0, 1], 0))
    await client.create_partitions("orders", "plain", 1)
    check("a new partition is empty", await poll(client, "plain", 2, PollingStrategy.First(), 1), [])
    check("and begins at 0", await send(client, "plain", 2, [SendMessage("y")]), (2, 0))
    await refused("too many", client.delete_partitions("orders", "plain", 4), "Invalid partitions count")


async def raw_requests(client):
    await refused("an unknown command", client.send_binary_request(60000, b""), "Invalid command")
    await refused("a login as raw request", client.send_binary_request(38, b""), "Invalid command")
    await refused("a command that is not served", client.send_binary_request(FLUSH, ident(0) + ident(0) + bytes(5)), "Feature is unavailable")
    check("ping", await client.send_binary_request(1, b""), b"")
    stats = await client.send_binary_request(GET_STATS, b"")
    if len(stats) < 108:
        raise AssertionError(f"stats: got {len(stats)} bytes, want 108 or more")
    typed = await client.get_stats()
    check("streams and topics in stats", (typed.streams_count, typed.topics_count, typed.partitions_count), (2, 2, 6))
    await client.ping()


async def producer(client):
    """The interface on top of the plain one: it looks the topic up and spreads the messages."""
    async with await client.producer("orders", "plain") as sender:
        await sender.send([SendMessage(f"p{i}") for i in range(10)])
    topic = await client.get_topic("orders", "plain")
    check("messages by producer", topic.messages_count, 11)


async def assignments(client):
    """The partitions of each member of the group, in order."""
    group = await client.get_consumer_group("teams", "work", "team")
    check("members", group.members_count, len(group.members))
    return sorted(sorted(member.partitions) for member in group.members)


async def drain(members, produced):
    """Lets the members poll in turn until they have read as many messages as were produced, each once. A client that polls finds out
    after 5 s that it has more partitions."""
    seen = []
    for _ in range(300):
        for member in members:
            messages = await member.poll_messages(
                "teams", "work", consumer=Consumer.Group("team"), polling_strategy=PollingStrategy.Next(), count=7, auto_commit=True
            )
            seen += [m.payload().decode() for m in messages]
        if len(seen) >= len(produced):
            break
        await asyncio.sleep(0.1)
    check("what a group reads", sorted(seen), sorted(produced))


async def produce_work(client, first, count):
    texts = [f"{i}" for i in range(first, first + count)]
    for i, text in enumerate(texts):
        await client.send_messages("teams", "work", Partitioning.partition_id(i % 3), [SendMessage(text)])
    return texts


async def groups(client, address):
    """Three consumers that come and go."""
    await client.create_stream("teams")
    await client.create_topic("teams", "work", 3)
    await client.create_consumer_group("teams", "work", "team")
    await refused("the same group again", client.create_consumer_group("teams", "work", "team"), "Consumer group with name:  for topic with ID: 0 already exists.")
    check("groups", [(g.id, g.name, g.partitions_count, g.members_count) for g in await client.get_consumer_groups("teams", "work")], [(0, "team", 3, 0)])
    one, two, three = [await logged_in(address, "iggy", "iggy") for _ in range(3)]
    shares = []
    for member in (one, two, three):
        await member.join_consumer_group("teams", "work", "team")
        shares.append(await assignments(client))
    check("assignments as they come", shares, [[[0, 1, 2]], [[0, 1], [2]], [[0], [1], [2]]])
    await drain([one, two, three], await produce_work(client, 0, 60))

    await one.leave_consumer_group("teams", "work", "team")
    await refused("leaving twice", one.leave_consumer_group("teams", "work", "team"), "Consumer group member with client ID: 0 for group with ID: 0 for topic with ID: 0 was not found.")
    await two.logout_user()
    check("the last has everything", await assignments(client), [[0, 1, 2]])
    await drain([three], await produce_work(client, 100, 30))

    await two.login_user("iggy", "iggy")
    for member in (one, two):
        await member.join_consumer_group("teams", "work", "team")
    check("back again", [len(partitions) for partitions in await assignments(client)], [1, 1, 1])
    await drain([one, two, three], await produce_work(client, 200, 60))
    check("groups in statistics", (await client.get_stats()).consumer_groups_count, 1)
    await client.delete_consumer_group("teams", "work", "team")
    check("a deleted group", await client.get_consumer_group("teams", "work", "team"), None)
    await client.delete_stream("teams")


async def users(client, address):
    """A user with narrow permissions, which change while it is connected, and who is deleted while it is."""
    stream, topic = (await client.get_stream("orders")).id, (await client.get_topic("orders", "events")).id
    narrow = TopicPermissions(poll_messages=True)
    created = await client.create_user(
        "narrow", "secret", UserStatus.Active, Permissions(GlobalPermissions(), {stream: StreamPermissions(topics={topic: narrow})})
    )
    check("user", (created.id, created.username, created.status), (1, "narrow", UserStatus.Active))
    check("its permissions", created.permissions.streams[stream].topics[topic].poll_messages, True)
    await refused("the same name again", client.create_user("narrow", "secret"), "User already exists")
    guest = await logged_in(address, "narrow", "secret")
    if not await poll(guest, "events", 1, PollingStrategy.First(), 2):
        raise AssertionError("a poll that is permitted: got nothing, want messages")
    to_events = ("orders", "events", Partitioning.partition_id(1), [SendMessage("no")])
    for what, request in (
        ("a send", guest.send_messages(*to_events)),
        ("a look at the topic", guest.get_topic("orders", "events")),
        ("a poll of another topic", poll(guest, "plain", 0, PollingStrategy.First(), 1)),
        ("a list of streams", guest.get_streams()),
        ("a list of users", guest.get_users()),
        ("statistics", guest.get_stats()),
        ("a snapshot", guest.send_binary_request(GET_SNAPSHOT, b"\x01\x01\x04")),
        ("a new stream", guest.create_stream("no")),
        ("a new user", guest.create_user("nobody", "secret")),
        ("a deletion", guest.delete_topic("orders", "events")),
    ):
        await refused(what, request, "Unauthorized")
    check("oneself", (await guest.get_user("narrow")).id, 1)
    await client.update_permissions(
        "narrow", Permissions(None, {stream: StreamPermissions(topics={topic: TopicPermissions(poll_messages=True, send_messages=True)})})
    )
    await guest.send_messages("orders", "events", Partitioning.partition_id(2), [SendMessage("yes")])
    await guest.change_password("narrow", "secret", "better secret")
    await refused("the old password", logged_in(address, "narrow", "secret"), "Invalid credentials")
    await refused("a wrong present password", guest.change_password("narrow", "secret", "x y z"), "Invalid credentials")
    await client.update_user("narrow", "renamed", UserStatus.Inactive)
    await refused("an inactive user", logged_in(address, "renamed", "better secret"), "Invalid credentials")
    check("users", [(u.id, u.username, u.status) for u in await client.get_users()], [(0, "iggy", UserStatus.Active), (1, "renamed", UserStatus.Inactive)])
    await guest.ping()

    await client.delete_user("renamed")
    # The answer is 40, upon which the client gives its connection up: it must not make another.
    await refused("a read of one who is deleted", poll(guest, "events", 1, PollingStrategy.First(), 1), "Disconnected")
    check("a deleted user", await client.get_user("renamed"), None)
    await refused("the deletion of root", client.delete_user("iggy"), "Cannot delete user with ID: 0")


def text8(value):
    return struct.pack("<B", len(value)) + value.encode()


async def tokens(client, address):
    secret = await client.send_binary_request(CREATE_TOKEN, text8("robot") + struct.pack("<Q", 0))
    check("length of a token", (secret[0], len(secret)), (68, 69))
    await refused("the same name again", client.send_binary_request(CREATE_TOKEN, text8("robot") + struct.pack("<Q", 0)), "Personal access token:  for user with ID: 0 already exists")
    await client.send_binary_request(CREATE_TOKEN, text8("brief") + struct.pack("<Q", 1800))
    listed = await client.send_binary_request(GET_TOKENS, b"")
    check("tokens", (listed[:6], listed[14:20], listed[20:]), (text8("brief"), text8("robot"), bytes(8)))
    token = AutoLogin.personal_access_token(secret[1:].decode())
    robot = without_reconnection(address, auto_login=token)
    await robot.connect()
    check("streams seen by a token", [s.name for s in await robot.get_streams()], [s.name for s in await client.get_streams()])
    for name in ("robot", "brief"):
        await client.send_binary_request(DELETE_TOKEN, text8(name))
    await robot.ping()
    await refused("a deleted token", without_reconnection(address, auto_login=token).connect(), "Invalid personal access token")


async def snapshots(client):
    for compression in (1, 2, 3, 5):  # those that Python unpacks
        body = await client.send_binary_request(GET_SNAPSHOT, struct.pack("<BBB", compression, 1, 100))
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            check("damaged entries", file.testzip(), None)
            check("entries", len(file.namelist()), 6)
            check("the test", file.read("test.txt"), b"test\n")
            if b"encoding_secret" not in file.read("server_config.txt"):
                raise AssertionError("configuration: got no list of keys")
    for body in (b"", b"\x07\x01\x04", b"\x01\x01\x07"):
        await refused("a snapshot of nothing", client.send_binary_request(GET_SNAPSHOT, body), "Invalid command")


async def statistics(client):
    stats = await client.get_stats()
    for field in (
        "process_id", "memory_usage", "total_memory", "available_memory", "start_time", "written_bytes", "messages_size_bytes", "segments_count",
        "messages_count", "clients_count", "threads_count", "free_disk_space", "total_disk_space", "hostname", "os_name", "kernel_version",
    ):
        if not getattr(stats, field):
            raise AssertionError(f"statistics, {field}: got {getattr(stats, field)!r}, want something")
    if stats.run_time <= datetime.timedelta(0) or stats.cpu_usage < 0 or not 0 <= stats.total_cpu_usage <= 100:
        raise AssertionError(f"statistics: got {stats.run_time}, {stats.cpu_usage}, {stats.total_cpu_usage}")
    topics = await client.get_topics("orders")
    check("messages in statistics", stats.messages_count, sum(t.messages_count for t in topics))
    check("bytes in statistics", stats.messages_size_bytes, sum(t.size for t in topics))
    check("version", stats.iggy_server_version, "0.9.0")


async def topic_update(client):
    before = await client.get_topic("orders", "plain")
    await client.update_topic(
        "orders", "plain", "plainer", "gzip", IggyExpiry.ExpireDuration(datetime.timedelta(hours=2)), MaxTopicSize.Custom(5 << 30)
    )
    after = await client.get_topic("orders", "plainer")
    check("the same topic", (after.id, after.created_at, after.partitions_count), (before.id, before.created_at, before.partitions_count))
    check("what was updated", (after.compression_algorithm, after.message_expiry.duration, after.max_topic_size.bytes), ("gzip", datetime.timedelta(hours=2), 5 << 30))
    check("what was not", after.options.to_scalar_dict()["segment_size"], 4 << 20)
    check("the old name", await client.get_topic("orders", "plain"), None)
    await refused("a name that is taken", client.update_topic("orders", "plainer", "events"), "Topic with name:  for stream with ID: 0 already exists.")
    await refused("an option that stays", client.update_topic("orders", "plainer", "plainer", options={"segment_size": "2 MiB"}), "Unsupported option key: ")
    await client.update_topic("orders", "plainer", "plain")
    check("options that were not named", (await client.get_topic("orders", "plain")).compression_algorithm, "gzip")


async def restart(signal):
    """Has the server ended by a signal and started again at the same address and directory."""
    print("restart", signal, flush=True)
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    check("answer to the wish for a restart", line, f"{signal}\n")


async def contents(client):
    """Everything that a client can see of stream orders."""
    seen = []
    for topic in await client.get_topics("orders"):
        details = await client.get_topic("orders", topic.name)
        seen.append((topic.name, details.created_at, details.options.to_scalar_dict(), details.messages_count))
        for p in details.partitions:
            messages = await poll(client, topic.name, p.id, PollingStrategy.First(), 10000)
            seen.append([(m.offset(), m.timestamp(), m.id(), m.payload()) for m in messages])
            seen.append((p.current_offset, await stored_offset(client, "reader", "orders", topic.name, p.id)))
    return seen


async def reconnect(client, address):
    """The same client goes on by itself after a restart, and finds everything that was acknowledged."""
    for signal in ("SIGTERM", "SIGKILL"):
        base = (await send(client, "events", 0, [SendMessage(f"before {signal}")]))[1]
        await store_offset(client, base, "reader", "orders", "events", 0)
        before = await contents(client)
        await restart(signal)
        check(f"contents after {signal}", await contents(client), before)
        check("the next offset", (await send(client, "events", 0, [SendMessage("after")]))[1], base + 1)
        check("next", (await poll(client, "events", 0, PollingStrategy.Next(), 5, False, Consumer.Single("reader")))[0].payload(), b"after")
        late = without_reconnection(address)
        await late.connect()
        await late.login_user("iggy", "iggy")


async def delete(client):
    await client.delete_topic("orders", "events")
    check("a deleted topic", await client.get_topic("orders", "events"), None)
    await refused("a topic deleted twice", client.delete_topic("orders", "events"), "Topic with ID: 0 for stream with ID: 0 was not found.")
    await client.create_topic("orders", "events", 1)
    topic = await client.get_topic("orders", "events")
    check("a successor", (topic.id, topic.messages_count), (0, 0))
    check("a successor's messages", await poll(client, "events", 0, PollingStrategy.First(), 10), [])
    check("a successor's offset", await stored_offset(client, "reader", "orders", "events", 0), None)
    check("its first send", await send(client, "events", 0, [SendMessage("x")]), (0, 0))
    await client.delete_stream("orders")
    check("a deleted stream", await client.get_stream("orders"), None)
    check("streams left", [s.name for s in await client.get_streams()], ["payments"])
    await client.create_stream("again")
    check("the smallest id that is free", (await client.get_stream("again")).id, 0)


async def main(address):
    # Without heartbeats: one that meets the restart reconnects beside the request that does, and each ends the other's connection.
    client = IggyClient(
        TcpConfig(
            server_address=address,
            heartbeat_interval=datetime.timedelta(hours=1),
            reconnection=TcpReconnectionConfig(interval=datetime.timedelta(milliseconds=50), reestablish_after=datetime.timedelta(0)),
        )
    )
    await log_in(client)
    await wrong_password(address)
    await log_out(address)
    await describe_options(client)
    await streams_and_topics(client)
    await send_and_poll(client)
    await next_and_offsets(client)
    await partitions(client)
    await raw_requests(client)
    await producer(client)
    await topic_update(client)
    await statistics(client)
    await groups(client, address)
    await users(client, address)
    await tokens(client, address)
    await snapshots(client)
    await reconnect(client, address)
    await delete(client)


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 300))  # the client itself waits for ever for a server that is gone
os._exit(0)  # threads of the client outlive the interpreter, and now and then abort the process when they want it back
