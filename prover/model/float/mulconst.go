package float

// MulConst multiplies by a constant. C has the rank of the input, and each of
// its dimensions is 1 or the input's.
type MulConst struct{ C Tensor }

var (
	_ Op       = (*MulConst)(nil)
	_ Weighted = (*MulConst)(nil)
)

// Kind returns "MulConst".
func (*MulConst) Kind() string { return "MulConst" }

// InferShape returns the input's shape.
func (m *MulConst) InferShape(in [][]int) ([]int, error) { return broadcastInto(in, m.C.Shape) }

// MACs is one per cell.
func (m *MulConst) MACs(out []int) int64 { return int64(size(out)) }

// Params is the size of the constant.
func (m *MulConst) Params() int64 { return int64(len(m.C.Data)) }

func (m *MulConst) eval(in []Tensor, out Tensor) {
	walkStrided(out.Shape, 0, broadcastSteps(m.C.Shape, out.Shape), func(i, j int) {
		out.Data[i] = in[0].Data[i] * m.C.Data[j]
	})
}

func importMul(c *call) ([]*value, error) {
	if c.allFixed() {
		return c.foldPair("Mul")
	}
	x, y, err := c.pair()
	if err != nil {
		return nil, err
	}
	if x.fixed {
		x, y = y, x
	}
	if !y.fixed {
		v, err := c.multiply(x, y)
		return []*value{v}, err
	}
	if x, y, err = c.broadcastPair(x, y); err != nil {
		return nil, err
	}
	k, err := c.aligned(y, x)
	if err != nil {
		return nil, err
	}
	return c.one(&MulConst{k}, x)
}

// importDiv multiplies by the reciprocal.
func importDiv(c *call) ([]*value, error) {
	if c.allFixed() {
		return c.foldPair("Div")
	}
	x, y, err := c.pair()
	if err != nil {
		return nil, err
	}
	if !y.fixed {
		return c.divide(x, y)
	}
	if x, y, err = c.broadcastPair(x, y); err != nil {
		return nil, err
	}
	k, err := c.aligned(y, x)
	if err != nil {
		return nil, err
	}
	r := constant{typ: y.typ, shape: k.Shape, floats: make([]float32, len(k.Data))}
	for i, v := range k.Data {
		r.floats[i] = float32(1 / float64(v))
	}
	if err := r.checkFinite(); err != nil {
		return nil, err
	}
	return c.one(&MulConst{r.tensor()}, x)
}
