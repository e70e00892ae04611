package float

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/weisyn/wes/prover/model/onnx"
)

// Softmax is the softmax along one axis, as a node or as an Output's Tail.
type Softmax struct {
	Axis int
	// Keep has a 1 for every cell that takes part and a 0 for every other one, which becomes 0. It has
	// the rank of the input, and each of its dimensions is 1 or the input's. Every line keeps a cell.
	// Without data all cells take part; it has none in a Tail.
	Keep Tensor
}

var _ Op = (*Softmax)(nil)

// Kind returns "Softmax".
func (*Softmax) Kind() string { return "Softmax" }

// InferShape returns the input's shape.
func (s *Softmax) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if s.Axis < 0 || s.Axis >= len(in[0]) {
		return nil, errAxis(s.Axis, len(in[0]))
	}
	if s.Keep.Data == nil {
		return in[0], nil
	}
	return broadcastInto(in, s.Keep.Shape)
}

func (s *Softmax) eval(in []Tensor, out Tensor) {
	keep := s.kept(in[0].Shape)
	walkLines(in[0].Shape, s.Axis, func(_, base, step, n int) {
		top, sum := math.Inf(-1), 0.0
		for k := range n {
			if i := base + k*step; keep == nil || keep[i] {
				top = max(top, float64(in[0].Data[i]))
			}
		}
		for k := range n {
			if i := base + k*step; keep == nil || keep[i] {
				sum += math.Exp(float64(in[0].Data[i]) - top)
			}
		}
		for k := range n {
			if i := base + k*step; keep == nil || keep[i] {
				out.Data[i] = float32(math.Exp(float64(in[0].Data[i])-top) / sum)
			}
		}
	})
}

// kept tells which cells of a shape take part, nil if all do.
func (s *Softmax) kept(shape []int) []bool {
	if s.Keep.Data == nil {
		return nil
	}
	keep := make([]bool, size(shape))
	walkStrided(shape, 0, broadcastSteps(s.Keep.Shape, shape), func(i, j int) { keep[i] = s.Keep.Data[j] != 0 })
	return keep
}

// walkLines calls f for every line of n cells along axis: its number in
// row-major order of the other axes, the flat index of its first cell and the
// distance between its cells.
func walkLines(shape []int, axis int, f func(line, base, step, n int)) {
	n, step := shape[axis], size(shape[axis+1:])
	for o := range size(shape[:axis]) {
		for i := range step {
			f(o*step+i, o*n*step+i, step, n)
		}
	}
}

// mayFollowTail tells the operators that importers let stand between a tail and
// the graph output.
func mayFollowTail(op string) bool {
	switch strings.TrimPrefix(op, onnx.DomainML+".") {
	case "Identity", "Dropout", "Cast", "ArgMax", "Normalizer":
		return true
	}
	return false
}

// checkTail demands that outputs lead to graph outputs only.
func (c *call) checkTail() error {
	if !c.endsGraph() {
		return errors.New("it is supported only at the end of the graph")
	}
	return nil
}

func (c *call) endsGraph() bool {
	for _, name := range c.n.Outputs {
		for _, reader := range c.readers[name] {
			if name != "" && reader != nil && !mayFollowTail(reader.Op) {
				return false
			}
		}
	}
	return true
}

// inside returns a value with a tail as that of a node, for a reader inside of the graph.
func (c *call) inside(v *value) (*value, error) {
	op := v.tail
	switch op.(type) {
	case *Softmax:
	case *Logistic:
		op = &Sigmoid{}
	default:
		return nil, fmt.Errorf("it follows a %s, which may only end the graph", op.Kind())
	}
	if v.inner == nil {
		x := *v
		x.tail = nil
		var err error
		if v.inner, err = c.emit(op, &x); err != nil {
			return nil, err
		}
	}
	return v.inner, nil
}

// endWith makes op the tail of x.
func (c *call) endWith(op Op, x *value) (*value, error) {
	shape, err := op.InferShape([][]int{x.shape})
	if err != nil {
		return nil, err
	}
	v := *x
	v.shape, v.tail = shape, op
	return &v, nil
}
