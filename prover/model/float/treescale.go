package float

import (
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/weisyn/wes/prover/model/onnx"
)

// scaling is what a feature goes through between the input and the trees, step by step in float32. It is
// monotone, as rounding is, so that a test of its result is a test of the input.
type scaling []scaleStep

// scaleStep multiplies by k, or adds it.
type scaleStep struct {
	mul bool
	k   float32
}

func (s scaling) apply(x float32) float32 {
	for _, step := range s {
		if step.mul {
			x = float32(x * step.k)
		} else {
			x = float32(x + step.k)
		}
	}
	return x
}

// falls tells whether a larger number gives a smaller result.
func (s scaling) falls() bool {
	falls := false
	for _, step := range s {
		falls = falls != (step.mul && step.k < 0)
	}
	return falls
}

// unscale makes a test of the scaled feature one of the input; turned tells that rows that passed it fail
// it now.
func (s scaling) unscale(n *TreeNode) (turned bool, err error) {
	if len(s) == 0 {
		return false, nil
	}
	if n.Test == EqualTo {
		return false, errors.New("equality with a scaled feature is not supported")
	}
	falls, threshold := s.falls(), n.Threshold
	const numbers = 2*maxOrder + 1
	first := sort.Search(numbers, func(i int) bool { return (s.apply(ordered(i-maxOrder)) <= threshold) == falls })
	n.Threshold = float32(math.Inf(-1))
	if first > 0 {
		n.Threshold = ordered(first - 1 - maxOrder)
	}
	return falls, nil
}

// scales tells whether an operator with a constant is imported as the step that it takes: a division becomes
// a product with what is nearly the reciprocal.
func scales(op string) bool {
	switch op {
	case "Add", "Sub", "Mul", "Neg", "ai.onnx.ml.Scaler":
		return true
	}
	return false
}

// maxOrder is the place of the largest finite number.
const maxOrder = 0x7f7fffff

// ordered is the number at a place in the order of all, zero at zero.
func ordered(place int) float32 {
	if place < 0 {
		return -math.Float32frombits(uint32(-place))
	}
	return math.Float32frombits(uint32(place))
}

// treeInput is the input of the graph that trees read, with how each feature is scaled in between; nil:
// not at all.
func (c *call) treeInput() (*value, []scaling, error) {
	x, err := c.table()
	if err != nil {
		return nil, nil, err
	}
	if x.typ != onnx.Float32 {
		return nil, nil, fmt.Errorf("it reads %v, not float32: put a Cast in front", x.typ)
	}
	if x.id == noID {
		return nil, nil, errLost
	}
	features := x.shape[1]
	var steps []scaling
	id := x.id
	for int(id) >= len(c.g.Inputs) {
		n := &c.g.Nodes[int(id)-len(c.g.Inputs)]
		k, mul, ok := constantOperand(n.Op)
		if !ok || !scales(c.origins[id]) || len(k.Data) != 1 && len(k.Data) != k.Shape[len(k.Shape)-1] {
			return nil, nil, fmt.Errorf("it reads %q (%s): trees read an input of the model, with features scaled by Scaler, Add, Sub or Mul at most", n.Name, c.origins[id])
		}
		if steps == nil {
			steps = make([]scaling, features)
		}
		for i := range steps {
			v := k.Data[i%len(k.Data)]
			if mul && v == 0 {
				return nil, nil, fmt.Errorf("feature %d is scaled by zero", i)
			}
			steps[i] = append(scaling{{mul, v}}, steps[i]...)
		}
		id = n.Inputs[0]
	}
	if typ := c.g.Inputs[id].Type; typ != onnx.Float32 && (typ != onnx.Float64 || steps != nil) {
		return nil, nil, fmt.Errorf("the input in front of it is %v: trees read float32, and float64 through a Cast alone", typ)
	}
	in := *x
	in.id = id
	return &in, steps, nil
}
