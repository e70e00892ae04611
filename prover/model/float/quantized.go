package float

import "math"

// Quantized rounds to the steps of a model that was quantised before: its cells are
// min(max(round(x/Scale), Lo), Hi), halves to even, and its values Scale times those. The zero point is
// part of Lo and Hi, which are at most and at least 0.
type Quantized struct {
	Scale  float32 // normal, > 0
	Lo, Hi int64
}

var _ Scalar = (*Quantized)(nil)

// Kind returns "Quantized".
func (*Quantized) Kind() string { return "Quantized" }

// Cell returns the integer that stands for x, in float32 arithmetic as ONNX has it.
func (q *Quantized) Cell(x float64) int64 {
	v := math.RoundToEven(float64(float32(x) / q.Scale))
	return int64(min(max(v, float64(q.Lo)), float64(q.Hi)))
}

// Apply returns the value of the cell of x.
func (q *Quantized) Apply(x float64) float64 { return float64(float32(q.Cell(x)) * q.Scale) }

// Top is the largest magnitude of a cell.
func (q *Quantized) Top() int64 { return max(-q.Lo, q.Hi) }

// InferShape returns the input's shape.
func (*Quantized) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (q *Quantized) eval(in []Tensor, out Tensor) { mapCells(q, in[0], out) }

// within tells whether every value of q is one of other.
func (q *Quantized) within(other *Quantized) bool {
	return q != nil && q.Scale == other.Scale && q.Lo >= other.Lo && q.Hi <= other.Hi
}

// steps is the quantisation of an operator's output that follows from that of its inputs: operators that
// move cells, or choose among them, keep it. It is nil if there is none.
func (im *importer) steps(op Op, in []ValueID) *Quantized {
	switch op := op.(type) {
	case *Quantized:
		return op
	case *Reshape, *Transpose, *Slice, *Broadcast, *Pad, *Concat, *MaxPool, *Relu:
	default:
		return nil
	}
	hull := im.stepsOf(in[0])
	for _, id := range in[1:] {
		q := im.stepsOf(id)
		if hull == nil || q == nil || q.Scale != hull.Scale {
			return nil
		}
		hull = &Quantized{q.Scale, min(q.Lo, hull.Lo), max(q.Hi, hull.Hi)}
	}
	return hull
}

func (im *importer) stepsOf(id ValueID) *Quantized {
	if i := int(id) - len(im.g.Inputs); i >= 0 {
		return im.quantized[i]
	}
	return nil
}

// rounded applies a quantisation to a value. Values that it would not change stay as they are, and those
// that a Concat joins are rounded before it, each once.
func (c *call) rounded(op *Quantized, v *value) (*value, error) {
	if !v.known {
		return nil, errLost
	}
	i := int(v.id) - len(c.g.Inputs)
	if v.id == noID || i < 0 {
		return c.emit(op, v)
	}
	if c.quantized[i].within(op) {
		return v, nil
	}
	join, ok := c.g.Nodes[i].Op.(*Concat)
	if !ok {
		return c.emit(op, v)
	}
	parts := make([]*value, len(c.g.Nodes[i].Inputs))
	for k, id := range c.g.Nodes[i].Inputs {
		part := &value{id: id, typ: v.typ, shape: c.g.ShapeOf(id), known: true}
		var err error
		if parts[k], err = c.rounded(op, part); err != nil {
			return nil, err
		}
	}
	return c.emit(join, parts...)
}
