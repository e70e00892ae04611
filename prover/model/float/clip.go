package float

import (
	"fmt"
	"math"
)

// Clip is min(max(x, Lo), Hi); a missing bound is −Inf or +Inf.
type Clip struct{ Lo, Hi float32 }

var _ Scalar = (*Clip)(nil)

// Kind returns "Clip".
func (*Clip) Kind() string { return "Clip" }

// Apply returns x clamped to [Lo, Hi]; Hi wins when the bounds cross.
func (c *Clip) Apply(x float64) float64 { return min(max(x, float64(c.Lo)), float64(c.Hi)) }

// InferShape returns the input's shape.
func (*Clip) InferShape(in [][]int) ([]int, error) { return sameShape(in) }

func (c *Clip) eval(in []Tensor, out Tensor) { mapCells(c, in[0], out) }

// importClip takes the bounds from operands 1 and 2 or, as models older than
// opset 11 write them, from the attributes min and max.
func importClip(c *call) ([]*value, error) {
	lo, err := c.bound(1, "min", math.Inf(-1))
	if err != nil {
		return nil, err
	}
	hi, err := c.bound(2, "max", math.Inf(1))
	if err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	return c.one(&Clip{lo, hi}, x)
}

func (c *call) bound(i int, attr string, missing float64) (float32, error) {
	if c.operand(i) == nil {
		return c.attrFloat(attr, float32(missing))
	}
	k, err := c.constant(i)
	if err != nil {
		return 0, err
	}
	if k.size() != 1 {
		return 0, fmt.Errorf("bound of shape %v", k.shape)
	}
	return float32(k.float(0)), nil
}
