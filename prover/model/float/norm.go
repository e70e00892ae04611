package float

import (
	"fmt"
	"math"
)

// Norm divides every line along the last axis by its size: (x − mean)/√(variance + Epsilon) when
// Centered (layer normalisation, arXiv 1607.06450), else x/√(mean of squares + Epsilon) (RMSNorm,
// arXiv 1910.07467). The variance is the mean of the squared differences. Scale and bias are a
// MulConst and an AddConst behind it.
type Norm struct {
	Epsilon  float32 // ≥ 0
	Centered bool
}

var _ Op = (*Norm)(nil)

// Kind returns "Norm".
func (*Norm) Kind() string { return "Norm" }

// InferShape returns the input's shape.
func (*Norm) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if len(in[0]) == 0 {
		return nil, fmt.Errorf("rank 0 has no last axis")
	}
	return in[0], nil
}

func (n *Norm) eval(in []Tensor, out Tensor) {
	shape := in[0].Shape
	width := shape[len(shape)-1]
	parallel(len(in[0].Data)/width, 1+(1<<12)/width, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			n.line(in[0].Data[i*width:(i+1)*width], out.Data[i*width:(i+1)*width])
		}
	})
}

func (n *Norm) line(x, out []float32) {
	var mean, squares float64
	if n.Centered {
		for _, v := range x {
			mean += float64(v)
		}
		mean /= float64(len(x))
	}
	for _, v := range x {
		d := float64(v) - mean
		squares += float64(d * d)
	}
	r := 1 / math.Sqrt(squares/float64(len(x))+float64(n.Epsilon))
	for i, v := range x {
		out[i] = float32((float64(v) - mean) * r)
	}
}
