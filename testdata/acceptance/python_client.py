"""Talks to a server through the released Python client, as any program of a user would.

    python python_client.py HOST:PORT

The server has an empty data directory and the user iggy with the password iggy. Two times the program asks for a restart,
with a line `restart SIGNAL` on standard output, and waits for a line on standard input that says it is done. It
ends with exit code 0, or with a traceback that says what was expected and what came.
"""

import asyncio
import datetime
import struct
import sys

from apache_iggy import (
    Consumer,
    Durability,
    HeaderKey,
    HeaderValue,
    IggyClient,
    IggyExpiry,
    MaxTopicSize,
    Partitioning,
    PollingStrategy,
    SendMessage,
    TcpConfig,
    TcpReconnectionConfig,
)

GET_STATS, SEND, GET_OFFSET, STORE_OFFSET, DELETE_OFFSET, FLUSH, GET_USERS = 10, 101, 120, 121, 122, 102, 32
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


def without_reconnection(address):
    return IggyClient(TcpConfig(server_address=address, reconnection=TcpReconnectionConfig(enabled=False)))


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
    await reconnect(client, address)
    await delete(client)


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 300))  # the client itself waits for ever for a server that is gone
