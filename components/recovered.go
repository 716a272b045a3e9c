package components

// Recovered is what recovery found of a partition's log.
type Recovered struct {
	Segments    []RecoveredSegment // oldest first
	OffsetFirst uint64             // earliest message kept
	OffsetNext  uint64             // the offset after the last message
	TimeLast    uint64             // µs, base timestamp of the last batch
	Size        uint64             // bytes of records
	TailHash    uint64             // seeded XXH3 of the partly filled last block
	Vouched     bool               // a voucher covers everything
	VouchFrom   uint64             // segments with ids below it are vouched for to their ends
	Faulted     bool               // damaged: no appends
	DamagePath  string             // file of the damage, with Faulted
	DamageAt    uint64             // position of the damage
	Damage      string             // what is wrong there
	CutBytes    uint64             // bytes cut from a torn tail
	Notes       []string           // what the log should say
}

// RecoveredSegment is one segment of it.
type RecoveredSegment struct {
	ID        uint64
	Base      uint64 // offset of the first message
	Next      uint64 // offset after the last
	End       uint64 // position after the last record
	TimeLast  uint64
	Allocated uint64 // bytes the file has
}
