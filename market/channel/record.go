package channel

// recordVersion is the version of the encodings of both sides' states.
const recordVersion = 1

// Record is the state of one side. Each replaces the one before it.
type Record struct {
	Bytes []byte

	mark mark
}

// mark is what a stored record allows.
type mark struct {
	version uint64 // of the state
	n       uint64 // vouchers in it
	closing bool
}

// advance moves to a later mark.
func (m *mark) advance(r Record) {
	if r.mark.version > m.version {
		*m = r.mark
	}
}
