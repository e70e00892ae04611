package commit

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

const (
	// windows is the number of signed base-256 digits of a scalar.
	windows = fr.Bytes
	// fewPoints is where the buckets of all windows cost more than the additions into
	// them, and a multi-scalar multiplication that chooses its window is faster.
	fewPoints = 1 << 11
)

// multiExp is Σ_i scalars[i]·points[i]. The digits of many scalars are rows over shared
// bases: row w of the matrix holds digit w of every scalar, and its commitment is the sum
// of window w.
func multiExp(points []bn254.G1Affine, scalars []fr.Element) (bn254.G1Jac, error) {
	var sum bn254.G1Jac
	if len(points) < fewPoints {
		_, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{})
		return sum, err
	}
	sums, err := newKey(points).commitRows(context.Background(), digitRows(scalars), len(points), nil)
	if err != nil {
		return sum, fmt.Errorf("sum windows: %w", err)
	}
	for w := windows - 1; w >= 0; w-- {
		for range digitBits {
			sum.DoubleAssign()
		}
		sum.AddMixed(&sums[w])
	}
	return sum, nil
}

// digitRows is the matrix of the scalars' digits in [−128, 128), lowest row first. A
// canonical scalar has 254 bits, so no carry leaves the last digit.
func digitRows(scalars []fr.Element) []int32 {
	n := len(scalars)
	rows := make([]int32, windows*n)
	parallel(n, 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			bytes := scalars[i].Bytes()
			carry := int32(0)
			for w := range windows {
				d := int32(bytes[windows-1-w]) + carry
				carry = (d + 128) >> 8
				rows[w*n+i] = d - carry<<8
			}
		}
	})
	return rows
}
