package emit_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	onnxruntime "github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/model/onnx"
)

// single is a graph of one input and one operator that makes an accumulator of it.
func single(t *testing.T, lo, hi int64, shape []int, op graph.Op, tables []graph.Table, w graph.Weights, cells []int32) *graphtest.Case {
	t.Helper()
	g := &graph.Graph{
		Tables: tables,
		Nodes: []graph.Node{
			{Name: "x", Op: &graph.Input{Name: "x", Shape: shape, Lo: lo, Hi: hi, Scale: 1}},
			{Name: "y", Op: op, Inputs: []int{0}},
		},
	}
	info, _ := g.Check()
	if info == nil {
		_, err := g.Check()
		t.Fatal(err)
	}
	acc := graph.AccumulatorOf(op)
	b, err := acc.Bound(info.Bounds[:1], w, info.Shapes[1][acc.Channel])
	if err != nil {
		t.Fatal(err)
	}
	acc.Lo, acc.Hi = b.Lo, b.Hi
	g.Outputs = []graph.Output{{Name: "y", Tensor: 1, Shape: info.Shapes[1], Scale: 1}}
	if info, err = g.Check(); err != nil {
		t.Fatal(err)
	}
	if err := g.CheckWeights(info, w); err != nil {
		t.Fatal(err)
	}
	return &graphtest.Case{Graph: g, Info: info, Weights: w, Inputs: [][]int32{cells}}
}

// operators counts the operators of an emitted file.
func operators(t *testing.T, p *emit.Program) map[string]int {
	t.Helper()
	m, err := onnx.Parse(p.Model, onnx.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, n := range m.Graph.Nodes {
		count[n.Op]++
	}
	return count
}

// TestSumsAtTheBoundStayExact walks over 2^24: 1040 products of ±127 fit float32, 1041 are
// split, and products that no piece of 32 can hold are done in float64.
func TestSumsAtTheBoundStayExact(t *testing.T) {
	c := tryOpen(t)
	for _, test := range []struct {
		name    string
		k       int
		x, w    int32
		mode    emit.Mode
		spatial bool
		want    map[string]int
	}{
		{"1040 products", 1040, 127, 127, emit.NativeConv, false, map[string]int{"MatMul": 1}},
		{"1041 products", 1041, 127, 127, emit.NativeConv, false, map[string]int{"MatMul": 2, "Cast": 2, "Add": 1}},
		{"wide products", 40, 1 << 15, 1 << 15, emit.NativeConv, false, map[string]int{"MatMul": 1, "Cast": 1}},
		{"convolution of 1040", 1040, 127, 127, emit.NativeConv, true, map[string]int{"Conv": 1}},
		{"convolution of 1041", 1041, 127, 127, emit.NativeConv, true, map[string]int{"Conv": 2, "Add": 1}},
		{"convolution of wide products", 40, 1 << 15, 1 << 15, emit.NativeConv, true, map[string]int{"Conv": 0, "MatMul": 1}},
		{"patches of 1041", 1041, 127, 127, emit.PatchConv, true, map[string]int{"Conv": 0, "MatMul": 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			shape := []int{2, test.k}
			if test.spatial {
				shape = []int{1, test.k, 1, 2}
			}
			conv := &graph.Conv{Channel: 1, InChannels: test.k, OutChannels: 2, Groups: 1}
			w := make([]int32, 2*test.k)
			cells := make([]int32, 2*test.k)
			for i := range w {
				w[i], cells[i] = test.w, test.x
				if i%test.k == 7 {
					w[i], cells[i] = test.w-1, test.x-1
				}
			}
			op := &graph.Reveal{Acc: graph.Accumulator{Channel: 1, Terms: []graph.Term{{Conv: conv}}}}
			k := single(t, int64(-test.x), int64(test.x), shape, op, nil, graph.Weights{w}, cells)
			p, err := emit.Emit(k.Graph, k.Info, k.Weights, test.mode)
			if err != nil {
				t.Fatal(err)
			}
			got := operators(t, p)
			for op, n := range test.want {
				if got[op] != n {
					t.Errorf("emitted %v, want %v", got, test.want)
				}
			}
			check(t, c, k, p)
		})
	}
}

// check compares a program with the interpreter, if there is a client.
func check(t *testing.T, c *onnxruntime.Client, k *graphtest.Case, p *emit.Program) {
	t.Helper()
	if c == nil {
		return
	}
	want, err := interpret.Run(t.Context(), k.Graph, k.Info, k.Weights, k.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if err := agree(t.Context(), c, p, k, want); err != nil {
		t.Error(err)
	}
}

// TestRoundingAtTheBoundStaysExact divides numbers about halves, below and beyond what
// float32 can round, by one shift and by one for each channel.
func TestRoundingAtTheBoundStaysExact(t *testing.T) {
	c := tryOpen(t)
	for _, top := range []int64{1<<23 - 1, 1<<24 - 1, 1 << 24, 1<<31 - 1} {
		for _, shifts := range [][]int{{12}, {11, 12, 13}} {
			var cells []int32
			for c := range 3 {
				s := shifts[c%len(shifts)]
				for _, base := range []int64{0, 5 << s, top - 1<<s, -top + 2<<s} {
					for d := int64(-1); d <= 1; d++ {
						cells = append(cells, int32(base+1<<(s-1)+d))
					}
				}
			}
			lo, hi := graph.ShiftRight(-top, slices.Min(shifts)), graph.ShiftRight(top, slices.Min(shifts))
			if hi-lo >= graph.MaxDomain {
				continue
			}
			identity := graph.Table{Lo: lo, Segments: []graph.Segment{{Len: int(hi - lo + 1), Value: lo, Slope: 1}}}
			op := &graph.Rescale{Acc: graph.Accumulator{Channel: 0, Lo: -top, Hi: top, Terms: []graph.Term{{Mult: 1}}}, Shift: shifts}
			k := single(t, -top, top, []int{3, 12}, op, []graph.Table{identity}, nil, cells)
			p, err := emit.Emit(k.Graph, k.Info, k.Weights, emit.NativeConv)
			if err != nil {
				t.Fatal(err)
			}
			check(t, c, k, p)
		}
	}
}

// TestTablesChooseTheirOperator guards that clamps are clipped and all else is looked up.
func TestTablesChooseTheirOperator(t *testing.T) {
	c := tryOpen(t)
	for name, test := range map[string]struct {
		f    func(q int64) int64
		clip bool
	}{
		"relu":            {func(q int64) int64 { return min(max(q, 0), 100) }, true},
		"shifted clamp":   {func(q int64) int64 { return min(max(q-7, -3), 20) }, true},
		"identity":        {func(q int64) int64 { return q }, true},
		"constant":        {func(q int64) int64 { return 9 }, true},
		"step":            {func(q int64) int64 { return min(max(q-7, 3), 4) }, true},
		"stairs":          {func(q int64) int64 { return q / 2 }, false},
		"negative slope":  {func(q int64) int64 { return -q }, false},
		"gap in a clamp":  {func(q int64) int64 { return max(q, 0) + min(max(q-1, 0), 1) }, false},
		"large values":    {func(q int64) int64 { return 1<<30 - 1 - q&1 }, false},
		"offset of 2^29":  {func(q int64) int64 { return min(max(q+1<<29, 0), 1<<29+5) }, true},
		"clamp not sunk ": {func(q int64) int64 { return min(max(q, -100), 100) + q/127 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			var values, cells []int32
			for q := int64(-128); q < 128; q++ {
				values, cells = append(values, int32(test.f(q))), append(cells, int32(q))
			}
			op := &graph.Rescale{Acc: graph.Accumulator{Lo: -128, Hi: 127, Terms: []graph.Term{{Mult: 1}}}, Shift: []int{0}}
			k := single(t, -128, 127, []int{256}, op, []graph.Table{graph.NewTable(-128, values)}, nil, cells)
			p, err := emit.Emit(k.Graph, k.Info, k.Weights, emit.NativeConv)
			if err != nil {
				t.Fatal(err)
			}
			if got := operators(t, p); (got["Clip"] == 1) != test.clip || (got["Gather"] == 1) == test.clip {
				t.Errorf("emitted %v", got)
			}
			check(t, c, k, p)
		})
	}
}

func TestEqualGraphsMakeEqualFiles(t *testing.T) {
	for seed := range uint64(20) {
		k := graphtest.Random(seed)
		a, err := emit.Emit(k.Graph, k.Info, k.Weights, emit.NativeConv)
		if err != nil {
			t.Fatal(err)
		}
		b, err := emit.Emit(k.Graph, k.Info, k.Weights, emit.NativeConv)
		if err != nil || !bytes.Equal(a.Model, b.Model) {
			t.Errorf("seed %d: two files, %v", seed, err)
		}
	}
}

// TestEqualConstantsAreWrittenOnce over random graphs, some of whose convolutions read the same weights.
func TestEqualConstantsAreWrittenOnce(t *testing.T) {
	shared := 0
	for seed := range uint64(100) {
		c := graphtest.Random(seed)
		shared += convolutions(c.Graph) - len(c.Weights)
		p, err := emit.Emit(c.Graph, c.Info, c.Weights, emit.NativeConv)
		if err != nil {
			t.Fatal(err)
		}
		m, err := onnx.Parse(p.Model, onnx.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, k := range m.Graph.Initializers {
			content := fmt.Sprint(k.Type, k.Dims, k.Floats, k.Doubles, k.Ints)
			if seen[content] {
				t.Errorf("seed %d: %s is another constant too", seed, k.Name)
			}
			seen[content] = true
		}
	}
	if shared == 0 {
		t.Error("no weights are read twice")
	}
}

func convolutions(g *graph.Graph) (n int) {
	for i := range g.Nodes {
		n += len(graph.Convs(g.Nodes[i].Op))
	}
	return n
}

// canned is a session that answers with what it was given.
type canned [][]byte

func (c canned) Run(context.Context, [][]byte) ([][]byte, error) { return c, nil }

// TestOutputsThatAreNoIntegersAreRefused guards the border between floats and the proof.
func TestOutputsThatAreNoIntegersAreRefused(t *testing.T) {
	op := &graph.Reveal{Acc: graph.Accumulator{Terms: []graph.Term{{Mult: 3}}}}
	k := single(t, -10, 10, []int{1}, op, nil, nil, []int32{5})
	p, err := emit.Emit(k.Graph, k.Info, k.Weights, emit.NativeConv)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(v float32) canned { return canned{binary.LittleEndian.AppendUint32(nil, math.Float32bits(v))} }
	for name, s := range map[string]canned{
		"fraction": answer(14.5), "beyond the bound": answer(31), "below the bound": answer(-31),
		"not a number": answer(float32(math.NaN())), "infinite": answer(float32(math.Inf(1))),
		"too short": {{1, 2}}, "no outputs": {},
	} {
		if _, err := emit.Run(t.Context(), s, p, k.Inputs); !errors.Is(err, emit.ErrInexact) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	trace, err := emit.Run(t.Context(), answer(15), p, k.Inputs)
	if err != nil || !slices.Equal(trace.Accs[1], []int64{15}) || !slices.Equal(trace.Values[0], []int32{5}) {
		t.Errorf("got %v, %v", trace, err)
	}
	for name, inputs := range map[string][][]int32{"none": nil, "too long": {{1, 2}}, "outside": {{11}}} {
		if _, err := emit.Run(t.Context(), answer(15), p, inputs); !errors.Is(err, emit.ErrInput) {
			t.Errorf("input %s: got %v", name, err)
		}
	}
}
