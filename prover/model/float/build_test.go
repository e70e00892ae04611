package float

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

// build assembles small models for tests.
type build struct{ m onnx.Model }

func newBuild(opset int) *build {
	b := &build{}
	b.m.IRVersion = 8
	b.m.Opsets = []onnx.Opset{{Version: int64(opset)}}
	b.m.Graph.Name = "test"
	return b
}

// input declares a float input; a dimension of −1 is symbolic.
func (b *build) input(name string, dims ...int) *build { return b.typed(name, onnx.Float32, dims...) }

func (b *build) typed(name string, t onnx.DataType, dims ...int) *build {
	v := onnx.ValueInfo{Name: name, Type: t, HasShape: true}
	for _, d := range dims {
		if d < 0 {
			v.Dims = append(v.Dims, onnx.Dim{Param: "n"})
		} else {
			v.Dims = append(v.Dims, onnx.Dim{Known: true, Value: int64(d)})
		}
	}
	b.m.Graph.Inputs = append(b.m.Graph.Inputs, v)
	return b
}

func dims64(shape []int) []int64 {
	out := make([]int64, len(shape))
	for i, d := range shape {
		out[i] = int64(d)
	}
	return out
}

func (b *build) floats(name string, shape []int, v ...float32) *build {
	b.m.Graph.Initializers = append(b.m.Graph.Initializers,
		onnx.Tensor{Name: name, Type: onnx.Float32, Dims: dims64(shape), Floats: v})
	return b
}

func (b *build) ints(name string, v ...int64) *build {
	b.m.Graph.Initializers = append(b.m.Graph.Initializers,
		onnx.Tensor{Name: name, Type: onnx.Int64, Dims: []int64{int64(len(v))}, Ints: v})
	return b
}

func (b *build) scalar(name string, v int64) *build {
	b.m.Graph.Initializers = append(b.m.Graph.Initializers, onnx.Tensor{Name: name, Type: onnx.Int64, Ints: []int64{v}})
	return b
}

// node adds "a b -> c" with attributes; "_" is an omitted operand.
func (b *build) node(op, wires string, attrs ...onnx.Attribute) *build {
	in, out, _ := strings.Cut(wires, "->")
	names := func(s string) []string {
		f := strings.Fields(s)
		for i := range f {
			if f[i] == "_" {
				f[i] = ""
			}
		}
		return f
	}
	domain, name := "", op
	if i := strings.LastIndex(op, "."); i >= 0 {
		domain, name = op[:i], op[i+1:]
	}
	b.m.Graph.Nodes = append(b.m.Graph.Nodes, onnx.Node{
		Name: "n_" + strings.Fields(out)[0], Op: name, Domain: domain,
		Inputs: names(in), Outputs: names(out), Attrs: attrs,
	})
	return b
}

func (b *build) output(names ...string) *build {
	for _, n := range names {
		b.m.Graph.Outputs = append(b.m.Graph.Outputs, onnx.ValueInfo{Name: n, Type: onnx.Float32})
	}
	return b
}

// model writes and parses the model, so that only valid files are imported.
func (b *build) model(t testing.TB) *onnx.Model {
	t.Helper()
	data, err := b.m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Parse(data, onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (b *build) graph(t testing.TB, opt Options) *Graph {
	t.Helper()
	g, err := Import(b.model(t), opt)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range g.Nodes {
		if n.Output != ValueID(len(g.Inputs)+i) {
			t.Fatalf("node %d has output %d", i, n.Output)
		}
	}
	return g
}

// refused imports the model and returns the one-line items of its refusal.
func (b *build) refused(t testing.TB) []string {
	t.Helper()
	_, err := Import(b.model(t), Options{})
	var u *UnsupportedError
	if !errors.As(err, &u) {
		t.Fatalf("got %v, want an *UnsupportedError", err)
	}
	var lines []string
	for _, it := range u.Items {
		lines = append(lines, it.Op+" "+it.Node+": "+it.Reason)
	}
	return lines
}

func aInt(name string, v int) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrInt, Int: int64(v)}
}

func aInts(name string, v ...int64) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrInts, Ints: v}
}

func aFloat(name string, v float32) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrFloat, Float: v}
}

func aString(name, v string) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrString, String: v}
}

func aTensor(name string, v onnx.Tensor) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrTensor, Tensor: &v}
}

// iota1 returns a tensor of 1, 2, 3, …
func iota1(shape ...int) Tensor {
	t := NewTensor(shape)
	for i := range t.Data {
		t.Data[i] = float32(i + 1)
	}
	return t
}

func wantTensor(t testing.TB, got Tensor, shape []int, data []float32) {
	t.Helper()
	if !slices.Equal(got.Shape, shape) || len(got.Data) != len(data) {
		t.Fatalf("got shape %v with %d cells, want %v with %d", got.Shape, len(got.Data), shape, len(data))
	}
	for i := range data {
		if d := math.Abs(float64(got.Data[i] - data[i])); !(d <= 1e-5*max(1, math.Abs(float64(data[i])))) {
			t.Fatalf("cell %d is %v, want %v\ngot  %v\nwant %v", i, got.Data[i], data[i], got.Data, data)
		}
	}
}

// kinds returns the operators of the graph in order.
func kinds(g *Graph) string {
	var k []string
	for _, n := range g.Nodes {
		k = append(k, n.Op.Kind())
	}
	return strings.Join(k, " ")
}

func outputs(t testing.TB, g *Graph, in ...Tensor) []Tensor {
	t.Helper()
	out, err := Outputs(context.Background(), g, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
