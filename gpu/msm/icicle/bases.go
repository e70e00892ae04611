//go:build cgo && (icicle || icicle_v3) && !(icicle && icicle_v3)

package icicle

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/gpu/msm"
)

// scalarsAtOnce bounds the scalars of one call of ICICLE, 32 bytes each: memory on both
// sides, and how long a cancelled call goes on.
const scalarsAtOnce = 1 << 22

// bases are finite points on the device.
type bases struct {
	engine    *engine
	points    []bn254.G1Affine
	positions []int // of the points on the device, nil when all are there
	device    deviceSlice
}

var _ msm.Bases = (*bases)(nil)

// Close frees the memory of the device.
func (b *bases) Close() error {
	err := b.engine.thread.do(context.Background(), func() error {
		if b.device.Len() == 0 {
			return nil
		}
		return failure("free bases", b.device.Free())
	})
	if err != nil {
		return fmt.Errorf("close bases: %w", err)
	}
	return nil
}

// MSM passes scalars in Montgomery form.
func (b *bases) MSM(ctx context.Context, scalars []fr.Element, width int) ([]bn254.G1Affine, error) {
	err := msm.CheckMSM(len(b.points), len(scalars), width)
	if err == nil {
		err = msm.CheckWidth(scalars, width)
	}
	if err != nil {
		return nil, fmt.Errorf("multiply bases: %w", err)
	}
	n := len(b.points)
	atOnce := n * max(1, scalarsAtOnce/n)
	sums := make([]bn254.G1Affine, 0, len(scalars)/n)
	for ; len(scalars) > 0; scalars = scalars[min(atOnce, len(scalars)):] {
		part := scalars[:min(atOnce, len(scalars))]
		count := len(part) / n
		if b.positions != nil {
			part = pick(part, n, b.positions)
		}
		if sums, err = b.multiply(ctx, sums, host(part), b.device, count, width, true, new(bn254.G1Jac)); err != nil {
			return nil, fmt.Errorf("multiply bases: %w", err)
		}
	}
	return sums, nil
}

// Rows encodes integers as canonical scalars.
func (b *bases) Rows(ctx context.Context, rows []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error) {
	if err := msm.CheckRows(len(b.points), cols); err != nil {
		return nil, fmt.Errorf("multiply rows: %w", err)
	}
	total := (len(rows) + cols - 1) / cols
	sums := make([]bn254.G1Affine, 0, total)
	positions, device := b.prefix(cols)
	shift := newBias(rows)
	correction := shift.correction(b.points[:cols])
	for atOnce := cols * max(1, scalarsAtOnce/cols); len(rows) > 0; rows = rows[min(atOnce, len(rows)):] {
		part := rows[:min(atOnce, len(rows))]
		var err error
		scalars := host(shift.encode(part, cols, positions))
		count := (len(part) + cols - 1) / cols
		if sums, err = b.multiply(ctx, sums, scalars, device, count, shift.width, false, &correction); err != nil {
			return nil, fmt.Errorf("multiply rows: %w", err)
		}
		if progress != nil {
			progress(len(sums), total)
		}
	}
	return sums, nil
}

// prefix is what of the first n points is on the device.
func (b *bases) prefix(n int) (positions []int, device deviceSlice) {
	finite := n
	if b.positions != nil {
		for finite = 0; finite < len(b.positions) && b.positions[finite] < n; finite++ {
		}
		positions = b.positions[:finite]
	}
	if finite == 0 {
		return positions, deviceSlice{}
	}
	return positions, b.device.RangeTo(finite, false)
}

// multiply appends the results of one call of ICICLE, less correction, to sums.
func (b *bases) multiply(
	ctx context.Context, sums []bn254.G1Affine, scalars slice, points deviceSlice, count, width int, montgomery bool, correction *bn254.G1Jac,
) ([]bn254.G1Affine, error) {
	results := make([]projective, count)
	err := b.engine.thread.do(ctx, func() error {
		if points.Len() == 0 {
			return nil
		}
		c := defaultMSM()
		c.AreScalarsMontgomeryForm, c.Bitsize = montgomery, int32(width)
		return failure("multiply", multiply(scalars, points, &c, host(results)))
	})
	if err != nil {
		return nil, err
	}
	part, err := decode(results, correction)
	return append(sums, part...), err
}
