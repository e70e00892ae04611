// Package transcript turns an interactive proof into a non-interactive one
// (Fiat–Shamir). Prover and verifier drive the same [Transcript] with the same
// sequence of calls; every message is bound with its type, label and count, so
// two different sequences never lead to the same state.
//
// A Transcript holds field elements and single digests only. Bulk data (points,
// tensors) enters as one SHA-256 digest, in both kinds.
package transcript

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// ErrUnknownKind is returned by New and ParseKind for a kind that is not one of
// the constants of this package.
var ErrUnknownKind = errors.New("unknown transcript kind")

// Kind selects the hash below a transcript. It is part of what a proof states:
// proofs of different kinds never verify for one another.
type Kind uint8

const (
	// SHA256 is a hash chain over SHA-256, the default.
	SHA256 Kind = 1
	// Poseidon2 is a sponge over the scalar field of BN254, for proofs that are
	// verified inside a circuit.
	Poseidon2 Kind = 2
)

// String returns the name that ParseKind accepts.
func (k Kind) String() string {
	switch k {
	case SHA256:
		return "sha256"
	case Poseidon2:
		return "poseidon2"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind is the inverse of Kind.String. Any other name gives ErrUnknownKind.
func ParseKind(name string) (Kind, error) {
	for _, k := range []Kind{SHA256, Poseidon2} {
		if k.String() == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("parse transcript kind %q: %w", name, ErrUnknownKind)
}

// message is the type of an absorbed message.
type message byte

const (
	messageDomain message = iota
	messageScalars
	messageDigest
	messageUint64
	messageChallenge
	// messageSqueeze never enters a state: it derives outputs from one.
	messageSqueeze
)

// sponge is the state machine below a transcript.
type sponge interface {
	// absorb binds one message: its type, label, declared count and payload. The
	// length of the payload is a function of type and count.
	absorb(m message, label string, count uint64, payload []fr.Element)
	// squeeze fills dst. The state must have absorbed a messageChallenge with
	// count len(dst) just before.
	squeeze(dst []fr.Element)
}

// Transcript is the running state of one proof. It is not safe for concurrent
// use. The zero value is not usable, see New.
type Transcript struct {
	kind  Kind
	state sponge
}

// New starts a transcript bound to kind and domain. It returns ErrUnknownKind
// for a kind that is not a constant of this package.
func New(kind Kind, domain string) (*Transcript, error) {
	t := &Transcript{kind: kind}
	switch kind {
	case SHA256:
		t.state = newChain(kind)
	case Poseidon2:
		t.state = newDuplex(kind)
	default:
		return nil, fmt.Errorf("new transcript of %v: %w", kind, ErrUnknownKind)
	}
	t.state.absorb(messageDomain, domain, 0, nil)
	return t, nil
}

// Kind returns the kind the transcript was made with.
func (t *Transcript) Kind() Kind { return t.kind }

// AppendScalars binds one message of len(v) field elements; v may be empty.
func (t *Transcript) AppendScalars(label string, v ...fr.Element) {
	t.state.absorb(messageScalars, label, uint64(len(v)), v)
}

// AppendDigest binds 32 bytes as two big-endian 128-bit integers.
func (t *Transcript) AppendDigest(label string, d [32]byte) {
	var halves [2]fr.Element
	halves[0].SetBytes(d[:16])
	halves[1].SetBytes(d[16:])
	t.state.absorb(messageDigest, label, 2, halves[:])
}

// AppendUint64 binds one integer.
func (t *Transcript) AppendUint64(label string, v uint64) {
	t.state.absorb(messageUint64, label, 1, []fr.Element{fr.NewElement(v)})
}

// Challenge returns one element of the whole field that depends on everything
// bound so far, and binds that it was drawn.
func (t *Transcript) Challenge(label string) fr.Element {
	return t.Challenges(label, 1)[0]
}

// Challenges draws n elements at once, n >= 0. It differs from n single draws:
// the count is bound.
func (t *Transcript) Challenges(label string, n int) []fr.Element {
	out := make([]fr.Element, n)
	t.state.absorb(messageChallenge, label, uint64(n), nil)
	t.state.squeeze(out)
	return out
}
