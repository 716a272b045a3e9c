package wire

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// BatchVerifier checks a batch as a producer sent it, or as a poll returns it, in steps of bounded cost, so that
// a batch of 64 MiB can span ticks. Source: protocol.md, 11.3 step 3 and 11.4.
//
// The zero value is ready for Reset; it is about 4 KiB, is used again and again, and never allocates.
type BatchVerifier struct {
	batch    []byte // kept until done
	position int    // of the message being looked at
	size     int    // of that message, 0 before it is known
	hashed   int    // bytes of it in hash; 0 while it is not hashed in parts
	walked   uint32 // messages passed
	header   BatchHeader
	status   Status
	done     bool
	sum      BatchHasher
	hash     xxh3.Hasher // of a message that does not fit one step
}

// Reset begins to check batch, which fills its place in the body, against the count of messages the request names.
func (v *BatchVerifier) Reset(batch []byte, count uint32) {
	v.reset(batch)
	switch {
	case v.done:
	case !allZero(batch[batchFieldsSize:BatchHeaderSize]):
		v.finish(StatusInvalidCommand)
	case v.header.MessageCount != count:
		v.finish(StatusInvalidMessagesCount)
	}
}

// reset is Reset for a batch at rest too, whose reserved bytes hold a seal.
func (v *BatchVerifier) reset(batch []byte) {
	v.position, v.size, v.hashed, v.walked, v.done, v.status = BatchHeaderSize, 0, 0, 0, false, StatusOK
	h, err := DecodeBatchHeader(batch)
	v.batch, v.header = batch, h
	if err != nil || h.Length != uint64(len(batch)) || h.MessageCount == 0 {
		v.finish(StatusInvalidCommand)
		return
	}
	v.sum.Begin(h)
}

// Step looks at about budget bytes of messages, and makes some progress whatever the budget. Once done, the
// verifier has let go of the batch, and status is one of these:
//
//	StatusOK                     the batch is what it says
//	StatusInvalidCommand         a length that does not fit, no messages, reserved bytes in use, bytes left over
//	StatusInvalidMessagesCount   the request, the header and the messages that are there disagree on the count
//	StatusInvalidMessageChecksum a message is not what its checksum covers
//	StatusInvalidBatchChecksum   the header is not, or not with these messages
func (v *BatchVerifier) Step(budget int) (done bool, status Status) {
	budget = max(budget, 1)
	for !v.done {
		if v.position == len(v.batch) {
			v.finishWalk()
			break
		}
		if budget <= 0 {
			return false, StatusOK
		}
		if v.size == 0 {
			v.size = messageSize(v.batch[v.position:])
			if v.size == 0 {
				v.finish(StatusInvalidCommand)
				break
			}
		}
		budget -= v.stepMessage(budget)
	}
	return v.done, v.status
}

// stepMessage hashes the message at position, or the part of it that budget allows, and returns the bytes spent.
func (v *BatchVerifier) stepMessage(budget int) (spent int) {
	message := v.batch[v.position : v.position+v.size]
	var sum uint64
	if v.hashed == 0 && v.size <= max(budget, messageStepMin) {
		sum, spent = ChecksumMessage(message), v.size
	} else {
		if v.hashed == 0 {
			v.hash.Reset()
			v.hashed = messageChecksumSize
		}
		spent = min(max(budget, messageStepMin), v.size-v.hashed)
		_, _ = v.hash.Write(message[v.hashed : v.hashed+spent]) // a Hasher never fails
		v.hashed += spent
		if v.hashed < v.size {
			return spent
		}
		sum = v.hash.Sum64()
	}
	stored := binary.LittleEndian.Uint64(message)
	if sum != stored {
		v.finish(StatusInvalidMessageChecksum)
		return spent
	}
	v.sum.Add(stored)
	v.walked++
	v.position += v.size
	v.size, v.hashed = 0, 0
	if v.walked == v.header.MessageCount && v.position < len(v.batch) {
		v.finishSurplus()
	}
	return spent
}

// messageStepMin is what a step may overshoot its budget by. Below it, hashing in parts costs more than it bounds.
const messageStepMin = 4096

// finishSurplus tells a batch with more messages than it says from one with bytes left over.
func (v *BatchVerifier) finishSurplus() {
	if messageSize(v.batch[v.position:]) > 0 {
		v.finish(StatusInvalidMessagesCount)
	} else {
		v.finish(StatusInvalidCommand)
	}
}

func (v *BatchVerifier) finishWalk() {
	switch {
	case v.walked != v.header.MessageCount:
		v.finish(StatusInvalidMessagesCount)
	case v.sum.Sum() != v.header.Checksum:
		v.finish(StatusInvalidBatchChecksum)
	default:
		v.finish(StatusOK)
	}
}

func (v *BatchVerifier) finish(status Status) {
	v.done, v.status, v.batch = true, status, nil
}

// VerifyBatch checks a whole batch at once with a verifier to use again; the statuses are those of Step.
func VerifyBatch(batch []byte, count uint32, v *BatchVerifier) Status {
	v.Reset(batch, count)
	_, status := v.Step(len(batch) + 1)
	return status
}
