package float

import "fmt"

// MatMul is x·W + B over the last axis of x, with constant W.
type MatMul struct {
	K, N int
	W    []float32 // [K][N], row-major
	B    []float32 // [N], never nil
	Grid []float32 // the weights of a column are integers times its factor, or that of all; nil: none
}

var (
	_ Op       = (*MatMul)(nil)
	_ Weighted = (*MatMul)(nil)
)

// Kind returns "MatMul".
func (*MatMul) Kind() string { return "MatMul" }

// InferShape replaces the last dimension K by N.
func (m *MatMul) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	last := len(in[0]) - 1
	if last < 0 || in[0][last] != m.K {
		return nil, fmt.Errorf("input %v, the weights want a last dimension of %d", in[0], m.K)
	}
	out := append([]int(nil), in[0]...)
	out[last] = m.N
	return out, nil
}

// MACs is K per output cell.
func (m *MatMul) MACs(out []int) int64 { return int64(size(out)) * int64(m.K) }

// Params counts weights and biases.
func (m *MatMul) Params() int64 { return int64(len(m.W) + len(m.B)) }
