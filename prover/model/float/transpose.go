package float

import "fmt"

// Transpose permutes the axes: output axis i is input axis Perm[i].
type Transpose struct{ Perm []int }

var _ mover = (*Transpose)(nil)

// Kind returns "Transpose".
func (*Transpose) Kind() string { return "Transpose" }

// InferShape returns the permuted shape.
func (t *Transpose) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if len(t.Perm) != len(in[0]) {
		return nil, fmt.Errorf("permutation %v for rank %d", t.Perm, len(in[0]))
	}
	out := make([]int, len(t.Perm))
	seen := make([]bool, len(t.Perm))
	for i, p := range t.Perm {
		if p < 0 || p >= len(seen) || seen[p] {
			return nil, fmt.Errorf("%v is not a permutation", t.Perm)
		}
		seen[p] = true
		out[i] = in[0][p]
	}
	return out, nil
}

func (t *Transpose) move(in [][]int, out []int, put func(k, from, to int)) {
	from := strides(in[0])
	step := make([]int, len(from))
	for i, p := range t.Perm {
		step[i] = from[p]
	}
	walkStrided(out, 0, step, func(i, j int) { put(0, j, i) })
}

func (t *Transpose) eval(in []Tensor, out Tensor) { evalMove(t, in, out) }

func importTranspose(c *call) ([]*value, error) {
	perm, given, err := c.attrInts("perm")
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	if !given {
		for i := len(x.shape) - 1; i >= 0; i-- {
			perm = append(perm, i)
		}
	}
	return c.moved(&Transpose{perm}, x)
}
