package uring

// Token is user_data: what an entry carries and its completions bring back. It is a number of the caller's (kind, generation, slot),
// never a pointer.
type Token uint64

const (
	tokenMarkShift = 56

	// TokenRing in the top byte marks what belongs to the ring itself (wake-ups, cancellation at Close). Reap swallows it.
	TokenRing = Token(0xFF) << tokenMarkShift
	// TokenMessage in the top byte marks what another ring sent with MsgRing. Such a completion has no entry in the receiving ring, and
	// the mark keeps it out of the count of operations in flight.
	TokenMessage = Token(0xFE) << tokenMarkShift
	// TokenWake is sent to a parked ring with MsgRing to wake it; see Ring.WakePeer.
	TokenWake = TokenRing | 1

	tokenWakeArm  = TokenRing | 2 // the entry of Queues.Arm
	tokenWakeSent = TokenRing | 3 // the sender's own completion of WakePeer
	tokenCancel   = TokenRing | 4 // the cancellation at Close

	tokenMark = Token(0xFF) << tokenMarkShift
)

func (t Token) ofRing() bool    { return t&tokenMark == TokenRing }
func (t Token) ofMessage() bool { return t&tokenMark == TokenMessage }
