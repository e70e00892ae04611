package srs

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

func errNotR1CS() error { return fmt.Errorf("%w: the circuit is not an R1CS", ErrUnsupported) }

// beacon returns what seals a second phase. It adds nothing to the trust in the contribution
// before it.
func beacon() ([]byte, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return nil, fmt.Errorf("seal of the second phase: %w", err)
	}
	return b, nil
}

// limbs fills coordinates from their memory, one after the other.
func limbs(b []byte, coordinates ...[]uint64) {
	for _, c := range coordinates {
		for i := range c {
			c[i] = binary.LittleEndian.Uint64(b)
			b = b[8:]
		}
	}
}
