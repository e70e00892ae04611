package circuit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/witness"
)

// maxValues bounds the values of a witness.
const maxValues = 1 << 26

// witnessHeader is gnark's: numbers of public and of secret values, length of the vector.
// All are 32 bits, the highest byte first.
const witnessHeader = 12

// Witness holds values for a circuit's variables, or for the public ones only.
type Witness struct {
	Curve  ecc.ID
	Public int
	Secret int    // 0 in a public witness
	values []byte // the public ones, then the secret ones; each below the modulus, highest byte first
}

// DecodeWitness reads gnark's binary encoding, or JSON as DecodeWitnessJSON does. Its errors
// are *InputError.
func DecodeWitness(c ecc.ID, b []byte) (*Witness, error) {
	decode := decodeBinary
	if text := bytes.TrimLeft(b, " \t\r\n"); len(text) > 0 && text[0] == '{' {
		decode = decodeJSON
	}
	w, err := decode(c, b)
	if err == nil {
		err = w.checkRange()
	}
	if err != nil {
		return nil, &InputError{"witness", err}
	}
	return w, nil
}

func decodeBinary(c ecc.ID, b []byte) (*Witness, error) {
	if len(b) < witnessHeader {
		return nil, fmt.Errorf("%d bytes, want at least %d", len(b), witnessHeader)
	}
	public, secret, n := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	if public > maxValues || secret > maxValues || n > maxValues {
		return nil, fmt.Errorf("more than %d values", maxValues)
	}
	if n != public+secret {
		return nil, fmt.Errorf("%d values, want %d public and %d secret ones", n, public, secret)
	}
	if got, want := len(b)-witnessHeader, int(n)*valueSize(c); got != want {
		return nil, fmt.Errorf("%d bytes for %d values, want %d of %s", got, n, want, curveName(c))
	}
	return &Witness{c, int(public), int(secret), b[witnessHeader:]}, nil
}

// Encode gives gnark's binary encoding.
func (w *Witness) Encode() []byte {
	b := make([]byte, 0, witnessHeader+len(w.values))
	for _, n := range []int{w.Public, w.Secret, w.Public + w.Secret} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return append(b, w.values...)
}

// PublicPart drops the secret values.
func (w *Witness) PublicPart() *Witness {
	return &Witness{w.Curve, w.Public, 0, w.values[:w.Public*valueSize(w.Curve)]}
}

// checkRange demands that every value is below the curve's order: there is one encoding of
// each, and none of another curve passes for long.
func (w *Witness) checkRange() error {
	size := valueSize(w.Curve)
	modulus := w.Curve.ScalarField().FillBytes(make([]byte, size))
	for i := range w.Public + w.Secret {
		if bytes.Compare(w.values[i*size:][:size], modulus) >= 0 {
			return fmt.Errorf("value %d is not below the order of %s", i, curveName(w.Curve))
		}
	}
	return nil
}

// check compares the numbers of values with what a circuit has.
func (w *Witness) check(public, secret int) error {
	if w.Public != public || w.Secret != secret {
		return unusable("witness", "%d public and %d secret values, the circuit has %d and %d", w.Public, w.Secret, public, secret)
	}
	return nil
}

// gnark converts to gnark's type.
func (w *Witness) gnark() (witness.Witness, error) {
	g, err := witness.New(w.Curve.ScalarField())
	if err != nil {
		return nil, err
	}
	if err := g.UnmarshalBinary(w.Encode()); err != nil {
		return nil, &InputError{"witness", err}
	}
	return g, nil
}

// valueSize is the number of bytes of a value.
func valueSize(c ecc.ID) int { return (c.ScalarField().BitLen() + 63) / 64 * 8 }

var errNotNumber = errors.New(`not a number: values are strings such as "42" or "0x2a"`)

// parseValue reads a decimal number, or a hexadecimal one after "0x".
func parseValue(s string) (*big.Int, error) {
	const maxDigits = 160
	digits, base := s, 10
	if len(s) > 2 && s[:2] == "0x" {
		digits, base = s[2:], 16
	}
	if len(digits) > maxDigits {
		return nil, fmt.Errorf("more than %d digits", maxDigits)
	}
	for _, c := range []byte(digits) {
		letter := base == 16 && (c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F')
		if (c < '0' || c > '9') && !letter {
			return nil, errNotNumber
		}
	}
	v, ok := new(big.Int).SetString(digits, base)
	if !ok {
		return nil, errNotNumber
	}
	return v, nil
}
