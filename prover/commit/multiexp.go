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

// multiExp is Σ_i scalars[i]·points[i].
func multiExp(points []bn254.G1Affine, scalars []fr.Element) (bn254.G1Jac, error) {
	if len(points) <= fewPoints {
		var sum bn254.G1Jac
		_, err := sum.MultiExp(points, scalars, ecc.MultiExpConfig{})
		return sum, err
	}
	sums, err := SumWindows(context.Background(), points, scalars, fr.Bits)
	if err != nil {
		return bn254.G1Jac{}, err
	}
	return sums[0], nil
}

// windowsAtOnce bounds the digits that are written out at a time, hence memory.
const windowsAtOnce = 1 << 24

// SumWindows is a batch of multi-scalar multiplications over the same points: sum i is
// Σ_j scalars[i·n+j]·points[j] for n points. Scalars must be below 2^width, with width up
// to that of the field; their number must be a multiple of n. The digits of many scalars
// are rows over shared bases: row w of the matrix holds digit w of every scalar, and its
// commitment is the sum of window w.
func SumWindows(ctx context.Context, points []bn254.G1Affine, scalars []fr.Element, width int) ([]bn254.G1Jac, error) {
	n := len(points)
	if n == 0 || len(scalars)%n != 0 {
		return nil, &LengthError{What: "scalars", Got: len(scalars), Want: fmt.Sprintf("a multiple of the %d points", n)}
	}
	bits := windowBits(n, width)
	sums := make([]bn254.G1Jac, 0, len(scalars)/n)
	for atOnce := n * max(1, windowsAtOnce/(n*windows(bits, width))); len(scalars) > 0; {
		atOnce = min(atOnce, len(scalars))
		part, err := sumWindows(ctx, points, scalars[:atOnce], bits, width)
		if err != nil {
			return nil, err
		}
		sums, scalars = append(sums, part...), scalars[atOnce:]
	}
	return sums, nil
}

// windowBits is the number of bits of a digit that takes the fewest additions for n
// points: one per point and about two per bucket, in every window.
func windowBits(n, width int) int {
	best, least := 0, 0
	for bits := 4; bits <= maxWindow; bits++ {
		if additions := windows(bits, width) * (n + 1<<bits); best == 0 || additions < least {
			best, least = bits, additions
		}
	}
	return best
}

// windows is the number of signed digits that write any scalar of that width: their bits
// are more than its own, so the last digit is at most half its range, carry included.
func windows(bits, width int) int { return width/bits + 1 }

func sumWindows(ctx context.Context, points []bn254.G1Affine, scalars []fr.Element, bits, width int) ([]bn254.G1Jac, error) {
	n, count := len(points), windows(bits, width)
	c := committer{points: points, data: digitRows(scalars, n, bits, count), cols: n, wide: true}
	rows, err := c.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("sum windows: %w", err)
	}
	sums := make([]bn254.G1Jac, len(scalars)/n)
	parallel(len(sums), 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			sums[i] = weighWindows(rows[i*count:(i+1)*count], bits)
		}
	})
	return sums, nil
}

// weighWindows is Σ_w 2^(bits·w)·rows[w].
func weighWindows(rows []bn254.G1Affine, bits int) (sum bn254.G1Jac) {
	for w := len(rows) - 1; w >= 0; w-- {
		for range bits {
			sum.DoubleAssign()
		}
		sum.AddMixed(&rows[w])
	}
	return sum
}

// digitRows is the matrix of the scalars' digits in [−2^(bits−1), 2^(bits−1)]: for each n
// scalars count rows, the lowest digits first. Only the last digit takes the upper bound.
// Carries are random, so they take no branch.
func digitRows(scalars []fr.Element, n, bits, count int) []int32 {
	rows := make([]int32, count*len(scalars))
	mask, down, up := uint64(1)<<bits-1, bits&63, (64-bits)&63
	parallel(len(scalars), 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x := scalars[i].Bits()
			at, carry, upper := i/n*count*n+i%n, uint64(0), uint64(1)<<(bits-1)
			for w := range count {
				if w == count-1 {
					upper = 0
				}
				digit := x[0]&mask + carry
				carry = (digit + upper) >> down
				rows[at+w*n] = int32(digit) - int32(carry<<bits)
				x[0] = x[0]>>down | x[1]<<up
				x[1] = x[1]>>down | x[2]<<up
				x[2] = x[2]>>down | x[3]<<up
				x[3] >>= down
			}
		}
	})
	return rows
}
