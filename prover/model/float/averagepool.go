package float

// AveragePool is the mean over the cells of each window. The divisor of an
// output cell is the product over the spatial axes of Counts.
type AveragePool struct {
	Window
	CountIncludePad bool
	// Uncounted says per spatial axis how many of the last PadEnd cells come
	// from ceil_mode: they never count, even with CountIncludePad.
	Uncounted []int
}

var _ Op = (*AveragePool)(nil)

// Kind returns "AveragePool".
func (*AveragePool) Kind() string { return "AveragePool" }

// InferShape returns [N, C, out...].
func (a *AveragePool) InferShape(in [][]int) ([]int, error) { return poolShape(&a.Window, in) }

// Counts returns the cells that count along spatial axis i at each position,
// for an input of length n.
func (a *AveragePool) Counts(i, n int) []int {
	if !a.CountIncludePad {
		return a.realTaps(i, n)
	}
	counts := make([]int, a.Positions(i, n))
	for o := range counts {
		counts[o] = a.taps(i, o*a.Strides[i], a.PadBegin[i]+n+a.PadEnd[i]-a.Uncounted[i])
	}
	return counts
}

func (a *AveragePool) eval(in []Tensor, out Tensor) {
	pool(&a.Window, in[0], out, 0, func(acc, x float64) float64 { return acc + x })
	h, w := planar(in[0].Shape)
	rows, cols := []int{1}, a.Counts(len(a.Kernel)-1, w)
	if len(a.Kernel) == 2 {
		rows = a.Counts(0, h)
	}
	area := len(rows) * len(cols)
	for i := range out.Data {
		p := i % area
		out.Data[i] /= float32(rows[p/len(cols)] * cols[p%len(cols)])
	}
}

func importAveragePool(c *call) ([]*value, error) {
	include, err := c.attrBool("count_include_pad", false)
	if err != nil {
		return nil, err
	}
	x, w, extra, err := c.poolWindow()
	if err != nil {
		return nil, err
	}
	return c.one(&AveragePool{w, include, extra}, x)
}
