package chain

// Entry is an unspent output and where it comes from.
type Entry struct {
	Output   Output
	Height   uint64 // of the block that created it
	Coinbase bool   // it matures; outputs of the genesis block do not
}

// View is the unspent outputs after some block, and the verifying keys they name. It is read
// from several goroutines at once. Errors are faults of this machine.
type View interface {
	// Entry returns an unspent output; false if there is none.
	Entry(o Outpoint) (Entry, bool, error)
	// VerifyingKey returns the bytes of a key that an unspent output names; false if they are not
	// at hand, since the block that published them was connected without attachments.
	VerifyingKey(h Hash) ([]byte, bool, error)
}

// Attachments gives the bytes beside transactions, by SHA-256; false for what is not at hand.
// It is read from several goroutines at once. Errors are faults of this machine.
type Attachments interface {
	Attachment(h Hash) ([]byte, bool, error)
}

// NamedKey is a verifying key and the kind of job whose proofs verify under it.
type NamedKey struct {
	Kind JobKind
	Key  VerifyingKey
}

// Keys lists the verifying keys that o names, once for each time it does. While an unspent
// output names a key, its bytes are kept. The output must keep the rules of its form.
func (o *Output) Keys() []NamedKey {
	keys := lockKeys(nil, o.Lock)
	switch b := o.Body.(type) {
	case *Resource:
		if kind, proves := b.Kind.proves(); proves && b.Key != nil {
			keys = append(keys, NamedKey{kind, *b.Key})
		}
	case *State:
		if rules, err := decodeState(b); err == nil {
			keys = append(keys, rules.keys()...)
		}
	}
	return keys
}

func lockKeys(keys []NamedKey, l Lock) []NamedKey {
	if p, ok := l.(Proof); ok {
		return append(keys, NamedKey{p.Kind, p.Key})
	}
	for _, c := range l.children() {
		keys = lockKeys(keys, c)
	}
	return keys
}
