package float

import "fmt"

// Mul is the product, cell by cell, of two activations of one rank. Each dimension of theirs is equal
// or 1 in one of them, whose cells then repeat.
type Mul struct{}

var (
	_ Op       = (*Mul)(nil)
	_ Weighted = (*Mul)(nil)
)

// Kind returns "Mul".
func (*Mul) Kind() string { return "Mul" }

// InferShape returns the larger of both dimensions on every axis.
func (*Mul) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 2); err != nil {
		return nil, err
	}
	if len(in[0]) != len(in[1]) {
		return nil, fmt.Errorf("activations of different ranks %v and %v", in[0], in[1])
	}
	return broadcast(in[0], in[1])
}

// MACs is one per cell.
func (*Mul) MACs(out []int) int64 { return int64(size(out)) }

// Params is 0: both operands are activations.
func (*Mul) Params() int64 { return 0 }

func (*Mul) eval(in []Tensor, out Tensor) {
	x, y := in[0].Data, in[1].Data
	walkStrided(out.Shape, 0, broadcastSteps(in[0].Shape, out.Shape), func(i, j int) { out.Data[i] = x[j] })
	walkStrided(out.Shape, 0, broadcastSteps(in[1].Shape, out.Shape), func(i, j int) { out.Data[i] *= y[j] })
}
