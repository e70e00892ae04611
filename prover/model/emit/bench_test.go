package emit_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/model/interpret"
)

// network builds convolutional graphs with random weights.
type network struct {
	b       testing.TB
	rng     *rand.Rand
	graph   graph.Graph
	info    *graph.Info
	weights graph.Weights
}

func (n *network) add(op graph.Op, inputs ...int) int {
	n.b.Helper()
	n.graph.Nodes = append(n.graph.Nodes, graph.Node{Name: "n", Op: op, Inputs: inputs})
	var err error
	if n.info, err = n.graph.Check(); n.info == nil {
		n.b.Fatal(err)
	}
	return len(n.graph.Nodes) - 1
}

// conv adds a convolution and, unless skip is negative, a residual branch.
func (n *network) conv(x, channels, kernel, stride, skip int, relu bool) int {
	shape := n.info.Shapes[x]
	c := &graph.Conv{Weight: len(n.weights), Channel: 1, InChannels: shape[1], OutChannels: channels, Groups: 1}
	for a := 2; a < 4; a++ {
		pad := kernel / 2
		c.Spatial = append(c.Spatial, graph.Window{Axis: a, Kernel: kernel, Stride: stride, Dilation: 1, Pad: pad, Out: (shape[a]+2*pad-kernel)/stride + 1})
	}
	w := make([]int32, c.WeightCount())
	for i := range w {
		w[i] = int32(n.rng.IntN(41) - 20)
	}
	n.weights = append(n.weights, w)
	acc := graph.Accumulator{Channel: 1, Terms: []graph.Term{{Conv: c}}}
	inputs := []int{x}
	if skip >= 0 {
		acc.Terms, inputs = append(acc.Terms, graph.Term{Mult: 64}), append(inputs, skip)
	}
	var bounds []graph.Interval
	for _, i := range inputs {
		bounds = append(bounds, n.info.Bounds[i])
	}
	b, err := acc.Bound(bounds, n.weights, channels)
	if err != nil {
		n.b.Fatal(err)
	}
	acc.Lo, acc.Hi = b.Lo, b.Hi
	const shift = 8
	lo, hi := graph.ShiftRight(acc.Lo, shift), graph.ShiftRight(acc.Hi, shift)
	values := make([]int32, hi-lo+1)
	for i := range values {
		values[i] = int32(min(max(lo+int64(i), -127), 127))
		if relu {
			values[i] = max(values[i], 0)
		}
	}
	n.graph.Tables = append(n.graph.Tables, graph.NewTable(lo, values))
	return n.add(&graph.Rescale{Acc: acc, Shift: []int{shift}, Table: len(n.graph.Tables) - 1}, inputs...)
}

// halve adds a maximum of pairs along an axis.
func (n *network) halve(x, axis int) int {
	half := n.info.Shapes[x][axis] / 2
	a := n.add(&graph.Slice{Axis: axis, Step: 2, Len: half}, x)
	b := n.add(&graph.Slice{Axis: axis, Start: 1, Step: 2, Len: half}, x)
	return n.add(&graph.Max{Channel: 1}, a, b)
}

// resnet18 has the layers of ResNet-18: 1.8 G products for 224×224 pixels.
func resnet18(b testing.TB) (*network, [][]int32) {
	n := &network{b: b, rng: rand.New(rand.NewPCG(1, 2))}
	x := n.add(&graph.Input{Name: "x", Shape: []int{1, 3, 224, 224}, Lo: -127, Hi: 127, Scale: 1})
	x = n.halve(n.halve(n.conv(x, 64, 7, 2, -1, true), 2), 3)
	for stage, channels := range []int{64, 128, 256, 512} {
		for block := range 2 {
			stride, skip := 1, x
			if stage > 0 && block == 0 {
				stride, skip = 2, n.conv(x, channels, 1, 2, -1, false)
			}
			x = n.conv(n.conv(x, channels, 3, stride, -1, true), channels, 3, 1, skip, true)
		}
	}
	for a := 2; a < 4; a++ {
		x = n.add(&graph.SumWindow{Window: graph.Window{Axis: a, Kernel: 7, Stride: 1, Dilation: 1, Out: 1}}, x)
	}
	x = n.conv(x, 1000, 1, 1, -1, false)
	n.graph.Outputs = []graph.Output{{Name: "y", Tensor: x, Shape: n.info.Shapes[x], Scale: 1}}
	if _, err := n.graph.Check(); err != nil {
		b.Fatal(err)
	}
	cells := make([]int32, 3*224*224)
	for i := range cells {
		cells[i] = int32(n.rng.IntN(255) - 127)
	}
	return n, [][]int32{cells}
}

func BenchmarkResNet18(b *testing.B) {
	n, inputs := resnet18(b)
	b.Run("interpreter", func(b *testing.B) {
		for b.Loop() {
			if _, err := interpret.Run(b.Context(), &n.graph, n.info, n.weights, inputs); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, mode := range map[string]emit.Mode{"Conv": emit.NativeConv, "patches": emit.PatchConv} {
		p, err := emit.Emit(&n.graph, n.info, n.weights, mode)
		if err != nil {
			b.Fatal(err)
		}
		c := open(b)
		s, err := load(b.Context(), c, p)
		if err != nil {
			b.Fatal(err)
		}
		feed := [][]byte{make([]byte, p.Inputs[0].Size())}
		b.Run("ONNX Runtime, "+name+", child only", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Run(b.Context(), feed); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("ONNX Runtime, "+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := emit.Run(b.Context(), s, p, inputs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("emit", func(b *testing.B) {
		for b.Loop() {
			if _, err := emit.Emit(&n.graph, n.info, n.weights, emit.NativeConv); err != nil {
				b.Fatal(err)
			}
		}
	})
}
