package chain

func (l Key) append(b []byte) []byte {
	return appendBytes(appendKind(b, kindKey, 1), l.Key[:])
}

func (l Multi) append(b []byte) []byte {
	b = appendUint(appendKind(b, kindMulti, 1+len(l.Keys)), uint64(l.Need))
	for i := range l.Keys {
		b = appendBytes(b, l.Keys[i][:])
	}
	return b
}

func (l HashLock) append(b []byte) []byte {
	return appendBytes(appendKind(b, kindHash, 1), l.Digest[:])
}

func (l After) append(b []byte) []byte {
	return appendUint(appendUint(appendKind(b, kindAfter, 2), uint64(l.Clock)), l.At)
}

func (l Before) append(b []byte) []byte {
	return appendUint(appendUint(appendKind(b, kindBefore, 2), uint64(l.Clock)), l.At)
}

func (l All) append(b []byte) []byte { return appendLocks(b, kindAll, l.Locks) }

func (l Any) append(b []byte) []byte { return appendLocks(b, kindAny, l.Locks) }

func (l Delegate) append(b []byte) []byte {
	b = appendKind(b, kindDelegate, 6)
	b = l.Owner.append(b)
	b = l.Delegate.append(b)
	b = appendUint(b, uint64(l.Operations))
	b = appendToken(b, l.Token)
	return appendUint(appendUint(b, l.Remaining), l.Expiry)
}

func (l Threshold) append(b []byte) []byte {
	b = appendBytes(appendKind(b, kindThreshold, 3), l.Key[:])
	return appendUint(appendUint(b, uint64(l.T)), uint64(l.N))
}

func (l Proof) append(b []byte) []byte {
	b = appendUint(appendKind(b, kindProof, 6), uint64(l.Kind))
	b = l.Key.append(b)
	b = appendBytes(b, l.Job[:])
	b = appendBytes(b, l.Model[:])
	b = appendBytes(b, l.Input[:])
	return l.Payee.append(b)
}

func (l Address) append(b []byte) []byte {
	return appendBytes(appendKind(b, kindAddress, 1), l.Hash[:])
}

// appendKind opens an array of a kind and n fields.
func appendKind(b []byte, kind uint64, n int) []byte {
	return appendUint(appendArray(b, 1+n), kind)
}

func appendLocks(b []byte, kind uint64, locks []Lock) []byte {
	b = appendKind(b, kind, len(locks))
	for _, l := range locks {
		b = l.append(b)
	}
	return b
}

// DecodeLock is the inverse of EncodeLock. It returns an EncodingError for bytes that are not
// the canonical encoding of a lock within its limits.
func DecodeLock(b []byte) (Lock, error) {
	d := newDecoder(b)
	l := d.lock()
	return l, d.end()
}

// lock reads a lock and checks it.
func (d *decoder) lock() Lock {
	l := d.lockNode(1)
	if d.err != nil {
		return nil
	}
	if err := CheckLock(l); err != nil {
		d.fail("%v", err)
		return nil
	}
	return l
}

// lockNode reads a lock whose root is at a depth, without the checks of its fields. The depth
// bounds the recursion.
func (d *decoder) lockNode(depth int) Lock {
	if depth > MaxLockDepth {
		d.fail("%v", errLockSize)
		return nil
	}
	fields := d.list(1, 1+MaxLockNodes) - 1
	kind := d.uint()
	if d.err != nil {
		return nil
	}
	switch kind {
	case kindMulti:
		return d.multi(fields)
	case kindAll:
		return All{d.locks(fields, depth)}
	case kindAny:
		return Any{d.locks(fields, depth)}
	}
	return d.fixedLock(kind, fields, depth)
}

// lockFields holds how many fields follow the kind, of those kinds that have a fixed number.
var lockFields = [...]int{
	kindKey: 1, kindHash: 1, kindAfter: 2, kindBefore: 2, kindDelegate: 6,
	kindThreshold: 3, kindProof: 6, kindAddress: 1,
}

// fixedLock reads the fields of a kind that has a fixed number of them.
func (d *decoder) fixedLock(kind uint64, fields, depth int) Lock {
	if kind >= uint64(len(lockFields)) || lockFields[kind] != fields || fields == 0 {
		d.fail("lock of kind %d with %d fields", kind, fields)
		return nil
	}
	switch kind {
	case kindKey:
		return Key{d.publicKey()}
	case kindHash:
		return HashLock{d.hash()}
	case kindAfter:
		return After{d.clock(), d.uint()}
	case kindBefore:
		return Before{d.clock(), d.uint()}
	case kindDelegate:
		return d.delegate(depth)
	case kindThreshold:
		return Threshold{d.publicKey(), int(d.uintMax(1<<16 - 1)), int(d.uintMax(1<<16 - 1))}
	case kindProof:
		return d.proof(depth)
	}
	return Address{d.hash()}
}

func (d *decoder) publicKey() (k PublicKey) {
	d.fixed(k[:])
	return k
}

func (d *decoder) clock() Clock { return Clock(d.uintMax(uint64(ClockHeight))) }

func (d *decoder) multi(fields int) Lock {
	if fields < 1 {
		d.fail("multi without fields")
		return nil
	}
	l := Multi{Need: int(d.uintMax(MaxMultiKeys))}
	for range fields - 1 {
		l.Keys = append(l.Keys, d.publicKey())
	}
	return l
}

func (d *decoder) locks(n, depth int) []Lock {
	var all []Lock
	for range n {
		if d.err != nil {
			return nil
		}
		all = append(all, d.lockNode(depth+1))
	}
	return all
}

func (d *decoder) delegate(depth int) Lock {
	return Delegate{
		Owner:      d.lockNode(depth + 1),
		Delegate:   d.lockNode(depth + 1),
		Operations: Operations(d.uintMax(uint64(AllOperations))),
		Token:      d.token(),
		Remaining:  d.uint(),
		Expiry:     d.uint(),
	}
}

func (d *decoder) proof(depth int) Lock {
	return Proof{
		Kind:  JobKind(d.uintMax(uint64(JobProve))),
		Key:   d.verifyingKey(),
		Job:   d.hash(),
		Model: d.hash(),
		Input: d.hash(),
		Payee: d.lockNode(depth + 1),
	}
}
