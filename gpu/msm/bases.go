package msm

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"golang.org/x/sync/errgroup"

	"github.com/weisyn/wes/prover/commit"
)

const (
	// narrowWidth is the width up to which scalars become rows of int32.
	narrowWidth = 31
	// The kernel of package commit is faster than gnark-crypto's multiplication from
	// fewTerms terms on, those of the whole batch together. Beyond manyPoints points, where
	// windows wider than the kernel's pay, it was not measured. On two cores with AVX2.
	fewTerms   = 1 << 8
	manyPoints = 1 << 20
	// splitColumns is the smallest part of a row that is worth a goroutine of its own.
	splitColumns = 1 << 10
)

// cpuBases are points that the CPU reads where the caller has them.
type cpuBases struct {
	points []bn254.G1Affine

	once sync.Once
	sum  bn254.G1Affine // of all points, once it was needed
}

var _ Bases = (*cpuBases)(nil)

// Close has nothing to free.
func (b *cpuBases) Close() error { return nil }

// MSM chooses the method by width and size.
func (b *cpuBases) MSM(ctx context.Context, scalars []fr.Element, width int) ([]bn254.G1Affine, error) {
	if err := CheckMSM(len(b.points), len(scalars), width); err != nil {
		return nil, fmt.Errorf("multiply bases: %w", err)
	}
	sums, err := b.multiply(ctx, scalars, width)
	if err != nil {
		return nil, fmt.Errorf("multiply bases: %w", err)
	}
	return sums, nil
}

func (b *cpuBases) multiply(ctx context.Context, scalars []fr.Element, width int) ([]bn254.G1Affine, error) {
	switch {
	case len(scalars) == 0:
		return nil, ctx.Err()
	case width <= narrowWidth:
		return b.narrow(ctx, scalars, width)
	}
	if err := CheckWidth(scalars, width); err != nil {
		return nil, err
	}
	if len(scalars) < fewTerms || len(b.points) > manyPoints {
		return b.general(ctx, scalars)
	}
	sums, err := commit.SumWindows(ctx, b.points, scalars, width)
	if err != nil {
		return nil, err
	}
	return bn254.BatchJacobianToAffineG1(sums), nil
}

// general is gnark-crypto's multiplication, one after the other.
func (b *cpuBases) general(ctx context.Context, scalars []fr.Element) ([]bn254.G1Affine, error) {
	n := len(b.points)
	sums := make([]bn254.G1Affine, len(scalars)/n)
	for i := range sums {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := sums[i].MultiExp(b.points, scalars[i*n:(i+1)*n], ecc.MultiExpConfig{}); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// narrow turns scalars into rows of signed integers. The kernel writes them in base 256
// with signed digits, so a full top digit would need twice the buckets; most of such
// scalars are moved down by half their range, and the multiple of the sum of all points
// that is missing then is added to every row.
func (b *cpuBases) narrow(ctx context.Context, scalars []fr.Element, width int) ([]bn254.G1Affine, error) {
	rows := make([]int32, len(scalars))
	if err := integers(rows, scalars, width); err != nil {
		return nil, err
	}
	half := int32(0)
	if width%8 == 0 && dense(rows, len(b.points)) {
		half = 1 << (width - 1)
		for i := range rows {
			rows[i] -= half
		}
	}
	sums, err := b.rows(ctx, rows, len(b.points), nil)
	if err != nil || half == 0 {
		return sums, err
	}
	return b.shift(sums, half), nil
}

// dense says that moving rows of cols saves more additions than it costs: the zeros, and
// once the sum of all points.
func dense(rows []int32, cols int) bool {
	zeros := 0
	for _, v := range rows {
		if v == 0 {
			zeros++
		}
	}
	const saved = 2 * 128 // the buckets of half a digit
	return zeros+cols < saved*(len(rows)/cols)
}

// shift adds half times the sum of all points to every sum.
func (b *cpuBases) shift(sums []bn254.G1Affine, half int32) []bn254.G1Affine {
	b.once.Do(func() { b.sum = total(b.points) })
	var multiple bn254.G1Jac
	multiple.FromAffine(&b.sum)
	for ; half > 1; half >>= 1 {
		multiple.DoubleAssign()
	}
	moved := make([]bn254.G1Jac, len(sums))
	for i := range sums {
		moved[i] = multiple
		moved[i].AddMixed(&sums[i])
	}
	return bn254.BatchJacobianToAffineG1(moved)
}

// Rows is the kernel of package commit.
func (b *cpuBases) Rows(ctx context.Context, rows []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error) {
	if err := CheckRows(len(b.points), cols); err != nil {
		return nil, fmt.Errorf("multiply rows: %w", err)
	}
	sums, err := b.rows(ctx, rows, cols, progress)
	if err != nil {
		return nil, fmt.Errorf("multiply rows: %w", err)
	}
	return sums, nil
}

// rows splits a single long row into parts, so that every core has some.
func (b *cpuBases) rows(ctx context.Context, rows []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error) {
	parts := min(runtime.GOMAXPROCS(0), len(rows)/splitColumns)
	if len(rows) > cols || parts < 2 {
		return commit.SumRows(ctx, b.points, rows, cols, progress)
	}
	group, ctx := errgroup.WithContext(ctx)
	sums := make([]bn254.G1Affine, parts)
	for i := range parts {
		lo, hi := len(rows)*i/parts, len(rows)*(i+1)/parts
		group.Go(func() error {
			sum, err := commit.SumRows(ctx, b.points[lo:hi], rows[lo:hi], hi-lo, nil)
			if err == nil {
				sums[i] = sum[0]
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if progress != nil {
		progress(1, 1)
	}
	return []bn254.G1Affine{total(sums)}, nil
}

// total is the sum of points.
func total(points []bn254.G1Affine) (p bn254.G1Affine) {
	var sum bn254.G1Jac
	for i := range points {
		sum.AddMixed(&points[i])
	}
	p.FromJacobian(&sum)
	return p
}
