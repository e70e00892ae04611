package commit

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

const (
	// maxWindow is the largest number of bits of a scalar's digit.
	maxWindow = 12
	// fewPoints is the number of points up to which the multi-scalar multiplication of
	// the library, whose additions share no inversions, is faster.
	fewPoints = 1 << 6
)

// multiExp is Σ_i scalars[i]·points[i]. The digits of many scalars are rows over shared
// bases: row w of the matrix holds digit w of every scalar, and its commitment is the sum
// of window w.
func multiExp(points []bn254.G1Affine, scalars []fr.Element) (bn254.G1Jac, error) {
	if len(points) <= fewPoints {
		var sum bn254.G1Jac
		_, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{})
		return sum, err
	}
	return sumWindows(points, scalars, windowBits(len(points)))
}

// windowBits is the number of bits of a digit that takes the fewest additions for n
// points: one per point and about two per bucket, in every window.
func windowBits(n int) int {
	best, least := 0, 0
	for bits := 4; bits <= maxWindow; bits++ {
		if additions := windows(bits) * (n + 1<<bits); best == 0 || additions < least {
			best, least = bits, additions
		}
	}
	return best
}

// windows is the number of signed digits that write any canonical scalar: their bits are
// more than its own, so no carry leaves the last digit.
func windows(bits int) int { return fr.Bits/bits + 1 }

func sumWindows(points []bn254.G1Affine, scalars []fr.Element, bits int) (sum bn254.G1Jac, err error) {
	c := committer{key: &Key{gens: points}, data: digitRows(scalars, bits), cols: len(points), wide: true}
	sums, err := c.run(context.Background())
	if err != nil {
		return sum, fmt.Errorf("sum windows: %w", err)
	}
	for w := len(sums) - 1; w >= 0; w-- {
		for range bits {
			sum.DoubleAssign()
		}
		sum.AddMixed(&sums[w])
	}
	return sum, nil
}

// digitRows is the matrix of the scalars' digits in [−2^(bits−1), 2^(bits−1)), lowest
// row first.
func digitRows(scalars []fr.Element, bits int) []int32 {
	n, count := len(scalars), windows(bits)
	rows := make([]int32, count*n)
	half := uint64(1) << (bits - 1)
	parallel(n, 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			words := scalars[i].Bits()
			carry := uint64(0)
			for w := range count {
				word, shift := w*bits/64, w*bits%64
				digit := words[word] >> shift
				if shift+bits > 64 && word+1 < len(words) {
					digit |= words[word+1] << (64 - shift)
				}
				digit = digit&(2*half-1) + carry
				carry = (digit + half) >> bits
				rows[w*n+i] = int32(digit) - int32(carry<<bits)
			}
		}
	})
	return rows
}
