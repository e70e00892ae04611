package circuit

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/weisyn/wes/prover/circuit/wire"
)

// VerifyingKey decides about proofs of one circuit.
type VerifyingKey struct {
	System
	Public      int // values of a public witness
	Commitments int // that a proof holds besides the scheme's own
	key         verifyingKey
	encoded     []byte
}

// DecodeVerifyingKey reads gnark's encoding, compressed or raw, of a key that anyone may have
// made. Its errors are *InputError.
func DecodeVerifyingKey(s System, b []byte) (*VerifyingKey, error) {
	shape, err := wire.VerifyingKey(s.Curve, s.Scheme, b)
	if err != nil {
		return nil, &InputError{"verifying key", err}
	}
	key := s.newVerifyingKey()
	if err := decode(key, b); err != nil {
		return nil, &InputError{"verifying key", err}
	}
	canonical, err := encode(key)
	if err != nil {
		return nil, err
	}
	return &VerifyingKey{s, shape.Public, shape.Commitments, key, canonical}, nil
}

// Encode gives gnark's compressed encoding, the only one of this key that a package holds.
func (k *VerifyingKey) Encode() []byte { return k.encoded }

// Verify checks a proof in gnark's compressed encoding, the only one accepted. Its error is
// a *Rejection.
func (k *VerifyingKey) Verify(public *Witness, proof []byte, t Target) error {
	if public.Curve != k.Curve {
		return &Rejection{CheckPublic, fmt.Errorf("values over %s, the key is over %s", curveName(public.Curve), k.CurveName())}
	}
	if public.Public != k.Public || public.Secret != 0 {
		return &Rejection{CheckPublic, fmt.Errorf("%d public and %d secret values, want %d and none", public.Public, public.Secret, k.Public)}
	}
	p, err := k.decodeProof(proof)
	if err != nil {
		return &Rejection{CheckEncoding, err}
	}
	w, err := public.gnark()
	if err != nil {
		return &Rejection{CheckPublic, err}
	}
	if err := k.System.verify(p, k.key, w, t); err != nil {
		return &Rejection{CheckProof, err}
	}
	return nil
}

var errEncoding = errors.New("not the compressed encoding that gnark's WriteTo gives")

func (k *VerifyingKey) decodeProof(b []byte) (proof, error) {
	if _, err := wire.Proof(k.Curve, k.Scheme, b); err != nil {
		return nil, err
	}
	p := k.newProof()
	if err := decode(p, b); err != nil {
		return nil, err
	}
	again, err := encode(p)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, b) {
		return nil, errEncoding
	}
	return p, nil
}
