package components

// Hashing is a metadata operation that waits until a worker has done with its passwords: comparing and hashing them takes some 20 ms each,
// which no shard has. It is not decided before; once the work is done its request is decided again, from the beginning, and finds
// the result here.
//
// A worker has Current, Password and Hash from Started to Done; nobody else touches them meanwhile.
type Hashing struct {
	Request  Request // its frame stays where it is until the answer
	Ticket   uint64  // names it to the worker queue
	Stored   []byte  // hash that Current is compared with first; nil is no comparison
	Current  []byte
	Password []byte // to be hashed
	Salt     []byte
	Hash     []byte // of Password; nil where Current was refused
	Started  bool   // a worker has it
	Done     bool
	Given    bool // nobody waits for it any more: the request was refused meanwhile
}

// HashingsMax is how many passwords of metadata operations are with the workers at a time. More wait their turn, so that
// logins find workers too.
const HashingsMax = 4
