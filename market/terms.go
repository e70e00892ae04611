package market

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Terms are what a job is, whoever does it. Lengths are in bytes.
type Terms struct {
	_       struct{} `cbor:",toarray"`
	Kind    chain.JobKind
	Level   chain.Level
	Program Ref // output of the resource, whose key the ledger keeps
	Key     chain.Hash
	KeyLen  uint32
	KeyCost uint64
	Model   chain.Hash // digest of a model, or hash of a circuit's key
	// Input is the hash of the input as the ledger sees it: tensors, or public witness.
	Input chain.Hash
	// Payload is the hash of what the operator is sent: the same tensors, or the full witness.
	Payload    chain.Hash
	PayloadLen uint32
	Token      chain.TokenID
	Client     chain.PublicKey
	// Owner is the encoded lock that is paid Royalty; empty if that is zero.
	Owner   []byte
	Royalty uint64
}

var (
	errTerms   = errors.New("a kind, level or length out of range")
	errRoyalty = errors.New("a royalty without owner, or an owner without royalty")
)

func (t *Terms) check() error {
	switch {
	case t.Kind != chain.JobInfer && t.Kind != chain.JobProve,
		t.Level != chain.LevelZK && t.Level != chain.LevelOptimistic,
		t.Kind == chain.JobProve && t.Level != chain.LevelZK, // its output is empty: no other could refute it
		t.KeyLen == 0 || t.KeyLen > chain.MaxKeySize,
		t.PayloadLen > MaxPayload,
		t.Kind == chain.JobInfer && t.Input != t.Payload:
		return errTerms
	case (len(t.Owner) == 0) != (t.Royalty == 0):
		return errRoyalty
	}
	if len(t.Owner) > 0 {
		if _, err := chain.DecodeLock(t.Owner); err != nil {
			return fmt.Errorf("lock of the owner: %w", err)
		}
	}
	return nil
}

// Hash identifies the terms.
func (t *Terms) Hash() chain.Hash { return tagged("wes/terms/1", encode(t)) }

// JobID returns the id of the job with these terms that the client drew a nonce for.
func (t *Terms) JobID(id chain.Hash, nonce [16]byte) chain.Hash {
	return chain.JobID(id, chain.Key{Key: t.Client}, nonce, t.Hash())
}

// Escrow returns the escrow of a job for a bid, from now on.
func (t *Terms) Escrow(job chain.Hash, b *Bid, p *chain.Params, now uint64) *chain.JobEscrow {
	e := &chain.JobEscrow{
		Job: job, Client: chain.Key{Key: t.Client}, Operator: chain.Key{Key: b.Operator},
		Level: t.Level, Kind: t.Kind, Key: chain.VerifyingKey{Hash: t.Key, Len: t.KeyLen, Cost: t.KeyCost},
		Model: t.Model, Input: t.Input, Token: t.Token, Price: b.Price, FeeReserve: Reserve(b.ProveFee),
		Bond: leastBond(b.Price, t.Level, p), Start: now, Due: now + p.MinPromise + b.Promise,
	}
	e.Late = e.Due + p.MinLate
	if t.Royalty > 0 {
		lock, err := chain.DecodeLock(t.Owner)
		if err != nil {
			panic("BUG: terms with a lock that does not decode")
		}
		e.Royalty = chain.Royalty{Lock: lock, Amount: t.Royalty}
	}
	return e
}

// Reserve is the fee reserve of an escrow, 1.5 times the fee of its exit by proof.
func Reserve(proveFee uint64) uint64 { return saturated(proveFee, (proveFee+1)/2) }

// worth is how many times the fee of proving on the ledger a price is below for a channel to pay off.
const worth = 50

// Worthwhile reports whether a job of this price is better paid through a channel than by an escrow
// of its own; proveFee is what settling that one by proof would cost.
func Worthwhile(price, proveFee uint64) bool {
	limit, ok := times(proveFee, worth)
	return !ok || price < limit
}

const basisPoints = 10_000

// leastBond returns the bond that the rules of the ledger ask for, rounded up.
func leastBond(price uint64, level chain.Level, p *chain.Params) uint64 {
	points := p.BondZK
	if level == chain.LevelOptimistic {
		points = p.BondOptimistic
	}
	whole, ok := times(price/basisPoints, points)
	rest, ok2 := times(price%basisPoints, points)
	if !ok || !ok2 {
		return 1<<64 - 1
	}
	return saturated(whole, (rest+basisPoints-1)/basisPoints)
}

// tagged is SHA-256 of a tag, a zero byte and the parts.
func tagged(tag string, parts ...[]byte) (h chain.Hash) {
	d := sha256.New()
	d.Write([]byte(tag))
	d.Write([]byte{0})
	for _, p := range parts {
		d.Write(p)
	}
	return chain.Hash(d.Sum(nil))
}
