package float

import "math"

// MaxPool is the maximum over the real cells of each window of [N, C,
// spatial...]; every window contains at least one.
type MaxPool struct{ Window }

var _ Op = (*MaxPool)(nil)

// Kind returns "MaxPool".
func (*MaxPool) Kind() string { return "MaxPool" }

// InferShape returns [N, C, out...].
func (m *MaxPool) InferShape(in [][]int) ([]int, error) { return poolShape(&m.Window, in) }

func (m *MaxPool) eval(in []Tensor, out Tensor) {
	pool(&m.Window, in[0], out, math.Inf(-1), func(acc, x float64) float64 { return max(acc, x) })
}

func importMaxPool(c *call) ([]*value, error) {
	c.read["storage_order"] = true // it concerns the indices only, which are not supported
	x, w, _, err := c.poolWindow()
	if err != nil {
		return nil, err
	}
	return c.one(&MaxPool{w}, x)
}

func importGlobalMaxPool(c *call) ([]*value, error) {
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	w, err := globalWindow(x.shape)
	if err != nil {
		return nil, err
	}
	return c.one(&MaxPool{w}, x)
}
