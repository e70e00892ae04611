package onnx

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "models", name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRealModelsSurviveARoundTrip(t *testing.T) {
	for _, name := range []string{"iris_mlp", "digits_mlp", "digits_lenet", "lenet5_28", "iris_rf", "breast_cancer_logreg"} {
		t.Run(name, func(t *testing.T) {
			first, err := Parse(testdata(t, name), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			b1, err := first.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			second, err := Parse(b1, Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(first, second) {
				t.Fatal("the model changed")
			}
			b2, err := second.Marshal()
			if err != nil || string(b1) != string(b2) {
				t.Fatalf("the bytes changed (%v)", err)
			}
		})
	}
}

func TestTruncatedModelIsRefused(t *testing.T) {
	data := testdata(t, "iris_mlp")
	whole, err := Parse(data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		m, err := Parse(data[:n], Limits{})
		if err == nil && reflect.DeepEqual(m, whole) {
			t.Fatalf("cut at %d of %d: parsed as the whole model", n, len(data))
		}
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("cut at %d: %v is not an *Error", n, err)
		}
	}
}

// tiny is y = Add(x, c), valid as it stands.
func tiny() *Model {
	return &Model{
		IRVersion: 8,
		Opsets:    []Opset{{Version: 13}},
		Graph: Graph{
			Name:         "g",
			Inputs:       []ValueInfo{{Name: "x", Type: Float32, HasShape: true, Dims: []Dim{{Param: "n"}, {Known: true, Value: 2}}}},
			Outputs:      []ValueInfo{{Name: "y", Type: Float32}},
			Initializers: []Tensor{{Name: "c", Type: Float32, Dims: []int64{2}, Floats: []float32{1, 2}}},
			Nodes:        []Node{{Name: "add", Op: "Add", Inputs: []string{"x", "c"}, Outputs: []string{"y"}}},
		},
	}
}

func TestModelsThatDoNotFitTogetherAreRefused(t *testing.T) {
	relu := func(name, in, out string) Node {
		return Node{Name: name, Op: "Relu", Inputs: []string{in}, Outputs: []string{out}}
	}
	for _, c := range []struct {
		name string
		kind error
		want string
		edit func(*Model)
	}{
		{"old opset", ErrForbidden, "opset 6", func(m *Model) { m.Opsets[0].Version = 6 }},
		{"new opset", ErrForbidden, "opset 22", func(m *Model) { m.Opsets[0].Version = 22 }},
		{"no opset", ErrInvalid, `node "add" (Add): no opset`, func(m *Model) { m.Opsets = nil }},
		{"opset twice", ErrInvalid, "imported twice", func(m *Model) { m.Opsets = append(m.Opsets, Opset{"ai.onnx", 13}) }},
		{"foreign domain", ErrForbidden, `node "add" (Add): operator of domain "com.microsoft"`, func(m *Model) {
			m.Opsets = append(m.Opsets, Opset{"com.microsoft", 1})
			m.Graph.Nodes[0].Domain = "com.microsoft"
		}},
		{"no operator", ErrInvalid, "no operator", func(m *Model) { m.Graph.Nodes[0].Op = "" }},
		{"undefined input", ErrInvalid, `undefined input "z"`, func(m *Model) { m.Graph.Nodes[0].Inputs[1] = "z" }},
		{"undefined output", ErrInvalid, `output "z"`, func(m *Model) { m.Graph.Outputs[0].Name = "z" }},
		{"no output", ErrInvalid, "without outputs", func(m *Model) { m.Graph.Outputs = nil }},
		{"self loop", ErrInvalid, "cyclic", func(m *Model) { m.Graph.Nodes[0].Inputs[1] = "y" }},
		{"cycle", ErrInvalid, "cyclic", func(m *Model) {
			m.Graph.Nodes = append(m.Graph.Nodes, relu("a", "q", "p"), relu("b", "p", "q"))
		}},
		{"duplicate node", ErrInvalid, "duplicate node name", func(m *Model) { m.Graph.Nodes = append(m.Graph.Nodes, relu("add", "x", "q")) }},
		{"duplicate value", ErrInvalid, "duplicate value name", func(m *Model) { m.Graph.Nodes = append(m.Graph.Nodes, relu("b", "x", "y")) }},
		{"output is an initializer", ErrInvalid, "duplicate value name", func(m *Model) { m.Graph.Nodes = append(m.Graph.Nodes, relu("b", "x", "c")) }},
		{"duplicate initializer", ErrInvalid, `initializer "c"`, func(m *Model) {
			m.Graph.Initializers = append(m.Graph.Initializers, m.Graph.Initializers[0])
		}},
		{"duplicate input", ErrInvalid, "duplicate value name", func(m *Model) { m.Graph.Inputs = append(m.Graph.Inputs, m.Graph.Inputs[0]) }},
		{"duplicate output", ErrInvalid, "duplicate graph output", func(m *Model) { m.Graph.Outputs = append(m.Graph.Outputs, m.Graph.Outputs[0]) }},
		{"duplicate attribute", ErrInvalid, `duplicate attribute "k"`, func(m *Model) {
			m.Graph.Nodes[0].Attrs = []Attribute{{Name: "k", Type: AttrInt}, {Name: "k", Type: AttrInt}}
		}},
		{"string input", ErrForbidden, "string", func(m *Model) { m.Graph.Inputs[0].Type = 8 }},
		{"complex input", ErrForbidden, "type 14", func(m *Model) { m.Graph.Inputs[0].Type = 14 }},
		{"not UTF-8", ErrMalformed, "UTF-8", func(m *Model) { m.Graph.Nodes[0].Name = "\xff" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := tiny()
			c.edit(m)
			b, err := m.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			wantRefusal(t, b, Limits{}, c.kind, c.want)
		})
	}
}

func wantRefusal(t *testing.T, data []byte, limits Limits, kind error, text string) {
	t.Helper()
	_, err := Parse(data, limits)
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, kind) || !strings.Contains(err.Error(), text) {
		t.Fatalf("got %v, want %v with %q", err, kind, text)
	}
}

func TestLimitsAreEnforced(t *testing.T) {
	data, err := tiny().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(data, Limits{Bytes: len(data), Nodes: 1, Initializers: 1, Values: 1, Operands: 2, NameLength: 3, Rank: 2, Elements: 2}); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]Limits{
		"bytes": {Bytes: len(data) - 1}, "operands": {Operands: 1}, "name": {NameLength: 2},
		"rank": {Rank: 1}, "elements": {Elements: 1},
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, data, l, ErrLimit, "") })
	}
	m := tiny()
	m.Graph.Nodes = append(m.Graph.Nodes, Node{Op: "Relu", Inputs: []string{"x"}, Outputs: []string{"q"}})
	m.Graph.Initializers = append(m.Graph.Initializers, Tensor{Name: "d", Type: Int64, Dims: []int64{0}})
	m.Graph.Outputs = append(m.Graph.Outputs, ValueInfo{Name: "q", Type: Float32})
	m.Graph.Nodes[0].Attrs = []Attribute{{Name: "k", Type: AttrInts, Ints: []int64{1, 2}}}
	if data, err = m.Marshal(); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]Limits{
		"nodes": {Nodes: 1}, "initializers": {Initializers: 1}, "outputs": {Values: 1}, "list": {ListLength: 1},
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, data, l, ErrLimit, "") })
	}
}

func TestMarshalRefusesInconsistentTensors(t *testing.T) {
	for name, tensor := range map[string]Tensor{
		"length":       {Name: "c", Type: Float32, Dims: []int64{3}, Floats: []float32{1}},
		"wrong view":   {Name: "c", Type: Float32, Dims: []int64{1}, Ints: []int64{1}},
		"unknown type": {Name: "c", Type: 99, Dims: []int64{1}, Ints: []int64{1}},
		"range":        {Name: "c", Type: Int8, Dims: []int64{1}, Ints: []int64{128}},
		"not a half":   {Name: "c", Type: Float16, Dims: []int64{1}, Floats: []float32{1.0001}},
	} {
		m := tiny()
		m.Graph.Initializers[0] = tensor
		if _, err := m.Marshal(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestEveryElementTypeSurvivesARoundTrip(t *testing.T) {
	m := tiny()
	m.Graph.Initializers = append(m.Graph.Initializers,
		Tensor{Name: "f16", Type: Float16, Dims: []int64{5}, Floats: []float32{0, -1.5, 65504, 1.0 / (1 << 24), float32(math.Copysign(0, -1))}},
		Tensor{Name: "f64", Type: Float64, Dims: []int64{2}, Doubles: []float64{math.Pi, -1e300}},
		Tensor{Name: "i64", Type: Int64, Dims: []int64{2}, Ints: []int64{math.MinInt64, math.MaxInt64}},
		Tensor{Name: "i32", Type: Int32, Dims: []int64{1, 2}, Ints: []int64{math.MinInt32, math.MaxInt32}},
		Tensor{Name: "i8", Type: Int8, Dims: []int64{2}, Ints: []int64{-128, 127}},
		Tensor{Name: "u8", Type: Uint8, Dims: []int64{2}, Ints: []int64{0, 255}},
		Tensor{Name: "b", Type: Bool, Dims: []int64{2}, Ints: []int64{0, 1}},
		Tensor{Name: "scalar", Type: Float32, Floats: []float32{7}},
		Tensor{Name: "empty", Type: Int64, Dims: []int64{0, 3}, Ints: []int64{}},
	)
	m.Graph.Nodes[0].Attrs = []Attribute{
		{Name: "f", Type: AttrFloat, Float: -0.5},
		{Name: "i", Type: AttrInt, Int: -3},
		{Name: "z", Type: AttrInt},
		{Name: "s", Type: AttrString, String: "\x00\xff"},
		{Name: "fs", Type: AttrFloats, Floats: []float32{1, 2}},
		{Name: "is", Type: AttrInts, Ints: []int64{-1, 0}},
		{Name: "ss", Type: AttrStrings, Strings: []string{"", "a"}},
		{Name: "none", Type: AttrInts},
		{Name: "t", Type: AttrTensor, Tensor: &Tensor{Type: Float32, Floats: []float32{3}}},
	}
	b, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Fatalf("got %+v\nwant %+v", got, m)
	}
}

func TestHalfAgreesWithItsInverse(t *testing.T) {
	for h := range 1 << 16 {
		f := half(uint16(h))
		back, ok := toHalf(f)
		if !ok || (back != uint16(h) && f == f) {
			t.Fatalf("%#04x is %v, back %#04x %v", h, f, back, ok)
		}
	}
	if half(0x3c01) != 1+1.0/1024 || half(0xc000) != -2 || half(1) != 1.0/(1<<24) || !math.IsInf(float64(half(0x7c00)), 1) {
		t.Fatal("wrong value")
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"iris_mlp", "breast_cancer_logreg"} {
		f.Add(testdata(f, name))
	}
	small, err := tiny().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small)
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Parse(data, Limits{})
		runtime.ReadMemStats(&after)
		if used, bound := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+256*len(data)); used > bound {
			t.Fatalf("%d bytes of input took %d bytes of memory", len(data), used)
		}
		var e *Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Fatalf("%v is not an *Error", err)
			}
			return
		}
		b, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(b, Limits{}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzParseTensor(f *testing.F) {
	f.Add([]byte{8, 2, 16, 1, 74, 8, 0, 0, 128, 63, 0, 0, 0, 64}) // dims 2, float32, raw data
	f.Add([]byte{8, 2, 16, 7, 58, 2, 3, 4})                       // dims 2, int64, typed data
	f.Add([]byte{16, 9, 42, 1, 1})                                // a truth value
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := ParseTensor(data, Limits{Elements: 1 << 20})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is not an *Error", err)
			}
			return
		}
		n := int64(1)
		for _, d := range x.Dims {
			n *= d
		}
		if int64(x.Len()) != n || x.Len() > 8*len(data) {
			t.Fatalf("%d elements of shape %v in %d bytes", x.Len(), x.Dims, len(data))
		}
	})
}

func TestTensorFilesAreParsedWhole(t *testing.T) {
	whole := []byte{8, 2, 16, 1, 66, 1, 'x', 74, 8, 0, 0, 128, 63, 0, 0, 0, 64}
	x, err := ParseTensor(whole, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (&Tensor{Name: "x", Type: Float32, Dims: []int64{2}, Floats: []float32{1, 2}}); !reflect.DeepEqual(x, want) {
		t.Errorf("got %+v", x)
	}
	for n := range whole {
		if x, err := ParseTensor(whole[:n], Limits{}); err == nil {
			t.Errorf("cut at %d: %+v", n, x)
		}
	}
	if _, err := ParseTensor(whole, Limits{Bytes: len(whole) - 1}); !errors.Is(err, ErrLimit) {
		t.Errorf("got %v, want ErrLimit", err)
	}
}
