package float

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func TestPoolsAgreeWithHandComputedValues(t *testing.T) {
	type attrs = []onnx.Attribute
	for _, c := range []struct {
		name  string
		op    string
		in    []int // filled with 1, 2, 3, …
		attrs attrs
		shape []int
		want  []float32
	}{
		{
			"max", "MaxPool",
			[]int{1, 1, 2, 4},
			attrs{aInts("kernel_shape", 2, 2), aInts("strides", 2, 2)},
			[]int{1, 1, 1, 2},
			[]float32{6, 8},
		},
		{
			"max default stride", "MaxPool",
			[]int{1, 1, 1, 4},
			attrs{aInts("kernel_shape", 1, 2)},
			[]int{1, 1, 1, 3},
			[]float32{2, 3, 4},
		},
		{
			"max pads", "MaxPool",
			[]int{1, 1, 1, 3},
			attrs{aInts("kernel_shape", 1, 2), aInts("pads", 0, 1, 0, 0)},
			[]int{1, 1, 1, 3},
			[]float32{1, 2, 3},
		},
		{
			"max dilation", "MaxPool",
			[]int{1, 1, 1, 5},
			attrs{aInts("kernel_shape", 1, 2), aInts("dilations", 1, 3)},
			[]int{1, 1, 1, 2},
			[]float32{4, 5},
		},
		{
			"max ceil", "MaxPool",
			[]int{1, 1, 1, 4},
			attrs{aInts("kernel_shape", 1, 3), aInts("strides", 1, 2), aInt("ceil_mode", 1)},
			[]int{1, 1, 1, 2},
			[]float32{3, 4},
		},
		{
			"max floor", "MaxPool",
			[]int{1, 1, 1, 4},
			attrs{aInts("kernel_shape", 1, 3), aInts("strides", 1, 2)},
			[]int{1, 1, 1, 1},
			[]float32{3},
		},
		{
			"max ceil never starts behind the input", "MaxPool",
			[]int{1, 1, 1, 3},
			attrs{aInts("kernel_shape", 1, 1), aInts("strides", 1, 4), aInt("ceil_mode", 1)},
			[]int{1, 1, 1, 1},
			[]float32{1},
		},
		{"max 1-D", "MaxPool", []int{1, 2, 3}, attrs{aInts("kernel_shape", 2)}, []int{1, 2, 2}, []float32{2, 3, 5, 6}},
		{
			"max same upper", "MaxPool",
			[]int{1, 1, 1, 3},
			attrs{aInts("kernel_shape", 1, 2), aString("auto_pad", "SAME_UPPER")},
			[]int{1, 1, 1, 3},
			[]float32{2, 3, 3},
		},
		{
			"max same lower", "MaxPool",
			[]int{1, 1, 1, 3},
			attrs{aInts("kernel_shape", 1, 2), aString("auto_pad", "SAME_LOWER")},
			[]int{1, 1, 1, 3},
			[]float32{1, 2, 3},
		},
		{"global max", "GlobalMaxPool", []int{1, 2, 2, 2}, nil, []int{1, 2, 1, 1}, []float32{4, 8}},
		{"average", "AveragePool", []int{1, 1, 2, 2}, attrs{aInts("kernel_shape", 2, 2)}, []int{1, 1, 1, 1}, []float32{2.5}},
		{
			"average excludes padding", "AveragePool",
			[]int{1, 1, 1, 3},
			attrs{aInts("kernel_shape", 1, 2), aInts("pads", 0, 1, 0, 1)},
			[]int{1, 1, 1, 4},
			[]float32{1, 1.5, 2.5, 3},
		},
		{
			"average includes padding", "AveragePool",
			[]int{1, 1, 1, 3},
			attrs{aInts("kernel_shape", 1, 2), aInts("pads", 0, 1, 0, 1), aInt("count_include_pad", 1)},
			[]int{1, 1, 1, 4},
			[]float32{0.5, 1.5, 2.5, 1.5},
		},
		{
			"average ceil", "AveragePool",
			[]int{1, 1, 1, 4},
			attrs{aInts("kernel_shape", 1, 3), aInts("strides", 1, 2), aInt("ceil_mode", 1)},
			[]int{1, 1, 1, 2},
			[]float32{2, 3.5},
		},
		{
			"average ceil with padding never counts the surplus", "AveragePool",
			[]int{1, 1, 1, 3},
			attrs{aInts("kernel_shape", 1, 3), aInts("strides", 1, 3), aInts("pads", 0, 1, 0, 1), aInt("ceil_mode", 1), aInt("count_include_pad", 1)},
			[]int{1, 1, 1, 2},
			[]float32{1, 1.5},
		},
		{
			"average both axes", "AveragePool",
			[]int{1, 1, 2, 2},
			attrs{aInts("kernel_shape", 2, 2), aInts("pads", 1, 1, 0, 0)},
			[]int{1, 1, 2, 2},
			[]float32{1, 1.5, 2, 2.5},
		},
		{
			"average 1-D", "AveragePool",
			[]int{1, 1, 4},
			attrs{aInts("kernel_shape", 2), aInts("strides", 2)},
			[]int{1, 1, 2},
			[]float32{1.5, 3.5},
		},
		{"global average", "GlobalAveragePool", []int{1, 2, 2, 2}, nil, []int{1, 2, 1, 1}, []float32{2.5, 6.5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newBuild(19).input("x", c.in...).node(c.op, "x -> y", c.attrs...).output("y").graph(t, Options{})
			wantTensor(t, outputs(t, g, iota1(c.in...))[0], c.shape, c.want)
		})
	}
}

func TestPoolsAgreeWithTheirDefinition(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		n := 3 + r.IntN(9)
		w := Window{[]int{1 + r.IntN(4)}, []int{1 + r.IntN(3)}, []int{1 + r.IntN(2)}, []int{r.IntN(2)}, []int{r.IntN(2)}}
		in := []int{2, 3, n}
		maxPool := &MaxPool{w}
		shape, err := maxPool.InferShape([][]int{in})
		if err != nil {
			continue
		}
		include := r.IntN(2) == 1
		avg := &AveragePool{w, include, []int{0}}
		x, gotMax, gotAvg := randomTensor(r, in...), NewTensor(shape), NewTensor(shape)
		maxPool.eval([]Tensor{x}, gotMax)
		avg.eval([]Tensor{x}, gotAvg)
		var wantMax, wantAvg []float32
		for c := range 6 {
			for o := range shape[2] {
				top, sum, count := math.Inf(-1), 0.0, 0.0
				for k := range w.Kernel[0] {
					p := o*w.Strides[0] - w.PadBegin[0] + k*w.Dilations[0]
					if p >= 0 && p < n {
						top = max(top, float64(x.Data[c*n+p]))
						sum += float64(x.Data[c*n+p])
						count++
					} else if include {
						count++
					}
				}
				wantMax, wantAvg = append(wantMax, float32(top)), append(wantAvg, float32(sum/count))
			}
		}
		wantTensor(t, gotMax, shape, wantMax)
		wantTensor(t, gotAvg, shape, wantAvg)
	}
}

func TestUnsupportedPoolsAreRefusedWithTheirReason(t *testing.T) {
	for _, c := range []struct {
		wires, op, want string
		attrs           []onnx.Attribute
	}{
		{"x -> y", "MaxPool", "no kernel_shape", nil},
		{"x -> y", "MaxPool", "3 spatial axes, 1 and 2 are supported", []onnx.Attribute{aInts("kernel_shape", 1, 1, 1)}},
		{"x -> y", "MaxPool", "rank 4 is not one of [3]", []onnx.Attribute{aInts("kernel_shape", 2)}},
		{"x -> y", "MaxPool", "kernel_shape has 0, outside [1, 65536]", []onnx.Attribute{aInts("kernel_shape", 0, 2)}},
		{
			"x -> y", "MaxPool", "pads of axis 3 are not smaller than the window",
			[]onnx.Attribute{aInts("kernel_shape", 1, 2), aInts("pads", 0, 2, 0, 0)},
		},
		{
			"x -> y", "AveragePool", "a window lies wholly in the padding of axis 3",
			[]onnx.Attribute{aInts("kernel_shape", 1, 2), aInts("pads", 0, 2, 0, 2), aInts("dilations", 1, 4)},
		},
		{"x -> y i", "MaxPool", `output "i" is not supported`, []onnx.Attribute{aInts("kernel_shape", 1, 1)}},
		{"x -> y", "GlobalLpPool", "operator is not supported", nil},
	} {
		b := newBuild(19).input("x", 1, 1, 2, 2).node(c.op, c.wires, c.attrs...).output("y")
		if c.wires != "x -> y" {
			b.output("i")
		}
		if got := b.refused(t); got[0] != c.op+" n_y: "+c.want {
			t.Errorf("got  %q\nwant %q", got[0], c.want)
		}
	}
}
