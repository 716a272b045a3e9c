package wire

// PairIterator walks the key and value pairs of a header map or an options block: typed values back to back that fill
// their place, without a count. It allocates nothing.
type PairIterator struct{ r bodyReader }

// PairsIn walks the pairs of src.
func PairsIn(src []byte) PairIterator { return PairIterator{bodyReader{src: src}} }

// Next returns the next pair, and false at the end or where no whole pair follows. The pair's kinds are known and its
// lengths possible; TypedValue.Valid says whether the data is of that kind.
func (it *PairIterator) Next() (key, value TypedValue, ok bool) {
	if it.r.bad || len(it.r.src) == 0 {
		return TypedValue{}, TypedValue{}, false
	}
	key, value = it.r.typedValue(), it.r.typedValue()
	return key, value, !it.r.bad
}

// Malformed reports whether the walk ended at something that is no pair.
func (it *PairIterator) Malformed() bool { return it.r.bad }

// AppendPair appends one pair of a header map or an options block.
func AppendPair(dst []byte, key, value TypedValue) []byte {
	return AppendTypedValue(AppendTypedValue(dst, key), value)
}
