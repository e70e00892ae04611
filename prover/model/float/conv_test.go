package float

import (
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func ones(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

func TestConvAgreesWithHandComputedValues(t *testing.T) {
	attrs := func(a ...onnx.Attribute) []onnx.Attribute { return a }
	for _, c := range []struct {
		name    string
		in      []int // filled with 1, 2, 3, …
		w       []int
		weights []float32
		bias    []float32
		attrs   []onnx.Attribute
		shape   []int
		want    []float32
	}{
		{
			"plain",
			[]int{1, 1, 3, 3},
			[]int{1, 1, 2, 2},
			[]float32{1, 2, 3, 4},
			nil, nil,
			[]int{1, 1, 2, 2},
			[]float32{37, 47, 67, 77},
		},
		{
			"bias",
			[]int{1, 1, 3, 3},
			[]int{1, 1, 2, 2},
			[]float32{1, 0, 0, 0},
			[]float32{10},
			nil,
			[]int{1, 1, 2, 2},
			[]float32{11, 12, 14, 15},
		},
		{
			"stride",
			[]int{1, 1, 3, 4},
			[]int{1, 1, 1, 1},
			[]float32{1},
			nil, attrs(aInts("strides", 2, 3)),
			[]int{1, 1, 2, 2},
			[]float32{1, 4, 9, 12},
		},
		{
			"dilation",
			[]int{1, 1, 3, 3},
			[]int{1, 1, 2, 2},
			ones(4), nil, attrs(aInts("dilations", 2, 2)),
			[]int{1, 1, 1, 1},
			[]float32{1 + 3 + 7 + 9},
		},
		{
			"asymmetric pads",
			[]int{1, 1, 2, 2},
			[]int{1, 1, 2, 2},
			ones(4), nil, attrs(aInts("pads", 1, 0, 0, 1)),
			[]int{1, 1, 2, 2},
			[]float32{3, 2, 10, 6},
		},
		{
			"same upper",
			[]int{1, 1, 1, 4},
			[]int{1, 1, 1, 2},
			ones(2), nil, attrs(aString("auto_pad", "SAME_UPPER")),
			[]int{1, 1, 1, 4},
			[]float32{3, 5, 7, 4},
		},
		{
			"same lower",
			[]int{1, 1, 1, 4},
			[]int{1, 1, 1, 2},
			ones(2), nil, attrs(aString("auto_pad", "SAME_LOWER")),
			[]int{1, 1, 1, 4},
			[]float32{1, 3, 5, 7},
		},
		{
			"same with stride",
			[]int{1, 1, 1, 5},
			[]int{1, 1, 1, 3},
			ones(3), nil,
			attrs(aString("auto_pad", "SAME_UPPER"), aInts("strides", 1, 2)),
			[]int{1, 1, 1, 3},
			[]float32{3, 9, 9},
		},
		{
			"valid",
			[]int{1, 1, 1, 5},
			[]int{1, 1, 1, 3},
			ones(3), nil, attrs(aString("auto_pad", "VALID")),
			[]int{1, 1, 1, 3},
			[]float32{6, 9, 12},
		},
		{
			"groups",
			[]int{1, 4, 1, 1},
			[]int{2, 2, 1, 1},
			[]float32{1, 10, 100, 1000},
			nil, attrs(aInt("group", 2)),
			[]int{1, 2, 1, 1},
			[]float32{21, 4300},
		},
		{
			"depthwise multiplier",
			[]int{1, 2, 1, 1},
			[]int{4, 1, 1, 1},
			[]float32{1, 2, 3, 4},
			nil, attrs(aInt("group", 2)),
			[]int{1, 4, 1, 1},
			[]float32{1, 2, 6, 8},
		},
		{"batch", []int{2, 1, 1, 2}, []int{1, 1, 1, 2}, []float32{1, -1}, nil, nil, []int{2, 1, 1, 1}, []float32{-1, -1}},
		{
			"1-D",
			[]int{1, 2, 4},
			[]int{1, 2, 2},
			[]float32{1, 2, 3, 4},
			nil,
			attrs(aInts("pads", 1, 0), aInts("strides", 2), aInts("kernel_shape", 2)),
			[]int{1, 1, 2},
			[]float32{1*2 + 5*4, 2 + 3*2 + 6*3 + 7*4},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(13).input("x", c.in...).floats("w", c.w, c.weights...)
			if c.bias != nil {
				b.floats("b", []int{len(c.bias)}, c.bias...).node("Conv", "x w b -> y", c.attrs...)
			} else {
				b.node("Conv", "x w -> y", c.attrs...)
			}
			g := b.output("y").graph(t, Options{})
			wantTensor(t, outputs(t, g, iota1(c.in...))[0], c.shape, c.want)
		})
	}
}

// naiveConv is the definition of a 2-D convolution, cell by cell.
func naiveConv(c *Conv, x Tensor, shape []int) []float32 {
	out := make([]float32, 0, size(shape))
	ic, oc := c.In/c.Group, c.Out/c.Group
	h, w := x.Shape[2], x.Shape[3]
	for n := range shape[0] {
		for o := range shape[1] {
			for y := range shape[2] {
				for z := range shape[3] {
					acc := float64(c.B[o])
					for i := range ic {
						for ky := range c.Kernel[0] {
							for kx := range c.Kernel[1] {
								py := y*c.Strides[0] - c.PadBegin[0] + ky*c.Dilations[0]
								px := z*c.Strides[1] - c.PadBegin[1] + kx*c.Dilations[1]
								if py < 0 || py >= h || px < 0 || px >= w {
									continue
								}
								ch := o/oc*ic + i
								acc += float64(x.Data[((n*c.In+ch)*h+py)*w+px]) *
									float64(c.W[((o*ic+i)*c.Kernel[0]+ky)*c.Kernel[1]+kx])
							}
						}
					}
					out = append(out, float32(acc))
				}
			}
		}
	}
	return out
}

func randomTensor(r *rand.Rand, shape ...int) Tensor {
	t := NewTensor(shape)
	for i := range t.Data {
		t.Data[i] = float32(r.NormFloat64())
	}
	return t
}

func TestConvAgreesWithItsDefinition(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	pair := func(lo, hi int) []int { return []int{lo + r.IntN(hi-lo+1), lo + r.IntN(hi-lo+1)} }
	for range 200 {
		g := 1 + r.IntN(3)
		c := &Conv{Group: g, In: g * (1 + r.IntN(4)), Out: g * (1 + r.IntN(9))}
		c.Window = Window{pair(1, 4), pair(1, 3), pair(1, 2), pair(0, 2), pair(0, 2)}
		in := []int{1 + r.IntN(3), c.In, 7 + r.IntN(8), 7 + r.IntN(8)}
		c.W, c.B = randomTensor(r, c.Out, c.depth()).Data, randomTensor(r, c.Out).Data
		shape, err := c.InferShape([][]int{in})
		if err != nil {
			t.Fatal(err)
		}
		x, out := randomTensor(r, in...), NewTensor(shape)
		c.eval([]Tensor{x}, out)
		wantTensor(t, out, shape, naiveConv(c, x, shape))
	}
}

func TestConvOverManyBlocksAgreesWithItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := &Conv{Group: 1, In: 130, Out: 70}
	c.Window = Window{[]int{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}, []int{1, 1}}
	c.W, c.B = randomTensor(r, c.Out, c.depth()).Data, randomTensor(r, c.Out).Data
	x, out := randomTensor(r, 1, c.In, 13, 11), NewTensor([]int{1, c.Out, 13, 11})
	c.eval([]Tensor{x}, out)
	wantTensor(t, out, out.Shape, naiveConv(c, x, out.Shape))
}

func BenchmarkConv(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	c := &Conv{Group: 1, In: 128, Out: 128}
	c.Window = Window{[]int{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}, []int{1, 1}}
	c.W, c.B = randomTensor(r, c.Out, c.depth()).Data, make([]float32, c.Out)
	x, out := randomTensor(r, 1, c.In, 28, 28), NewTensor([]int{1, c.Out, 28, 28})
	for b.Loop() {
		c.eval([]Tensor{x}, out)
	}
	b.ReportMetric(float64(c.MACs(out.Shape))*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
}
