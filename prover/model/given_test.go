package model

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/onnx/onnxtest"
)

// lowerInt8 lowers a quantised network without samples: it needs none.
func lowerInt8(t testing.TB, b *onnxtest.Builder) *Lowered {
	t.Helper()
	m, err := onnx.Parse(b.Marshal(), onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	fg, err := float.Import(m, float.Options{})
	if err != nil {
		t.Fatal(err)
	}
	low, err := Lower(t.Context(), fg, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return low
}

// agreement counts the cells of a network's output that are those of the reference, and those a step away or
// less.
type agreement struct{ cells, equal, near int }

func (a *agreement) add(t testing.TB, b *onnxtest.Builder, low *Lowered, shape []int, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 5))
	x := float.NewTensor(shape)
	wide := onnxtest.Tensor{Shape: shape, Data: make([]float64, len(x.Data))}
	for i := range x.Data {
		x.Data[i] = float32(r.NormFloat64())
		wide.Data[i] = float64(x.Data[i])
	}
	want := onnxtest.Run(&b.Model, wide)
	got, _, err := low.run(t.Context(), []float.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	scale := low.Graph.Outputs[0].Scale
	for i, v := range got[0] {
		d := v - round(want.Data[i]/scale)
		a.cells++
		if d == 0 {
			a.equal++
		}
		if d >= -1 && d <= 1 {
			a.near++
		}
	}
}

// TestInt8ModelsKeepTheirScales: cells are those of the model's own arithmetic.
func TestInt8ModelsKeepTheirScales(t *testing.T) {
	for _, net := range onnxtest.Networks() {
		for _, form := range onnxtest.Forms {
			t.Run(net.Name+"/"+form.String(), func(t *testing.T) {
				var a agreement
				for seed := range uint64(4) {
					b := onnxtest.New(form, seed)
					net.Build(b)
					low := lowerInt8(t, b)
					for sample := range uint64(8) {
						a.add(t, b, low, net.Shape, sample)
					}
				}
				t.Logf("%+v", a)
				if 1000*a.near < 999*a.cells || 100*a.equal < 90*a.cells {
					t.Errorf("%+v", a)
				}
			})
		}
	}
}

// TestPowersOfTwoAreExact: where no multiplier is rounded and no quotient is half an integer, every cell is
// that of the model.
func TestPowersOfTwoAreExact(t *testing.T) {
	for _, form := range onnxtest.Forms {
		var a agreement
		for seed := range uint64(4) {
			b := onnxtest.New(form, seed)
			b.Exact = true
			net := onnxtest.Networks()[0]
			net.Build(b)
			low := lowerInt8(t, b)
			for _, l := range low.Report.Layers {
				if l.WeightBits > 8 {
					t.Errorf("%s: weights of %d bits", l.Name, l.WeightBits)
				}
			}
			a.add(t, b, low, net.Shape, seed)
		}
		if a.equal != a.cells {
			t.Errorf("%v: %+v", form, a)
		}
	}
}

// TestInputsTakeTheScaleOfTheirQuantisation: their cells are those of QuantizeLinear, without a layer of their
// own.
func TestInputsTakeTheScaleOfTheirQuantisation(t *testing.T) {
	b := onnxtest.New(onnxtest.QDQ, 1)
	x := b.Input("x", []int{2, 3}, onnxtest.Grid{Type: onnx.Uint8, Scale: 0.125, Zero: 100})
	b.Finish(b.Dense(x, 4, false, b.Grid(2, false)))
	low := lowerInt8(t, b)
	in := low.Graph.Nodes[0].Op.(*graph.Input)
	if in.Lo != -100 || in.Hi != 155 || in.Scale != 0.125 || len(low.Report.Layers) != 1 {
		t.Errorf("input %+v, layers %+v", in, low.Report.Layers)
	}
}

// TestOutputsMayBeIntegers: cells are those of QLinearMatMul, with their zero point.
func TestOutputsMayBeIntegers(t *testing.T) {
	b := onnxtest.New(onnxtest.QDQ, 1)
	x := b.Input("x", []int{8, 24}, onnxtest.Grid{Type: onnx.Int8, Scale: 0.0625, Zero: -3})
	y := b.Dense(x, 20, false, onnxtest.Grid{Type: onnx.Uint8, Scale: 0.03, Zero: 77})
	b.Model.Graph.Outputs = append(b.Model.Graph.Outputs, onnxtest.Value(y.Name, onnx.Uint8, y.Shape))
	low := lowerInt8(t, b)
	if o := low.Graph.Outputs[0]; o.Scale != 1 {
		t.Errorf("scale %v", o.Scale)
	}
	var a agreement
	a.add(t, b, low, x.Shape, 1)
	if a.near < a.cells || 100*a.equal < 97*a.cells {
		t.Errorf("%+v", a)
	}
}

// TestMutatedInt8ModelsAreRefusedOrLowered changes one part of a model: whatever is imported has an integer
// graph, or an error.
func TestMutatedInt8ModelsAreRefusedOrLowered(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	lowered := 0
	for i := range 150 {
		b := onnxtest.New(onnxtest.Forms[i%3], r.Uint64())
		onnxtest.Networks()[r.IntN(3)].Build(b)
		mutate(r, &b.Model.Graph)
		data, err := b.Model.Marshal()
		if err != nil {
			continue // integers beyond their type
		}
		m, err := onnx.Parse(data, onnx.Limits{})
		if err != nil {
			continue
		}
		fg, err := float.Import(m, float.Options{})
		if err != nil {
			continue
		}
		if _, err = Lower(t.Context(), fg, nil, Options{}); err == nil {
			lowered++
		} else if !errors.Is(err, ErrModel) {
			t.Fatal(err)
		}
	}
	if lowered < 10 {
		t.Errorf("%d are lowered", lowered)
	}
}

// mutate changes an initializer or the operands of a node.
func mutate(r *rand.Rand, g *onnx.Graph) {
	node := &g.Nodes[r.IntN(len(g.Nodes))]
	c := &g.Initializers[r.IntN(len(g.Initializers))]
	switch r.IntN(8) {
	case 0:
		node.Inputs[r.IntN(len(node.Inputs))] = ""
	case 1:
		node.Inputs[r.IntN(len(node.Inputs))] = g.Initializers[r.IntN(len(g.Initializers))].Name
	case 2:
		other := &g.Nodes[r.IntN(len(g.Nodes))]
		node.Op, node.Attrs = other.Op, other.Attrs
	case 3:
		if len(node.Inputs) > 1 {
			node.Inputs = node.Inputs[:len(node.Inputs)-1]
		}
	case 4:
		if len(c.Floats) > 0 {
			c.Floats[0] = []float32{0, -1, 1e-40, 1e-30, 1e30, float32(math.NaN()), float32(math.Inf(1))}[r.IntN(7)]
		}
	case 5:
		c.Dims = []int64{1, int64(c.Len())}
	case 6:
		if len(c.Ints) > 0 {
			c.Type = []onnx.DataType{onnx.Int8, onnx.Uint8, onnx.Int32, onnx.Int64}[r.IntN(4)]
		}
	case 7:
		for i := range c.Floats {
			c.Floats[i] *= []float32{1e-6, 1e6, 3, 0.1}[r.IntN(4)]
		}
	}
}
