package proofs

import (
	"bytes"
	"encoding/hex"
	"errors"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/wire"
	"github.com/weisyn/wes/prover/verify"
)

// Config of a verifier.
type Config struct {
	// KeyBytes bounds the encoded verifying keys whose decoded form is kept. Default 64 MiB.
	KeyBytes int
}

// Verifier checks proofs. It may be used from any goroutine.
type Verifier struct{ keys *cache }

var _ chain.ProofVerifier = (*Verifier)(nil)

// New returns a verifier.
func New(c Config) *Verifier {
	if c.KeyBytes == 0 {
		c.KeyBytes = 64 << 20
	}
	return &Verifier{newCache(c.KeyBytes)}
}

// KeyCost implements chain.ProofVerifier.
func (v *Verifier) KeyCost(kind chain.ResourceKind, key []byte) (uint64, bool, error) {
	k, err := v.keys.get(jobKind(kind), key)
	if err != nil {
		return 0, false, nil //nolint:nilerr // bytes that do not decode are no fault
	}
	if k.circuit != nil && (kind == chain.ResourcePlonk) != plonk(k.circuit.System) {
		return 0, false, nil
	}
	return k.cost(), true, nil
}

// jobKind is the kind of the jobs whose proofs verify under the key of a resource.
func jobKind(kind chain.ResourceKind) chain.JobKind {
	if kind == chain.ResourceModel {
		return chain.JobInfer
	}
	return chain.JobProve
}

// Cost implements chain.ProofVerifier: what the key says, and hashing and decoding what is
// attached.
func (v *Verifier) Cost(c *chain.Claim) uint64 {
	return c.Key.Cost + (uint64(c.InputLen)+uint64(c.OutputLen)+uint64(c.ProofLen))/bytesPerUnit
}

// Verify implements chain.ProofVerifier.
func (v *Verifier) Verify(c *chain.Claim, e *chain.Evidence) (bool, error) {
	k, err := v.keys.get(c.Kind, e.Key)
	if err != nil {
		return false, nil //nolint:nilerr // bytes that do not decode are no fault
	}
	if k.model != nil {
		return inference(k.model, c, e), nil
	}
	return circuitProof(k.circuit, c, e), nil
}

// inference checks a proof of a model's run, for the job, payee and chain of the claim.
func inference(m *verify.Model, c *chain.Claim, e *chain.Evidence) bool {
	if m.Digest() != c.Model {
		return false
	}
	inputs, err := DecodeInput(e.Input)
	if err != nil {
		return false
	}
	outputs, err := DecodeOutput(e.Output)
	if err != nil {
		return false
	}
	f, err := verify.DecodeFile(e.Proof, m)
	if err != nil || !equalOutputs(f.OutputValues(), outputs) {
		return false
	}
	job := JobOf(c.Chain, c.Job, c.Payee)
	if f.Model != c.Model || f.Job != job.ID || f.Payee != job.Payee || f.Chain != job.Chain {
		return false
	}
	s, err := f.Statement(inputs)
	return err == nil && verify.Verify(m, s, f.Proof) == nil
}

// Job names whom a proof of an inference is for, as the statement holds it.
type Job struct{ ID, Payee, Chain string }

// JobOf is the job of a proof for a job's id and the LockHash of who is paid, on a chain.
func JobOf(chainID, job, payee chain.Hash) Job {
	return Job{hex.EncodeToString(job[:]), hex.EncodeToString(payee[:]), hex.EncodeToString(chainID[:])}
}

// circuitProof checks a gnark proof: the model is the hash of the key, the input the public
// witness, and there is no output.
func circuitProof(k *circuit.VerifyingKey, c *chain.Claim, e *chain.Evidence) bool {
	if c.Model != c.Key.Hash || len(e.Output) > 0 {
		return false
	}
	public, err := circuit.DecodeWitness(k.Curve, e.Input)
	if err != nil || public.Secret != 0 || !bytes.Equal(public.Encode(), e.Input) {
		return false
	}
	shape, err := wire.Proof(k.Curve, k.Scheme, e.Proof)
	if err != nil || shape.Commitments != k.Commitments {
		return false // before gnark decodes as many points as the bytes hold
	}
	return k.Verify(public, e.Proof, circuit.TargetGnark) == nil
}

var errKey = errors.New("not a verifying key of the ledger")
