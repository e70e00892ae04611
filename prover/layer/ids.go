package layer

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/poly"
)

// A convolution over ids reads the one-hot vectors of a public input. They are never built:
// everybody knows the ids, so a functional of them is a sum with one summand for each id.

// idAxes are the weights of the axes of the ids: those of the output but its channel.
func (c *ConvClaim) idAxes() [][]fr.Element {
	return slices.Delete(slices.Clone(c.out.Axes), c.shape.conv.Channel, c.shape.conv.Channel+1)
}

// idFactor is X̂ over the padded index of ids: the weight of all positions that have each.
func (c *ConvClaim) idFactor(ids []int32) []fr.Element {
	dst := make([]fr.Element, c.shape.prefix())
	weights := []fr.Element{fr.One()}
	for _, axis := range c.idAxes() {
		weights = outer(weights, axis)
	}
	for i, id := range ids {
		dst[id].Add(&dst[id], &weights[i])
	}
	return dst
}

// applyIds is Apply for cells that are ids.
func (t Term) applyIds(ids []int32) fr.Element {
	cells := make([]fr.Element, len(ids))
	for i, id := range ids {
		cells[i] = poly.EqAt(t.Ids, uint64(id))
	}
	return t.contract(contractLast(cells, t.Groups[len(t.Groups)-1].Vec))
}
