package wire

// The files of a data directory, format version 1. Numbers are little-endian, offsets in a drawing are bytes, and
// every hash is XXH3-64, seeded with the directory's secret but for the marker's. What is not drawn is zero. The
// types named here have the same drawings with their meanings.
//
// Every file but the index begins with a head: an 8-byte magic, the version as a u32, and a checksum at its end.
// An unknown version in any of them, or an event of an unknown kind or flag, is refused: the server says which file and what
// it found, and does not start. Versions are looked at before anything is changed, and such a directory is left as it is, to the byte; an
// unknown event is found before any of these files is changed. A reader of another version can rely on the first 12 bytes and no more. An
// unknown magic is of no version, but damage like other wrong bytes.
//
// # Marker: `GALGO`, 64 bytes
//
//	0          8             12  16             32           40             48  56
//	| GALGODIR | version u32 | 0 | id 16 bytes | secret u64 | created u64 | 0 | checksum, unseeded |
//
// # Segment log: `<created seq, 16 hex>-<partition id, 8 hex>-<segment id, 16 hex>.log`
//
// The files of all partitions lie flat in one directory. A partition is named by the sequence that created it and its
// id in the topic, so a successor with the same wire ids has other files.
//
//	0          8             12                 16               24              32              40
//	| GALGOSEG | version u32 | partition id u32 | segment id u64 | partition u64 | created seq u64 |
//	40                48                56        64            72     4088
//	| purge epoch u64 | base offset u64 | run u64 | created u64 | 0 ... | checksum |
//	4096
//	| record | record | ... | zeros or what an earlier life of the blocks left there
//
// A log without a head was made and not used yet: its first write brings the head. One that was made of a file of the pool has zeros
// in place of the head and of the block behind it until then.
//
// A record is a batch as on the wire (protocol.md, 11.1) with a seal in the header's reserved bytes. Its version is
// that of the segment's head.
//
//	0              44 + 4 + 4              52  56               64        72               80         88  256
//	| batch header, checksum at 40 to 48 | 0 | segment id u64 | run u64 | safe below u64 | hash u64 | 0 | messages |
//
//	hash = XXH3(segment id, run, safe below, position in the file, batch checksum)
//
// The highest bit of safe below says that what lay below it was durable, and not only in the file, when this record's write was handed over.
//
// # Segment index: the same name, `.index`
//
// Entries back to back, without a head: the index is of the version of the segment beside it, and can be made anew
// from it. An entry says that a record begins at position; a voucher, that the log was synced up to position, and before it all earlier
// segments of the partition.
//
//	0         1          2   8                16           24         32             40        48                56
//	| kind u8 | flags u8 | 0 | segment id u64 | offset u64 | time u64 | position u64 | run u64 | base offset u64 | checksum |
//
//	kind    1 entry: offset and time of the record at position; 2 voucher: next offset, last time, end of the log
//	flags   bit 0: the log write was made durable before the entry was written
//
// # Pool: `pool-<number, 16 hex>.log`, beside the segments
//
// A log that nobody needs any more, kept with its blocks to become a log again. Nothing in it means anything, and no number is used twice. A
// server of another build that does not know of pools leaves such files alone.
//
// # Offset log: `offsets-<run, 16 hex>-<shard, 8 hex>.log`
//
//	0          8             12          16        24  56
//	| GALGOOFF | version u32 | shard u32 | run u64 | 0 | checksum |
//	64, and every 64 bytes
//	| partition u64 | epoch u64 | kind u8 | flags u8 | 0 u16 | consumer u32 | value u64 | order u64 | 0, 16 bytes | checksum |
//
//	kind    1 consumer, 2 group, 3 no consumer: the log of the partition begins at value
//	flags   bit 0: deleted
//
// A record is good for itself: what does not hold in its place is passed over, and noted, and ends nothing.
//
// # Control log: `control-<number of the first record, 16 hex>.log`
//
//	0          8             12  16          24  56
//	| GALGOCTL | version u32 | 0 | first u64 | 0 | checksum |
//	64
//	| record | record | ... | nothing, or zeros
//
// A record is an event (below) and what orders it. Numbers are dense, over files too.
//
//	| event | number u64 | safe below u64 | checksum, over all before it in the record |
//
// Records with a number below safe below were durable when the write that holds the record was handed over. So bad
// bytes in place of record n are damage if any record behind them has n < safe below; else the write that they
// end was torn and nobody had an answer to it. The server cuts a torn tail, and refuses to start on damage.
//
// # Event, in control log and snapshot
//
//	0          4          6           8         16         24
//	| size u32 | kind u16 | flags u16 | seq u64 | time u64 | fields | zeros to a multiple of 8 |
//
// Kinds are the EventKind constants, their fields are listed in Event.fields. No flag is defined.
//
// # Snapshot: `snapshot-a`, `snapshot-b`
//
//	0          8             12  16                24             32         40                48              56
//	| GALGOSNP | version u32 | 0 | last number u64 | last seq u64 | time u64 | body length u64 | body checksum | checksum |
//	64
//	| event | event | ...
