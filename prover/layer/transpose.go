package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
)

// pullTranspose moves single axes; a joint group makes the whole functional dense.
func pullTranspose(op *graph.Transpose, t Term, out []int) ([]Term, error) {
	if len(t.Groups) == len(out) {
		groups := make([]Group, len(out))
		for i, p := range op.Perm {
			groups[p] = t.Groups[i]
		}
		t.Groups = groups
		return []Term{t}, nil
	}
	t, err := t.merge(0, len(out))
	if err != nil {
		return nil, err
	}
	strides := make([]int, len(out)) // of the input, by axis of the output
	in := make([]int, len(out))
	for i, p := range op.Perm {
		in[p] = out[i]
	}
	for i, p := range op.Perm {
		strides[i] = graph.Elements(in[p+1:])
	}
	vec := make([]fr.Element, len(t.Groups[0].Vec))
	for cell := range vec {
		at, rest := 0, cell
		for a := len(out) - 1; a >= 0; a-- {
			at += rest % out[a] * strides[a]
			rest /= out[a]
		}
		vec[at] = t.Groups[0].Vec[cell]
	}
	return []Term{t.replace(0, 1, Group{Axes: len(out), Vec: vec})}, nil
}
