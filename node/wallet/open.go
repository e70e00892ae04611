package wallet

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// opener finds out how to open locks with what is at hand. It walks a lock in the order in which
// validation does, and of an Any it takes the branch that lacks least.
type opener struct {
	env     chain.Env
	signs   func(chain.PublicKey) bool
	known   map[chain.Hash]chain.Lock // behind addresses
	secrets map[chain.Hash][chain.HashSize]byte
	moves   *uint64 // what a delegate moves; nil to open as owner
	visited int     // nodes since the root
}

// maxVisited bounds the nodes that are looked at, revealed locks and all branches included. A
// witness that validation takes has at most chain.MaxLockNodes on its way.
const maxVisited = chain.MaxLockNodes * chain.MaxLockNodes

// item is one of the data of a witness: bytes, or a signature under a key.
type item struct {
	key   *chain.PublicKey
	bytes []byte
}

// opening is a way to open a lock.
type opening struct {
	choices []uint64
	items   []item
	gaps    []Gap
	nodes   uint64
	next    chain.Lock      // what the lock becomes
	moved   *chain.Delegate // as it was, if a delegate moves something
}

// cost is what validation charges for the opening, in units.
func (o *opening) cost() uint64 {
	n := o.nodes * costNode
	for _, i := range o.items {
		if i.key != nil {
			n += costSignature
		}
	}
	return n
}

// then appends what is done after o.
func (o *opening) then(p opening) {
	o.choices = append(o.choices, p.choices...)
	o.items = append(o.items, p.items...)
	o.gaps = append(o.gaps, p.gaps...)
	o.nodes += p.nodes
	if p.moved != nil {
		o.moved = p.moved
	}
}

func (o *opening) lack(g Gap) { o.gaps = append(o.gaps, g) }

// root opens a lock, which keeps the limits of locks.
func (p *opener) root(l chain.Lock) opening {
	p.visited = 0
	o := p.open(l)
	if o.nodes > chain.MaxLockNodes {
		o.lack(Gap{Kind: GapNever, Text: "a lock that is too large with what addresses hide"})
	}
	return o
}

func (p *opener) open(l chain.Lock) opening {
	o := opening{nodes: 1, next: l}
	if p.visited++; p.visited > maxVisited {
		o.lack(Gap{Kind: GapNever, Text: "a lock that is too large with what addresses hide"})
		return o
	}
	switch l := l.(type) {
	case chain.Key:
		p.sign(&o, l.Key)
	case chain.Multi:
		p.multi(&o, l)
	case chain.HashLock:
		p.preimage(&o, l)
	case chain.After:
		if now := p.clock(l.Clock); now < l.At {
			o.lack(Gap{Kind: GapTime, Text: fmt.Sprintf("a lock opens at %d, it is %d", l.At, now)})
		}
	case chain.Before:
		if now := p.clock(l.Clock); now >= l.At {
			o.lack(Gap{Kind: GapTime, Text: fmt.Sprintf("a lock was open until %d, it is %d", l.At, now)})
		}
	case chain.All:
		p.all(&o, l)
	case chain.Any:
		p.any(&o, l)
	case chain.Address:
		p.address(&o, l)
	case chain.Delegate:
		p.delegate(&o, l)
	default:
		o.lack(Gap{Kind: GapNever, Text: fmt.Sprintf("a lock of type %T, which no wallet opens", l)})
	}
	return o
}

func (p *opener) clock(c chain.Clock) uint64 {
	if c == chain.ClockHeight {
		return p.env.Height
	}
	return p.env.Now
}

func (p *opener) sign(o *opening, k chain.PublicKey) {
	o.items = append(o.items, item{key: &k})
	if !p.signs(k) {
		o.lack(Gap{Kind: GapSignature, Key: k})
	}
}

// multi takes the keys that sign and, where they are too few, the last of the others: no other
// mask takes more bytes.
func (p *opener) multi(o *opening, l chain.Multi) {
	var mask uint64
	left := l.Need
	for _, own := range []bool{true, false} {
		for i, k := range slices.Backward(l.Keys) {
			if left > 0 && p.signs(k) == own {
				mask |= 1 << i
				left--
			}
		}
	}
	o.choices = append(o.choices, mask)
	for i, k := range l.Keys {
		if mask>>i&1 == 1 {
			p.sign(o, k)
		}
	}
}

func (p *opener) preimage(o *opening, l chain.HashLock) {
	secret, ok := p.secrets[l.Digest]
	if !ok {
		o.lack(Gap{Kind: GapPreimage, Hash: l.Digest})
	}
	o.items = append(o.items, item{bytes: secret[:]})
}

func (p *opener) all(o *opening, l chain.All) {
	next := slices.Clone(l.Locks)
	for i, child := range l.Locks {
		c := p.open(child)
		if c.moved != nil && o.moved != nil {
			c.lack(Gap{Kind: GapNever, Text: "a lock with two delegates that both move something"})
		}
		next[i] = c.next
		o.then(c)
	}
	o.next = chain.All{Locks: next}
}

func (p *opener) any(o *opening, l chain.Any) {
	if len(l.Locks) == 0 {
		o.lack(Gap{Kind: GapNever, Text: "the output is burned"})
		return
	}
	branch, best := 0, p.open(l.Locks[0])
	for i, child := range l.Locks[1:] {
		if c := p.open(child); better(c.gaps, best.gaps) {
			branch, best = i+1, c
		}
	}
	o.choices = append(o.choices, uint64(branch))
	o.then(best)
	next := slices.Clone(l.Locks)
	next[branch] = best.next
	o.next = chain.Any{Locks: next}
}

func (p *opener) address(o *opening, l chain.Address) {
	behind, ok := p.known[l.Hash]
	if !ok {
		o.lack(Gap{Kind: GapLock, Hash: l.Hash})
		return
	}
	o.items = append(o.items, item{bytes: chain.EncodeLock(behind)})
	o.then(p.open(behind))
}

// Who opens a Delegate, as its first choice.
const (
	byOwner uint64 = iota
	byDelegate
)

func (p *opener) delegate(o *opening, l chain.Delegate) {
	if p.moves == nil {
		o.choices = append(o.choices, byOwner)
		o.then(p.open(l.Owner))
		return
	}
	o.choices = append(o.choices, byDelegate, *p.moves)
	switch {
	case p.env.Now > l.Expiry:
		o.lack(Gap{Kind: GapTime, Text: fmt.Sprintf("a delegation expired at %d, it is %d", l.Expiry, p.env.Now)})
	case *p.moves > l.Remaining:
		o.lack(Gap{Kind: GapNever, Text: fmt.Sprintf("a delegation over %d units, not %d", l.Remaining, *p.moves)})
	}
	o.then(p.open(l.Delegate))
	before := l
	l.Remaining -= min(l.Remaining, *p.moves)
	o.moved, o.next = &before, l
}

// opener returns one that signs with the wallet's key.
func (w *Wallet) opener(env chain.Env) *opener {
	own := w.signer.Public()
	return &opener{
		env: env, signs: func(k chain.PublicKey) bool { return k == own },
		known: w.known(), secrets: w.secrets(),
	}
}

// known are the locks behind addresses.
func (w *Wallet) known() map[chain.Hash]chain.Lock {
	all := map[chain.Hash]chain.Lock{chain.LockHash(w.Lock()): w.Lock()}
	for _, l := range w.Locks {
		all[chain.LockHash(l)] = l
	}
	return all
}

func (w *Wallet) secrets() map[chain.Hash][chain.HashSize]byte {
	all := map[chain.Hash][chain.HashSize]byte{}
	for _, s := range w.Preimages {
		all[sha256.Sum256(s[:])] = s
	}
	return all
}

// Needs is what a lock asks for on the way through it that lacks least.
type Needs struct {
	Signatures []chain.PublicKey // in the order of the witness, the wallet's own among them
	Gaps       []Gap             // what the wallet cannot supply now; none: it can open the lock
}

// Needs says what a lock asks for in the block that env is of, and what of it the wallet lacks.
func (w *Wallet) Needs(env chain.Env, l chain.Lock) (Needs, error) {
	if err := chain.CheckLock(l); err != nil {
		return Needs{}, fmt.Errorf("%w: %w", ErrLock, err)
	}
	o := w.opener(env).root(l)
	n := Needs{Gaps: o.gaps}
	for _, i := range o.items {
		if i.key != nil {
			n.Signatures = append(n.Signatures, *i.key)
		}
	}
	return n, nil
}
