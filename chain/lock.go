package chain

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Limits of one lock, counted over the whole tree.
const (
	MaxLockNodes = 64
	MaxLockDepth = 8
	MaxMultiKeys = 32
)

// PublicKey is an Ed25519 key, verified as ZIP-215 says.
type PublicKey [32]byte

// Lock is the condition under which an output may be spent. Its kinds are the types of this
// file; locks are values and are never changed.
type Lock interface {
	// append adds the canonical encoding: an array of the kind and its fields.
	append(b []byte) []byte
	// children returns the locks inside, in the order in which they are evaluated.
	children() []Lock
	// check reports a field out of range, children aside.
	check() error
}

// The kinds, as encoded.
const (
	kindKey uint64 = iota + 1
	kindMulti
	kindHash
	kindAfter
	kindBefore
	kindAll
	kindAny
	kindDelegate
	kindThreshold
	kindProof
	kindAddress
)

// Key needs one signature.
type Key struct{ Key PublicKey }

// Multi needs the signatures of exactly Need of its keys, which ascend strictly.
type Multi struct {
	Need int // 1 to len(Keys)
	Keys []PublicKey
}

// HashLock needs the 32 bytes whose SHA-256 is Digest.
type HashLock struct{ Digest Hash }

// Clock says what a lock of time compares with.
type Clock uint8

const (
	// ClockTime is the time of the parent block, in milliseconds since 1970.
	ClockTime Clock = iota
	// ClockHeight is the height of the block that spends.
	ClockHeight
)

// After holds from the instant At on.
type After struct {
	Clock Clock
	At    uint64
}

// Before holds up to the instant At, exclusive.
type Before struct {
	Clock Clock
	At    uint64
}

// All needs every one of its locks; of none, it is open to everybody.
type All struct{ Locks []Lock }

// Any needs the one of its locks that the witness names; without locks it can't be spent.
type Any struct{ Locks []Lock }

// Delegate lets its owner spend freely, and its delegate move up to Remaining of Token, while
// now <= Expiry, in transactions that create nothing but what Operations lists. What is not
// moved stays under the same lock with Remaining reduced. Only assets have such a lock, and
// the locks inside contain neither Delegate nor Proof.
type Delegate struct {
	Owner      Lock
	Delegate   Lock
	Operations Operations
	Token      TokenID
	Remaining  uint64 // base units
	Expiry     uint64 // ms since 1970
}

// Threshold needs a signature under a FROST group key. T of N are for wallets to read.
type Threshold struct {
	Key  PublicKey
	T, N int // 1 <= T <= N
}

// Proof needs a valid proof of its statement, made for the payee, and what the payee's lock
// needs. Its output is not part of the statement: any output that is proved will do.
type Proof struct {
	Kind  JobKind
	Key   VerifyingKey
	Job   Hash
	Model Hash
	Input Hash
	Payee Lock
}

// Address needs the lock with this hash, in the witness, and what that lock needs. It is how
// an address is paid by somebody who does not know the lock behind it.
type Address struct{ Hash Hash }

var (
	_ Lock = Key{}
	_ Lock = Multi{}
	_ Lock = HashLock{}
	_ Lock = After{}
	_ Lock = Before{}
	_ Lock = All{}
	_ Lock = Any{}
	_ Lock = Delegate{}
	_ Lock = Threshold{}
	_ Lock = Proof{}
	_ Lock = Address{}
)

func (Key) children() []Lock        { return nil }
func (Multi) children() []Lock      { return nil }
func (HashLock) children() []Lock   { return nil }
func (After) children() []Lock      { return nil }
func (Before) children() []Lock     { return nil }
func (l All) children() []Lock      { return l.Locks }
func (l Any) children() []Lock      { return l.Locks }
func (l Delegate) children() []Lock { return []Lock{l.Owner, l.Delegate} }
func (Threshold) children() []Lock  { return nil }
func (l Proof) children() []Lock    { return []Lock{l.Payee} }
func (Address) children() []Lock    { return nil }

var (
	errMulti     = errors.New("multi needs 1 to 32 keys, sorted and distinct, and 1 to all of them to sign")
	errClock     = errors.New("unknown clock")
	errThreshold = errors.New("threshold needs 1 <= t <= n <= 65535")
	errNilLock   = errors.New("lock is missing")
	errLockSize  = fmt.Errorf("lock of more than %d nodes or %d levels", MaxLockNodes, MaxLockDepth)
	errCovenant  = errors.New("delegate or proof where only plain locks may be")
	errOpsMask   = errors.New("unknown operation")
	errJobKind   = errors.New("unknown kind of job")
)

func (Key) check() error      { return nil }
func (HashLock) check() error { return nil }
func (All) check() error      { return nil }
func (Any) check() error      { return nil }
func (Address) check() error  { return nil }
func (l After) check() error  { return l.Clock.check() }
func (l Before) check() error { return l.Clock.check() }

func (c Clock) check() error {
	if c > ClockHeight {
		return errClock
	}
	return nil
}

func (l Multi) check() error {
	if l.Need < 1 || l.Need > len(l.Keys) || len(l.Keys) > MaxMultiKeys {
		return errMulti
	}
	for i := 1; i < len(l.Keys); i++ {
		if bytes.Compare(l.Keys[i-1][:], l.Keys[i][:]) >= 0 {
			return errMulti
		}
	}
	return nil
}

func (l Threshold) check() error {
	if l.T < 1 || l.T > l.N || l.N > 1<<16-1 {
		return errThreshold
	}
	return nil
}

func (l Delegate) check() error {
	if err := l.Operations.check(); err != nil {
		return err
	}
	return checkPlain(l.Owner, l.Delegate)
}

func (l Proof) check() error {
	if err := l.Kind.check(); err != nil {
		return err
	}
	return checkPlain(l.Payee)
}

// checkPlain refuses locks that contain covenants.
func checkPlain(locks ...Lock) error {
	for _, l := range locks {
		switch l.(type) {
		case nil:
			return errNilLock
		case Delegate, Proof:
			return errCovenant
		}
		if err := checkPlain(l.children()...); err != nil {
			return err
		}
	}
	return nil
}

// CheckLock reports whether l keeps the limits and ranges of a lock.
func CheckLock(l Lock) error {
	nodes := 0
	return checkLock(l, 1, &nodes)
}

func checkLock(l Lock, depth int, nodes *int) error {
	if l == nil {
		return errNilLock
	}
	if *nodes++; depth > MaxLockDepth || *nodes > MaxLockNodes {
		return errLockSize
	}
	for _, c := range l.children() {
		if err := checkLock(c, depth+1, nodes); err != nil {
			return err
		}
	}
	return l.check()
}

// checkStateLock requires a plain lock within the limits, as states hold them.
func checkStateLock(l Lock) error {
	if err := CheckLock(l); err != nil {
		return err
	}
	return checkPlain(l)
}

// LockHash identifies a lock: SHA-256 of its encoding or, of an [Address], the hash in it. So
// a lock and the address that pays it have one identity. It is the hash inside an address.
func LockHash(l Lock) Hash {
	if a, ok := l.(Address); ok {
		return a.Hash
	}
	return sha256.Sum256(l.append(nil))
}

// EncodeLock returns the canonical encoding of l.
func EncodeLock(l Lock) []byte { return l.append(nil) }

// sameLock compares by encoding.
func sameLock(a, b Lock) bool { return bytes.Equal(a.append(nil), b.append(nil)) }

// burned reports whether nothing can ever satisfy l by its shape alone.
func burned(l Lock) bool {
	a, ok := l.(Any)
	return ok && len(a.Locks) == 0
}

// Burn is the lock of outputs that nobody can spend.
func Burn() Lock { return Any{} }

// Open is the lock of outputs that anybody can spend. States whose data name the locks of
// their exits have it.
func Open() Lock { return All{} }
