package float

// The tiles of the matrix kernel: weights come as [k][tileOut], inputs as
// [k][tileIn], both in float64.
const (
	tileOut = 4
	tileIn  = 2
)

// multiplyTile returns Σ_k w[k][o]·x[k][i] as acc[o·tileIn+i], with k in order.
func multiplyTile(w, x []float64) (acc [tileOut * tileIn]float64) {
	var a0, a1, b0, b1, c0, c1, d0, d1 float64
	for len(w) >= tileOut && len(x) >= tileIn {
		x0, x1 := x[0], x[1]
		a0 += w[0] * x0
		a1 += w[0] * x1
		b0 += w[1] * x0
		b1 += w[1] * x1
		c0 += w[2] * x0
		c1 += w[2] * x1
		d0 += w[3] * x0
		d1 += w[3] * x1
		w, x = w[tileOut:], x[tileIn:]
	}
	return [tileOut * tileIn]float64{a0, a1, b0, b1, c0, c1, d0, d1}
}

func (m *MatMul) eval(in []Tensor, out Tensor) {
	rows := len(in[0].Data) / m.K
	x := packRows(in[0].Data, rows, m.K)
	tiles := (m.N + tileOut - 1) / tileOut
	parallel(tiles, 4, func(lo, hi int) {
		w := make([]float64, m.K*tileOut)
		for t := lo; t < hi; t++ {
			first := t * tileOut
			n := min(tileOut, m.N-first)
			for k := range m.K {
				for j := range n {
					w[k*tileOut+j] = float64(m.W[k*m.N+first+j])
				}
			}
			for r := 0; r < rows; r += tileIn {
				acc := multiplyTile(w, x[r*m.K:(r+tileIn)*m.K])
				for i := 0; i < tileIn && r+i < rows; i++ {
					for j := range n {
						out.Data[(r+i)*m.N+first+j] = float32(acc[j*tileIn+i] + float64(m.B[first+j]))
					}
				}
			}
		}
	})
}

// packRows returns pairs of rows as [pair][k][tileIn].
func packRows(data []float32, rows, depth int) []float64 {
	x := make([]float64, (rows+tileIn-1)/tileIn*tileIn*depth)
	for r := range rows {
		dst := x[r/tileIn*tileIn*depth+r%tileIn:]
		for k, v := range data[r*depth : (r+1)*depth] {
			dst[k*tileIn] = float64(v)
		}
	}
	return x
}

// convTask is one unit of work of a convolution: a block of output cells of one
// image and group, for a block of its output channels.
type convTask struct {
	op         *Conv
	p          plane
	h, w       int // input plane
	ow, area   int // output row and plane
	x, out     []float32
	panel      []float64 // [cells/tileIn][depth][tileIn]
	weights    []float64 // [depth][tileOut]
	firstCell  int
	cells      int
	firstOut   int
	outs       int
	firstInput int
}

// Blocks of a convTask: the panel should stay in the level-2 cache, and enough
// channels must share it to pay for its construction.
const (
	panelSize = 1 << 16
	outBlock  = 64
)

func (c *Conv) eval(in []Tensor, out Tensor) {
	depth, perGroup := c.depth(), c.Out/c.Group
	h, w := planar(in[0].Shape)
	oh, ow := planar(out.Shape)
	area := oh * ow
	block := min(max(panelSize/depth, 8)&^1, (area+1)&^1)
	blocks, outBlocks := (area+block-1)/block, (perGroup+outBlock-1)/outBlock
	images := in[0].Shape[0]
	parallel(images*c.Group*outBlocks*blocks, 1, func(lo, hi int) {
		t := &convTask{
			op: c, p: c.plane(), h: h, w: w, ow: ow, area: area,
			panel: make([]float64, block*depth), weights: make([]float64, depth*tileOut),
		}
		for i := lo; i < hi; i++ {
			b, rest := i%blocks, i/blocks
			ob, rest := rest%outBlocks, rest/outBlocks
			g, image := rest%c.Group, rest/c.Group
			t.x = in[0].Data[image*c.In*h*w : (image+1)*c.In*h*w]
			t.out = out.Data[image*c.Out*area : (image+1)*c.Out*area]
			t.firstCell, t.cells = b*block, min(block, area-b*block)
			t.firstOut, t.outs = g*perGroup+ob*outBlock, min(outBlock, perGroup-ob*outBlock)
			t.firstInput = g * c.In / c.Group
			t.run()
		}
	})
}

func (t *convTask) run() {
	t.packInput()
	depth := t.op.depth()
	for o := 0; o < t.outs; o += tileOut {
		n := min(tileOut, t.outs-o)
		t.packWeights(t.firstOut+o, n)
		for cell := 0; cell < t.cells; cell += tileIn {
			acc := multiplyTile(t.weights, t.panel[cell*depth:(cell+tileIn)*depth])
			for j := range n {
				ch := t.firstOut + o + j
				dst := t.out[ch*t.area+t.firstCell+cell:]
				for i := 0; i < tileIn && cell+i < t.cells; i++ {
					dst[i] = float32(acc[j*tileIn+i] + float64(t.op.B[ch]))
				}
			}
		}
	}
}

func (t *convTask) packWeights(first, n int) {
	depth := t.op.depth()
	for j := range n {
		for k, v := range t.op.W[(first+j)*depth : (first+j+1)*depth] {
			t.weights[k*tileOut+j] = float64(v)
		}
	}
}

// packInput gathers the windows of the block's cells, zeros for the padding.
func (t *convTask) packInput() {
	p, depth := t.p, t.op.depth()
	channels := t.op.In / t.op.Group
	for cell := range t.cells {
		dst := t.panel[cell/tileIn*tileIn*depth+cell%tileIn:]
		y0 := (t.firstCell+cell)/t.ow*p.sh - p.ph
		x0 := (t.firstCell+cell)%t.ow*p.sw - p.pw
		k := 0
		for c := range channels {
			src := t.x[(t.firstInput+c)*t.h*t.w : (t.firstInput+c+1)*t.h*t.w]
			for i := range p.kh {
				y := y0 + i*p.dh
				for j := range p.kw {
					v := 0.0
					if x := x0 + j*p.dw; y >= 0 && y < t.h && x >= 0 && x < t.w {
						v = float64(src[y*t.w+x])
					}
					dst[k*tileIn] = v
					k++
				}
			}
		}
	}
}
