package float

import (
	"fmt"
	"slices"
)

// MeanAxes is the mean over Axes, which are sorted, distinct and not negative.
type MeanAxes struct {
	Axes     []int
	KeepDims bool
}

var _ Op = (*MeanAxes)(nil)

// Kind returns "MeanAxes".
func (*MeanAxes) Kind() string { return "MeanAxes" }

// InferShape drops Axes, or sets them to 1 with KeepDims.
func (m *MeanAxes) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	return reducedShape(in[0], m.Axes, m.KeepDims)
}

func reducedShape(in, axes []int, keep bool) ([]int, error) {
	if len(axes) > 0 && axes[len(axes)-1] >= len(in) {
		return nil, errAxis(axes[len(axes)-1], len(in))
	}
	out := make([]int, 0, len(in))
	for i, d := range in {
		switch {
		case !slices.Contains(axes, i):
			out = append(out, d)
		case keep:
			out = append(out, 1)
		}
	}
	return out, nil
}

func (m *MeanAxes) eval(in []Tensor, out Tensor) {
	shape := in[0].Shape
	kept, _ := reducedShape(shape, m.Axes, true)
	step := strides(kept)
	for _, a := range m.Axes {
		step[a] = 0
	}
	sums := make([]float64, len(out.Data))
	walkStrided(shape, 0, step, func(i, j int) { sums[j] += float64(in[0].Data[i]) })
	n := float64(len(in[0].Data) / len(out.Data))
	for i, s := range sums {
		out.Data[i] = float32(s / n)
	}
}

func importGlobalAveragePool(c *call) ([]*value, error) {
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if len(x.shape) < 3 {
		return nil, fmt.Errorf("rank %d", len(x.shape))
	}
	op := &MeanAxes{KeepDims: true}
	for i := 2; i < len(x.shape); i++ {
		op.Axes = append(op.Axes, i)
	}
	return c.one(op, x)
}
