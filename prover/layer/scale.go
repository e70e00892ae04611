package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
)

func pullScale(op *graph.Scale, t Term, out []int) ([]Term, error) {
	first, last := varying(op.Coef.Shape)
	if first == last {
		return []Term{t.scaled(poly.FromInt64(op.Coef.Data[0]))}, nil
	}
	t, err := t.merge(first, last)
	if err != nil {
		return nil, err
	}
	i, start := t.group(first)
	g := t.Groups[i]
	vec := make([]fr.Element, len(g.Vec))
	dims, coefs := out[start:start+g.Axes], op.Coef.Shape[start:start+g.Axes]
	for cell := range vec {
		c := poly.FromInt64(op.Coef.Data[broadcastIndex(cell, dims, coefs)])
		vec[cell].Mul(&g.Vec[cell], &c)
	}
	return []Term{t.replace(i, i+1, Group{Axes: g.Axes, Vec: vec})}, nil
}

// varying is the smallest range [first, last) of axes outside which a constant is
// constant; empty for a scalar.
func varying(shape []int) (first, last int) {
	for i, d := range shape {
		if d == 1 {
			continue
		}
		if first == last {
			first = i
		}
		last = i + 1
	}
	return first, last
}

// broadcastIndex is the row-major index in a constant of the cell of a tensor.
func broadcastIndex(cell int, dims, constant []int) int {
	index, stride := 0, 1
	for a := len(dims) - 1; a >= 0; a-- {
		if constant[a] != 1 {
			index += cell % dims[a] * stride
			stride *= constant[a]
		}
		cell /= dims[a]
	}
	return index
}
