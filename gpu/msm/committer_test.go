package msm_test

import (
	"context"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/prover/commit"
)

// counting is an engine that counts what is resident.
type counting struct {
	*msm.CPU
	loads, resident int
}

func (c *counting) Load(ctx context.Context, points []bn254.G1Affine) (msm.Bases, error) {
	b, err := c.CPU.Load(ctx, points)
	c.loads++
	c.resident++
	return &countingBases{b, c}, err
}

type countingBases struct {
	msm.Bases
	engine *counting
}

func (b *countingBases) Close() error {
	b.engine.resident--
	return b.Bases.Close()
}

func TestCommitterKeepsTheLongestKey(t *testing.T) {
	e := &counting{CPU: msm.NewCPU()}
	c := msm.NewCommitter(e)
	for _, step := range []struct{ key, loads int }{{8, 1}, {16, 2}, {8, 2}, {16, 2}} {
		key, err := commit.NewKey(step.key)
		if err != nil {
			t.Fatal(err)
		}
		rows := []int32{1, -2, 3, 0, 5, -600, 70000, 8, 9, 10, 11}
		got, err := c.CommitRows(t.Context(), key, rows, 8, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := key.CommitRows(t.Context(), rows, 8, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("key of %d: wrong commitments", step.key)
		}
		if e.loads != step.loads || e.resident != 1 {
			t.Errorf("key of %d: %d loads, %d resident", step.key, e.loads, e.resident)
		}
	}
	if err := c.Close(); err != nil || e.resident != 0 {
		t.Errorf("%d resident after Close: %v", e.resident, err)
	}
}
