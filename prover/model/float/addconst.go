package float

import "fmt"

// AddConst adds a constant. C has the rank of the input, and each of its
// dimensions is 1 or the input's.
type AddConst struct{ C Tensor }

var (
	_ Op       = (*AddConst)(nil)
	_ Weighted = (*AddConst)(nil)
)

// Kind returns "AddConst".
func (*AddConst) Kind() string { return "AddConst" }

// InferShape returns the input's shape.
func (a *AddConst) InferShape(in [][]int) ([]int, error) { return broadcastInto(in, a.C.Shape) }

// MACs is 0: an addition multiplies nothing.
func (a *AddConst) MACs([]int) int64 { return 0 }

// Params is the size of the constant.
func (a *AddConst) Params() int64 { return int64(len(a.C.Data)) }

func (a *AddConst) eval(in []Tensor, out Tensor) {
	walkStrided(out.Shape, 0, broadcastSteps(a.C.Shape, out.Shape), func(i, j int) {
		out.Data[i] = in[0].Data[i] + a.C.Data[j]
	})
}

// broadcastInto returns the shape of the one input, into which a constant of
// shape c, of the same rank, must broadcast.
func broadcastInto(in [][]int, c []int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	bad := len(c) != len(in[0])
	for i := 0; !bad && i < len(c); i++ {
		bad = c[i] != 1 && c[i] != in[0][i]
	}
	if bad {
		return nil, fmt.Errorf("constant of shape %v does not broadcast into %v", c, in[0])
	}
	return in[0], nil
}
