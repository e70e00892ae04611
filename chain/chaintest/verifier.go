package chaintest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/weisyn/wes/chain"
)

// ErrFault is what a Verifier returns for the proof that Fault names.
var ErrFault = errors.New("fault of the verifier")

// Verifier is a proof system without proofs: Prove can be called by anyone who has the claim.
// It counts the proofs it verifies.
type Verifier struct {
	Fault    chain.Hash // of a proof; zero for none
	verified atomic.Int64
}

var _ chain.ProofVerifier = (*Verifier)(nil)

// keyMagic begins every verifying key of this system; a cost in 8 bytes follows.
const keyMagic = "test key"

// Key returns a verifying key of a cost, and how outputs name it.
func Key(cost uint64, seed byte) ([]byte, chain.VerifyingKey) {
	b := append(binary.BigEndian.AppendUint64([]byte(keyMagic), cost), seed)
	m := NewMemory()
	a := m.Attach(chain.AttachKey, b)
	return b, chain.VerifyingKey{Hash: a.SHA256, Len: a.Len, Cost: cost}
}

// KeyCost implements chain.ProofVerifier.
func (v *Verifier) KeyCost(_ chain.ResourceKind, key []byte) (uint64, bool, error) {
	rest, ok := bytes.CutPrefix(key, []byte(keyMagic))
	if !ok || len(rest) != 9 {
		return 0, false, nil
	}
	return binary.BigEndian.Uint64(rest), true, nil
}

// Cost implements chain.ProofVerifier.
func (v *Verifier) Cost(c *chain.Claim) uint64 { return c.Key.Cost + uint64(c.ProofLen)/1024 }

// Verify implements chain.ProofVerifier.
func (v *Verifier) Verify(c *chain.Claim, e *chain.Evidence) (bool, error) {
	v.verified.Add(1)
	if v.Fault != (chain.Hash{}) && c.Proof == v.Fault {
		return false, ErrFault
	}
	return bytes.HasPrefix(e.Proof, Prove(c)), nil
}

// Verified returns the number of calls of Verify.
func (v *Verifier) Verified() int { return int(v.verified.Load()) }

// Prove returns a proof of a claim, whatever the claim says of the proof. Longer bytes with it
// at their start are other proofs of the same claim.
func Prove(c *chain.Claim) []byte {
	bare := *c
	bare.Proof, bare.ProofLen, bare.InputLen, bare.OutputLen = chain.Hash{}, 0, 0, 0
	id := bare.ID()
	return id[:]
}
