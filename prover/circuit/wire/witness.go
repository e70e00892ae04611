package wire

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// WitnessShape is what the encoding of a witness tells.
type WitnessShape struct {
	Curve  ecc.ID
	Public int // the constant wire is not among them
	Secret int // 0 in a public witness
}

// Witness scans what WriteTo or MarshalBinary of a gnark witness wrote, full or public: the
// numbers of public and secret values must add up to that of the elements present, at most
// maxElements. The error is an [Error], or ErrUnsupported.
func Witness(c ecc.ID, b []byte, maxElements int) (WitnessShape, error) {
	s, err := scanBytes("witness", c, backend.GROTH16, b)
	if err != nil {
		return WitnessShape{}, err
	}
	public, secret := s.uint32("number of public values"), s.uint32("number of secret values")
	at := s.offset
	n := s.scalars("values")
	if sum := uint64(public) + uint64(secret); s.err == nil && uint64(n) != sum {
		s.refuse("values", at, n, fmt.Sprintf("%d public and %d secret", public, secret))
	}
	if s.err == nil && n > maxElements {
		s.refuse("values", at, n, fmt.Sprintf("at most %d", maxElements))
	}
	if err := s.end(); err != nil {
		return WitnessShape{}, err
	}
	return WitnessShape{Curve: c, Public: int(public), Secret: int(secret)}, nil
}
