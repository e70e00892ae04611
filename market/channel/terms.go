package channel

import (
	"bytes"

	"github.com/weisyn/wes/chain"
)

// Times, in ms.
const (
	// Margin before the expiry: no job is begun in it, and the operator closes.
	Margin = 30 * 60 * 1000
	// MinLife is the least time that a channel is opened for, without Margin.
	MinLife = 30 * 60 * 1000
)

// Terms are what a channel is. Amounts are base units of Token.
type Terms struct {
	_        struct{} `cbor:",toarray"`
	Chain    chain.Hash
	Client   chain.PublicKey
	Operator chain.PublicKey // another key than Client
	Token    chain.TokenID
	Cap      uint64 // what the funding output holds; above Fee
	Expiry   uint64 // from when on the client may reclaim, ms since 1970; above Margin
	Fee      uint64 // of the transaction that closes the channel
}

// Check reports terms out of range, as [ErrTerms].
func (t *Terms) Check() error {
	switch {
	case t.Client == t.Operator:
		return refuse(ErrTerms, "client and operator have one key")
	case t.Cap <= t.Fee:
		return refuse(ErrTerms, "cap of %d, and a fee of %d", t.Cap, t.Fee)
	case t.Expiry <= Margin:
		return refuse(ErrTerms, "expires at %d", t.Expiry)
	}
	return nil
}

// Limit is what all jobs together may cost: the cap but for what the client's rest has to be.
func (t *Terms) Limit() uint64 { return t.Cap - t.Fee }

// open reports whether jobs may begin.
func (t *Terms) open(now uint64) error {
	if now > t.Expiry-Margin {
		return refuse(ErrExpired, "it is %d, jobs begin up to %d", now, t.Expiry-Margin)
	}
	return nil
}

// keys returns the keys of the lock in its order.
func (t *Terms) keys() []chain.PublicKey {
	if t.clientFirst() {
		return []chain.PublicKey{t.Client, t.Operator}
	}
	return []chain.PublicKey{t.Operator, t.Client}
}

func (t *Terms) clientFirst() bool { return bytes.Compare(t.Client[:], t.Operator[:]) < 0 }

// Branches of the lock.
const (
	branchBoth uint64 = iota
	branchClient
)

// Lock returns the lock of the funding output.
func (t *Terms) Lock() chain.Lock {
	return chain.Any{Locks: []chain.Lock{
		chain.Multi{Need: 2, Keys: t.keys()},
		chain.All{Locks: []chain.Lock{chain.After{Clock: chain.ClockTime, At: t.Expiry}, chain.Key{Key: t.Client}}},
	}}
}

// Output returns the funding output.
func (t *Terms) Output() chain.Output {
	return chain.Output{Lock: t.Lock(), Value: chain.Tokens(t.Token, t.Cap)}
}

// Announce names a channel to the operator. The client funds it alone; the operator looks up the
// funding output in its own ledger.
type Announce struct {
	_     struct{} `cbor:",toarray"`
	Terms Terms
	Tx    chain.Hash // of the funding output
	Index uint32
}

func (a *Announce) check() error { return a.Terms.Check() }

// Funding names the funding output.
func (a *Announce) Funding() chain.Outpoint { return chain.Outpoint{Tx: a.Tx, Index: a.Index} }

// ID identifies the channel: SHA-256 of "wes/channel/1" ‖ encoding.
func (a *Announce) ID() chain.Hash { return tagged("wes/channel/1", a.Encode()) }

// Encode returns the canonical encoding.
func (a *Announce) Encode() []byte { return encode(a) }

// DecodeAnnounce is the inverse of Encode. Its errors are [ErrMalformed].
func DecodeAnnounce(b []byte) (*Announce, error) { return decode[Announce](b, MaxAnnounce) }

// CheckFunding reports an unspent output that is not the funding output, as [ErrFunding].
func (a *Announce) CheckFunding(u *chain.UTXO) error {
	want := a.Terms.Output()
	switch {
	case u.Outpoint != a.Funding():
		return refuse(ErrFunding, "output %v:%d, want %v:%d", u.Outpoint.Tx, u.Outpoint.Index, a.Tx, a.Index)
	case u.Entry.Output.Hash() != want.Hash():
		return refuse(ErrFunding, "lock, value or body of output %v:%d", a.Tx, a.Index)
	}
	return nil
}
