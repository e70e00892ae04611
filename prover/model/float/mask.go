package float

import (
	"errors"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// errMasked is for a reader of a masked value that is no softmax.
var errMasked = errors.New("masked cells are supported only in front of a Softmax")

// masked is the largest addend that means "this cell takes no part" in front of
// a softmax: exp(−10⁴) is 0 in float32, whatever score it is added to.
const masked = -1e4

// mask says which cells of a value take part in the softmax that follows. A
// value has one only when nothing but softmaxes depends on it.
type mask struct{ keep Tensor } // as in Softmax

// passesMask tells the operators that may stand between a mask and its softmax.
func passesMask(op string) bool {
	switch op {
	case "Softmax", "Identity", "Dropout", "Cast", "Add", "Where", "Max", "Reshape", "Squeeze", "Unsqueeze", "Transpose":
		return true
	}
	return false
}

// leadsToSoftmax reports whether only softmaxes depend on the output of this
// node, directly or through what passes a mask.
func (c *call) leadsToSoftmax() bool { return c.onlySoftmax(c.n) }

func (im *importer) onlySoftmax(n *onnx.Node) bool {
	if known, ok := im.masks[n]; ok {
		return known
	}
	var readers []*onnx.Node
	if len(n.Outputs) > 0 {
		readers = im.readers[n.Outputs[0]]
	}
	only := len(readers) > 0
	for _, r := range readers {
		only = only && r != nil && r.Domain == onnx.DomainDefault && passesMask(r.Op) && (r.Op == "Softmax" || im.onlySoftmax(r))
	}
	im.masks[n] = only
	return only
}

// asMask returns the mask that a constant means when it is added: all its cells
// are 0 or masked, and one is.
func asMask(t Tensor) *mask {
	keep := NewTensor(t.Shape)
	for i, v := range t.Data {
		switch {
		case v == 0:
			keep.Data[i] = 1
		case !(v <= masked):
			return nil
		}
	}
	if !slices.Contains(keep.Data, 0) {
		return nil
	}
	return &mask{keep}
}

// withMask masks cells of a value in addition to those that are masked.
func (c *call) withMask(v *value, m *mask) (*value, error) {
	out := *v
	if out.mask = m; v.mask == nil || m == nil {
		if m == nil {
			out.mask = v.mask
		}
		return &out, nil
	}
	shape, err := broadcast(v.mask.keep.Shape, m.keep.Shape)
	if err != nil {
		return nil, err
	}
	keep, err := c.newConstant(onnx.Float32, shape)
	if err != nil {
		return nil, err
	}
	both := Tensor{shape, keep.floats}
	(&Mul{}).eval([]Tensor{v.mask.keep, m.keep}, both)
	out.mask = &mask{both}
	return &out, nil
}

// unmasked returns the value without its mask, and the mask for a value of that
// rank.
func unmasked(v *value, rank int) (*value, *mask) {
	if v.mask == nil {
		return v, nil
	}
	out := *v
	out.mask = nil
	keep := v.mask.keep
	if n := rank - len(keep.Shape); n > 0 {
		keep.Shape = slices.Concat(slices.Repeat([]int{1}, n), keep.Shape)
	}
	return &out, &mask{keep}
}

// moveMasked moves a masked value and its mask.
func (c *call) moveMasked(op mover, v *value) (*value, error) {
	base, m := unmasked(v, len(v.shape))
	out, err := c.emit(op, base)
	if err != nil {
		return nil, err
	}
	full, err := c.broadcastTo((&constant{onnx.Float32, m.keep.Shape, m.keep.Data, nil}).value(), v.shape)
	if err != nil {
		return nil, err
	}
	keep, err := c.apply(op, full)
	if err != nil {
		return nil, err
	}
	out.mask = &mask{keep.c.tensor()}
	return out, nil
}

// uniform returns the one number that all cells of a tensor are.
func uniform(t Tensor) (float32, bool) {
	for _, v := range t.Data {
		if v != t.Data[0] || math.IsNaN(float64(v)) {
			return 0, false
		}
	}
	if len(t.Data) == 0 {
		return 0, false
	}
	return t.Data[0], true
}
