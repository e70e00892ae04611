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
	maxWindow = 13
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
	sums, err := halfRows(scalars, windowBits(2*len(points), halfBits)).sum(context.Background(), withImages(points))
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
		part, err := wholeRows(scalars[:atOnce], n, bits, width).sum(ctx, points)
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

// digitRows is the matrix of the digits of scalars in [−2^(bits−1), 2^(bits−1)]: for each n
// scalars a row for every window, the lowest digits first.
type digitRows struct {
	n, bits, windows int
	digits           []int32
}

func newDigitRows(n, sums, bits, width int) *digitRows {
	d := &digitRows{n: n, bits: bits, windows: windows(bits, width)}
	d.digits = make([]int32, n*sums*d.windows)
	return d
}

// wholeRows are the digits of scalars below 2^width.
func wholeRows(scalars []fr.Element, n, bits, width int) *digitRows {
	d := newDigitRows(n, len(scalars)/n, bits, width)
	parallel(len(scalars), 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			d.write(i, &half{words: scalars[i].Bits()})
		}
	})
	return d
}

// halfRows are the digits of the halves of all scalars, first halves before second ones.
func halfRows(scalars []fr.Element, bits int) *digitRows {
	n := len(scalars)
	d := newDigitRows(2*n, 1, bits, halfBits)
	parallel(n, 1024, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			halves := splitScalar(scalars[i].Bits())
			d.write(i, &halves[0])
			d.write(n+i, &halves[1])
		}
	})
	return d
}

// write writes the digits of scalar i. Only the last digit takes the upper bound.
func (d *digitRows) write(i int, scalar *half) {
	at, carry := i/d.n*d.windows*d.n+i%d.n, uint64(0)
	whole := uint64(1) << d.bits
	var sign int32
	if scalar.negative {
		sign = -1
	}
	for w := range d.windows {
		word, shift := w*d.bits/64, w*d.bits%64
		digit := scalar.words[word] >> shift
		if shift+d.bits > 64 && word+1 < len(scalar.words) {
			digit |= scalar.words[word+1] << (64 - shift)
		}
		digit = digit&(whole-1) + carry
		if carry = 0; digit >= whole/2 && w < d.windows-1 {
			carry = 1
		}
		v := int32(digit) - int32(carry<<d.bits)
		d.digits[at+w*d.n] = (v ^ sign) - sign
	}
}

// sum sums up the windows of each n scalars.
func (d *digitRows) sum(ctx context.Context, points []bn254.G1Affine) ([]bn254.G1Jac, error) {
	c := committer{points: points, data: d.digits, cols: d.n, wide: true}
	rows, err := c.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("sum windows: %w", err)
	}
	sums := make([]bn254.G1Jac, len(rows)/d.windows)
	parallel(len(sums), 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			sums[i] = weighWindows(rows[i*d.windows:(i+1)*d.windows], d.bits)
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
