package emit_test

import (
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/emit"
)

// TestCommonFactorsAreTakenOut: weights on a grid are multiplied after their sums, which fit float32 then. Factors
// that leave too much are left alone, and so are weights that fit as they are.
func TestCommonFactorsAreTakenOut(t *testing.T) {
	c := tryOpen(t)
	for _, test := range []struct {
		name    string
		factors [2]int32
		odd     int32 // added to one weight
		mode    emit.Mode
		spatial bool
		want    map[string]int
	}{
		{"product", [2]int32{3001, 65000}, 0, emit.NativeConv, false, map[string]int{"MatMul": 1, "Cast": 1, "Mul": 1}},
		{"convolution", [2]int32{3001, -4099}, 0, emit.NativeConv, true, map[string]int{"Conv": 1, "Cast": 1, "Mul": 1}},
		{"patches", [2]int32{3001, 1}, 0, emit.PatchConv, true, map[string]int{"Conv": 0, "MatMul": 1, "Mul": 1}},
		{"one weight off the grid", [2]int32{3001, 65000}, 1, emit.NativeConv, false, map[string]int{"Mul": 0}},
		{"small factors", [2]int32{2, 4}, 0, emit.NativeConv, false, map[string]int{"MatMul": 1, "Cast": 0, "Mul": 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			const k = 100
			shape := []int{2, k}
			if test.spatial {
				shape = []int{1, k, 1, 2}
			}
			conv := &graph.Conv{Channel: 1, InChannels: k, OutChannels: 2, Groups: 1}
			w, cells := make([]int32, 2*k), make([]int32, 2*k)
			for i := range w {
				w[i], cells[i] = int32(i%255-127)*test.factors[i/k], int32(i*7%256)-128
			}
			w[k+3] += test.odd
			op := &graph.Reveal{Acc: graph.Accumulator{Channel: 1, Terms: []graph.Term{{Conv: conv}}}}
			g := single(t, -128, 127, shape, op, nil, graph.Weights{w}, cells)
			p, err := emit.Emit(g.Graph, g.Info, g.Weights, test.mode)
			if err != nil {
				t.Fatal(err)
			}
			got := operators(t, p)
			for op, n := range test.want {
				if got[op] != n {
					t.Errorf("emitted %v, want %v", got, test.want)
				}
			}
			check(t, c, g, p)
		})
	}
}
