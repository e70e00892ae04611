package emit_test

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

// TestProductsAreSplitAtTheBoundOfFloat32 multiplies cells at the ends of their domain, on
// both sides of 2^24.
func TestProductsAreSplitAtTheBoundOfFloat32(t *testing.T) {
	c := open(t)
	for _, test := range []struct {
		name string
		k    int
		top  int32
		mult int64
		want map[string]int
	}{
		{"1040", 1040, 127, 1, map[string]int{"MatMul": 1, "Add": 0, "Cast": 0}},
		{"1041", 1041, 127, 1, map[string]int{"MatMul": 2, "Add": 1}},
		{"multiplied beyond the bound", 1040, 127, 3, map[string]int{"MatMul": 1, "Mul": 1, "Cast": 1}},
		{"wide cells", 40, 1 << 15, 1, map[string]int{"MatMul": 1, "Add": 0, "Cast": 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			input := func(name string) graph.Node {
				return graph.Node{Name: name, Op: &graph.Input{Name: name, Shape: []int{2, test.k}, Lo: int64(-test.top), Hi: int64(test.top), Scale: 1}}
			}
			p := &graph.Product{Left: []int{0, graph.Contracted}, Right: []int{1, graph.Contracted}, Length: test.k}
			bound := test.mult * int64(test.k) * int64(test.top) * int64(test.top)
			g := &graph.Graph{
				Nodes: []graph.Node{input("x"), input("z"), {Name: "y", Inputs: []int{0, 1}, Op: &graph.Reveal{Acc: graph.Accumulator{
					Lo: -bound, Hi: bound, Terms: []graph.Term{{Mult: test.mult, Product: p}},
				}}}},
				Outputs: []graph.Output{{Name: "y", Tensor: 2, Shape: []int{2, 2}, Scale: 1}},
			}
			info, err := g.Check()
			if err != nil {
				t.Fatal(err)
			}
			k := &graphtest.Case{Graph: g, Info: info, Inputs: [][]int32{make([]int32, 2*test.k), make([]int32, 2*test.k)}}
			for i := range k.Inputs[0] {
				k.Inputs[0][i], k.Inputs[1][i] = test.top, test.top
				if i%test.k == 7 {
					k.Inputs[0][i], k.Inputs[1][i] = test.top-1, test.top-1
				}
			}
			file, err := emit.Emit(g, info, nil, emit.NativeConv)
			if err != nil {
				t.Fatal(err)
			}
			got := operators(t, file)
			for op, n := range test.want {
				if got[op] != n {
					t.Errorf("emitted %v, want %v", got, test.want)
				}
			}
			check(t, c, k, file)
		})
	}
}
