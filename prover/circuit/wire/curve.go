package wire

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// encoding gives the sizes in bytes of what the encoders of gnark-crypto write for one curve. A
// raw point is twice as long as a compressed one.
type encoding struct {
	curve ecc.ID
	fr    int
	fp    int
	g1    int // compressed
	g2    int // compressed
	mask  byte
	raw   []byte // flags of points in raw form
	short []byte // flags of points in compressed form
	lines int    // of a verifying key of KZG: lines of two points for two steps, two coefficients each
}

func encodingOf(c ecc.ID) (encoding, error) {
	// The marshal.go of each curve defines the flags, kzg/marshal.go the number of lines.
	three := encoding{
		curve: c, mask: 0b111 << 5,
		raw:   []byte{0b000 << 5, 0b010 << 5},
		short: []byte{0b100 << 5, 0b101 << 5, 0b110 << 5},
	}
	switch c {
	case ecc.BN254:
		two := encoding{curve: c, mask: 0b11 << 6, raw: []byte{0}, short: []byte{0b01 << 6, 0b10 << 6, 0b11 << 6}}
		return two.sized(32, 32, 2, 66), nil
	case ecc.BLS12_381, ecc.BLS12_377:
		return three.sized(32, 48, 2, 63), nil
	case ecc.BW6_761:
		return three.sized(48, 96, 1, 189), nil
	}
	return encoding{}, fmt.Errorf("%w: %s", ErrUnsupported, c)
}

// sized fills in the sizes; degree is that of the field of G2 over that of G1.
func (e encoding) sized(fr, fp, degree, lines int) encoding {
	e.fr, e.fp = fr, fp
	e.g1, e.g2 = fp, degree*fp
	e.lines = 2 * 2 * lines * 2 * degree * fp
	return e
}

func checkScheme(s backend.ID) error {
	if s != backend.GROTH16 && s != backend.PLONK {
		return fmt.Errorf("%w: %s", ErrUnsupported, s)
	}
	return nil
}
