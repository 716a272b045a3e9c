// Package wire is every byte layout that leaves memory: the frames, bodies and batches clients speak,
// and the formats at rest. It is a pure codec, bytes in and values out: it opens nothing, keeps no
// connection state, reads no clock and imports nothing of ours.
//
// Words. A frame is a header of FrameHeaderSize bytes and a body. A request carries an operation; a
// request of OpNonReplicated carries a command code as well. A framed operation answers with a result
// section before its payload. A batch is a BatchHeader and messages back to back; a message is a
// MessageHeader, its payload, and its user headers.
//
// Shapes. DecodeX reads a request body and returns what it found with a Status: StatusOK, or the
// code the refusal carries (StatusInvalidCommand unless the function says otherwise); bytes after the
// last field are ignored unless the body ends with an options block. Decoders of what a server
// sends return an error instead, ErrMalformed or ErrShort. AppendX appends the encoding to dst and
// returns the extended slice; it trusts its argument, and panics where a value has no encoding, such as a
// name of 256 bytes. PutX writes in place.
//
// Ownership. Slices in a decoded value alias the bytes that were decoded: they are good as long as
// those bytes stay put, and whoever wants to keep them copies them. Nothing here keeps a reference to
// its input, except BatchVerifier, BodyVerifier and the iterators until they are reset or dropped.
//
// Where a layout or a rule comes from is written by it. protocol.md is a description of Apache Iggy's binary protocol, 0.9.0 and the line before it,
// that this package was written from; it is not part of the repository, and its chapters are named so that what stands together there can be found
// together here. The files of a data directory are ours, and files_doc.go draws them.
//
// The invariant to keep in mind: what a client may send is never trusted. No decoder panics, reads
// past its input, or allocates more than a small multiple of it, whatever the bytes are.
package wire
