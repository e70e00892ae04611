package wallet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"maps"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Partial is a transaction that is not signed by all who have to.
type Partial struct {
	Tx *chain.Tx
	// Attachments are beside the transaction. They are not a part of the encoding.
	Attachments [][]byte

	inputs  []partialInput
	known   []chain.Lock           // behind addresses, by hash, ascending
	secrets [][chain.HashSize]byte // of hash locks, ascending
	drawn   uint64                 // of the fee, from a covenant
}

// partialInput is what is known of an input's witness.
type partialInput struct {
	spent      chain.Output
	base, exit uint32
	moves      *uint64     // as a delegate of the output's lock
	steps      []step      // after the output's lock
	signatures []signature // by key, ascending
}

// step is what an exit takes from the witness: a number, bytes, or a lock that is opened.
type step struct {
	kind   stepKind
	number uint64
	bytes  []byte
	lock   chain.Lock
}

type stepKind byte

const (
	stepNumber stepKind = iota + 1
	stepBytes
	stepLock
)

func number(n uint64) step     { return step{kind: stepNumber, number: n} }
func unlock(l chain.Lock) step { return step{kind: stepLock, lock: l} }
func data(b []byte) step       { return step{kind: stepBytes, bytes: b} }

type signature struct {
	key   chain.PublicKey
	bytes [ed25519.SignatureSize]byte
}

// of returns the signature under a key.
func (in *partialInput) of(k chain.PublicKey) ([]byte, bool) {
	i, ok := slices.BinarySearchFunc(in.signatures, k, func(s signature, k chain.PublicKey) int { return bytes.Compare(s.key[:], k[:]) })
	if !ok {
		return nil, false
	}
	return in.signatures[i].bytes[:], true
}

// put adds a signature.
func (in *partialInput) put(s signature) {
	i, ok := slices.BinarySearchFunc(in.signatures, s.key, func(s signature, k chain.PublicKey) int { return bytes.Compare(s.key[:], k[:]) })
	if ok {
		in.signatures[i] = s
		return
	}
	in.signatures = slices.Insert(in.signatures, i, s)
}

// open opens everything that an input has to, and returns its whole witness.
func (in *partialInput) open(p *opener) opening {
	p.moves = in.moves
	o := p.root(in.spent.Lock)
	p.moves = nil
	for _, s := range in.steps {
		switch s.kind {
		case stepNumber:
			o.choices = append(o.choices, s.number)
		case stepBytes:
			o.items = append(o.items, item{bytes: s.bytes})
		case stepLock:
			o.then(p.root(s.lock))
		}
	}
	return o
}

// opener returns one that knows what the partial transaction says.
func (p *Partial) opener(env chain.Env) *opener {
	o := &opener{env: env, known: map[chain.Hash]chain.Lock{}, secrets: map[chain.Hash][chain.HashSize]byte{}}
	for _, l := range p.known {
		o.known[chain.LockHash(l)] = l
	}
	for _, s := range p.secrets {
		o.secrets[sha256.Sum256(s[:])] = s
	}
	return o
}

// sigHash is what signers of an input sign.
func (p *Partial) sigHash(id chain.Hash, i int) chain.Hash {
	return chain.SigHash(p.Tx.Chain, id, uint32(i), &p.inputs[i].spent)
}

// weight returns what the transaction takes up when it is signed. Signatures have one size, so
// it is known before; signs says whose are expected where a lock leaves a choice, and cost is that
// of proofs and of states that are referred to, in units.
func (p *Partial) weight(env chain.Env, signs func(chain.PublicKey) bool, cost uint64) (base, weight uint64) {
	var size uint64
	o := p.opener(env)
	o.signs = signs
	w := make(chain.Witness, len(p.inputs))
	for i := range p.inputs {
		in := &p.inputs[i]
		opened := in.open(o)
		cost += opened.cost() + stateCost(&in.spent)
		w[i] = in.witness(&opened, func(chain.PublicKey) []byte { return make([]byte, ed25519.SignatureSize) })
	}
	for _, a := range p.Tx.Attachments {
		size += uint64(a.Len)
		cost += kibCost(uint64(a.Len))
	}
	base = uint64(len(p.Tx.Encode()) + len(w.Encode()))
	return base, chain.Weight(base, size, cost)
}

// witness makes the witness of an opened input.
func (in *partialInput) witness(o *opening, sig func(chain.PublicKey) []byte) chain.InputWitness {
	w := chain.InputWitness{OutBase: in.base, Exit: in.exit, Choices: o.choices}
	for _, i := range o.items {
		if i.key != nil {
			w.Data = append(w.Data, sig(*i.key))
		} else {
			w.Data = append(w.Data, i.bytes)
		}
	}
	return w
}

// clone copies what signing changes.
func (p *Partial) clone() *Partial {
	q := *p
	q.inputs = slices.Clone(p.inputs)
	for i := range q.inputs {
		q.inputs[i].signatures = slices.Clone(q.inputs[i].signatures)
	}
	return &q
}

// reveal notes the locks and preimages that the inputs ask for.
func (p *Partial) reveal(known map[chain.Hash]chain.Lock, secrets map[chain.Hash][chain.HashSize]byte) {
	locks, preimages := map[chain.Hash]chain.Lock{}, map[chain.Hash][chain.HashSize]byte{}
	for _, l := range p.known {
		locks[chain.LockHash(l)] = l
	}
	for _, s := range p.secrets {
		preimages[sha256.Sum256(s[:])] = s
	}
	var visit func(l chain.Lock)
	visit = func(l chain.Lock) {
		switch l := l.(type) {
		case chain.All:
			for _, child := range l.Locks {
				visit(child)
			}
		case chain.Any:
			for _, child := range l.Locks {
				visit(child)
			}
		case chain.Delegate:
			visit(l.Owner)
			visit(l.Delegate)
		case chain.HashLock:
			if s, ok := secrets[l.Digest]; ok {
				preimages[l.Digest] = s
			}
		case chain.Address:
			behind, ok := known[l.Hash]
			if _, seen := locks[l.Hash]; ok && !seen {
				locks[l.Hash] = behind
				visit(behind)
			}
		}
	}
	for _, in := range p.inputs {
		visit(in.spent.Lock)
		for _, s := range in.steps {
			if s.kind == stepLock {
				visit(s.lock)
			}
		}
	}
	p.known, p.secrets = nil, nil
	for _, h := range slices.SortedFunc(maps.Keys(locks), compareTokens) {
		p.known = append(p.known, locks[h])
	}
	for _, s := range preimages {
		p.secrets = append(p.secrets, s)
	}
	slices.SortFunc(p.secrets, func(a, b [chain.HashSize]byte) int { return bytes.Compare(a[:], b[:]) })
}
