package chain

import (
	"crypto/sha256"
	"math/bits"
	"slices"
)

// Env is what rules of time and identity compare with.
type Env struct {
	Chain  Hash   // of the genesis block; zero in it
	Height uint64 // of the block that holds the transaction
	Now    uint64 // timestamp of the parent block, ms since 1970
}

// spending is the evaluation of one input: it walks lock and exit, and collects what must hold
// besides. Signatures and proofs are collected, not verified.
type spending struct {
	v       *Validator
	env     *Env
	c       *checked
	input   int
	spent   *Output
	witness *InputWitness
	choices []uint64 // not yet consumed
	data    [][]byte // not yet consumed
	sighash Hash     // zero until the first signature

	nodes    int         // visited below the present root
	moved    bool        // a delegate has moved something
	move     Coin        // what, if so
	allowed  Operations  // by a delegate or a pool, outside the segment
	limiter  Code        // of the rule behind allowed
	required []Output    // the segment, in order
	sigs     []signature // to verify
	claims   []claimed   // to verify
}

// signature is one that must verify. The message of every signature is a digest of ours.
type signature struct {
	input   int
	key     PublicKey
	message Hash
	sig     []byte // 64 bytes
}

// unlock evaluates a lock from its root and returns what the lock becomes: itself, but for a
// delegate that has moved something.
func (s *spending) unlock(l Lock) (Lock, *RuleError) {
	s.nodes = 0
	next, err := s.walk(l)
	s.c.addCost(uint64(s.nodes) * costNode)
	return next, err
}

// unlockPlain evaluates a lock that contains no covenants.
func (s *spending) unlockPlain(l Lock) *RuleError {
	_, err := s.unlock(l)
	return err
}

func (s *spending) walk(l Lock) (Lock, *RuleError) {
	if s.nodes++; s.nodes > MaxLockNodes {
		return nil, broken(CodeUnsatisfied, "more than %d nodes with the locks revealed", MaxLockNodes)
	}
	switch l := l.(type) {
	case All:
		return s.walkAll(l)
	case Any:
		return s.walkAny(l)
	case Delegate:
		return s.walkDelegate(l)
	case Proof:
		return l, s.walkProof(l)
	}
	return l, s.leaf(l)
}

// leaf evaluates a lock without children.
func (s *spending) leaf(l Lock) *RuleError {
	switch l := l.(type) {
	case Key:
		return s.sign(l.Key)
	case Threshold:
		return s.sign(l.Key)
	case Multi:
		return s.multi(l)
	case HashLock:
		return s.preimage(l)
	case After:
		if s.clock(l.Clock) < l.At {
			return broken(CodeLockTime, "opens at %d, it is %d", l.At, s.clock(l.Clock))
		}
	case Before:
		if s.clock(l.Clock) >= l.At {
			return broken(CodeLockTime, "closed at %d, it is %d", l.At, s.clock(l.Clock))
		}
	case Address:
		return s.reveal(l)
	}
	return nil
}

func (s *spending) clock(c Clock) uint64 {
	if c == ClockHeight {
		return s.env.Height
	}
	return s.env.Now
}

func (s *spending) walkAll(l All) (Lock, *RuleError) {
	moved := s.moved
	next := l.Locks
	for i := range l.Locks {
		child, err := s.walk(l.Locks[i])
		if err != nil {
			return nil, err
		}
		if s.moved && !moved {
			next, moved = slices.Clone(l.Locks), true
			next[i] = child
		}
	}
	return All{next}, nil
}

func (s *spending) walkAny(l Any) (Lock, *RuleError) {
	if len(l.Locks) == 0 {
		return nil, broken(CodeUnsatisfied, "the output is burned")
	}
	branch, err := s.choice()
	if err != nil {
		return nil, err
	}
	if branch >= uint64(len(l.Locks)) {
		return nil, broken(CodeWitness, "branch %d of %d", branch, len(l.Locks))
	}
	moved := s.moved
	child, err := s.walk(l.Locks[branch])
	if err != nil || s.moved == moved {
		return l, err
	}
	next := slices.Clone(l.Locks)
	next[branch] = child
	return Any{next}, nil
}

// walkDelegate lets the owner spend freely, or records what the delegate moves.
func (s *spending) walkDelegate(l Delegate) (Lock, *RuleError) {
	who, err := s.choice()
	if err != nil {
		return nil, err
	}
	if who == 0 {
		_, err := s.walk(l.Owner)
		return l, err
	}
	amount, err := s.choice()
	switch {
	case err != nil:
		return nil, err
	case who > 1:
		return nil, broken(CodeWitness, "neither owner nor delegate: %d", who)
	case s.moved:
		return nil, broken(CodeDelegate, "a second delegate moves something of one output")
	case s.env.Now > l.Expiry:
		return nil, broken(CodeDelegate, "expired at %d, it is %d", l.Expiry, s.env.Now)
	case amount > l.Remaining:
		return nil, broken(CodeDelegate, "moves %d of %d", amount, l.Remaining)
	}
	if _, err := s.walk(l.Delegate); err != nil {
		return nil, err
	}
	s.moved, s.move = true, Coin{l.Token, amount}
	s.limit(l.Operations, CodeDelegate)
	l.Remaining -= amount
	return l, nil
}

func (s *spending) walkProof(l Proof) *RuleError {
	if _, err := s.prove(l.Kind, l.Key, statement{l.Job, l.Model, l.Input, LockHash(l.Payee)}); err != nil {
		return err
	}
	_, err := s.walk(l.Payee)
	return err
}

// reveal takes a lock from the witness and evaluates it.
func (s *spending) reveal(l Address) *RuleError {
	raw, err := s.item()
	if err != nil {
		return err
	}
	if Hash(sha256.Sum256(raw)) != l.Hash {
		return broken(CodeUnsatisfied, "the revealed lock has another hash")
	}
	lock, fault := DecodeLock(raw)
	if fault == nil {
		fault = checkStateLock(lock)
	}
	if _, again := lock.(Address); fault != nil || again {
		return broken(CodeUnsatisfied, "the revealed lock is not a plain lock")
	}
	_, err = s.walk(lock)
	return err
}

func (s *spending) preimage(l HashLock) *RuleError {
	p, err := s.item()
	if err != nil {
		return err
	}
	if len(p) != HashSize || Hash(sha256.Sum256(p)) != l.Digest {
		return broken(CodeUnsatisfied, "wrong preimage")
	}
	return nil
}

func (s *spending) multi(l Multi) *RuleError {
	mask, err := s.choice()
	if err != nil {
		return err
	}
	if bits.OnesCount64(mask) != l.Need || bits.Len64(mask) > len(l.Keys) {
		return broken(CodeWitness, "mask %b of %d keys, %d of which sign", mask, len(l.Keys), l.Need)
	}
	for i, k := range l.Keys {
		if mask>>i&1 == 0 {
			continue
		}
		if err := s.sign(k); err != nil {
			return err
		}
	}
	return nil
}

// sign records that the next item must be a signature of this input under a key.
func (s *spending) sign(k PublicKey) *RuleError {
	if s.sighash == (Hash{}) {
		s.sighash = SigHash(s.env.Chain, s.c.id, uint32(s.input), s.spent)
	}
	return s.signed(k, s.sighash)
}

// signed records that the next item must be a signature of message under a key.
func (s *spending) signed(k PublicKey, message Hash) *RuleError {
	sig, err := s.item()
	if err != nil {
		return err
	}
	if len(sig) != signatureSize {
		return broken(CodeWitness, "signature of %d bytes", len(sig))
	}
	s.sigs = append(s.sigs, signature{s.input, k, message, sig})
	s.c.addCost(costSignature)
	return nil
}

func (s *spending) choice() (uint64, *RuleError) {
	if len(s.choices) == 0 {
		return 0, broken(CodeWitness, "too few choices")
	}
	n := s.choices[0]
	s.choices = s.choices[1:]
	return n, nil
}

func (s *spending) item() ([]byte, *RuleError) {
	if len(s.data) == 0 {
		return nil, broken(CodeWitness, "too few items of data")
	}
	p := s.data[0]
	s.data = s.data[1:]
	return p, nil
}
