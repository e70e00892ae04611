package chain

import "encoding/binary"

// Claim is what a proof is said to show: under Key, the program Model run on Input gives
// Output, for the job and payee, on the chain. All of it is known before any work.
type Claim struct {
	Kind   JobKind
	Key    VerifyingKey
	Chain  Hash // of the genesis block
	Job    Hash
	Payee  Hash // LockHash of whom the proof pays
	Model  Hash
	Input  Hash // SHA-256 of the attached input
	Output Hash // SHA-256 of the attached output
	Proof  Hash // SHA-256 of the attached proof

	InputLen, OutputLen, ProofLen uint32 // bytes
}

// ID identifies a claim with its proof and key: what a cache of successes is keyed by.
func (c *Claim) ID() Hash {
	b := []byte{byte(c.Kind)}
	for _, h := range []Hash{c.Key.Hash, c.Chain, c.Job, c.Payee, c.Model, c.Input, c.Output, c.Proof} {
		b = append(b, h[:]...)
	}
	for _, n := range []uint32{c.Key.Len, c.InputLen, c.OutputLen, c.ProofLen} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return tagged(tagProof, b)
}

// Evidence holds the bytes behind a claim, each with the hash and length that the claim says.
type Evidence struct{ Key, Input, Output, Proof []byte }

// ProofVerifier checks proofs. All methods are called from several goroutines, are
// deterministic, and survive hostile bytes. An error is a fault of this machine; bytes that do
// not decode are answered with false.
type ProofVerifier interface {
	// KeyCost returns what one verification under a key of a resource costs, in units.
	KeyCost(kind ResourceKind, key []byte) (units uint64, ok bool, err error)
	// Cost bounds the units of verifying a claim, by the cost of its key and by lengths.
	Cost(c *Claim) uint64
	// Verify reports whether the proof holds.
	Verify(c *Claim, e *Evidence) (ok bool, err error)
}
