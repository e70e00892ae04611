package emit_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

// recorder keeps what a program feeds.
type recorder struct{ feeds [][]byte }

var errRecorded = errors.New("recorded")

func (r *recorder) Run(_ context.Context, inputs [][]byte) ([][]byte, error) {
	r.feeds = inputs
	return nil, errRecorded
}

// TestTreesAreInputsOfTheProgram: their cells are fed as they are computed, in the order of the program's
// inputs, and no operator of the file is theirs.
func TestTreesAreInputsOfTheProgram(t *testing.T) {
	for seed := range uint64(20) {
		c := graphtest.RandomTrees(seed)
		p, err := emit.Emit(c.Graph, c.Info, c.Weights, emit.NativeConv)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Inputs) != 3 || len(p.Outputs) != 3 { // two forests; a Reveal, and a Rescale with its accumulator
			t.Fatalf("%d inputs and %d outputs", len(p.Inputs), len(p.Outputs))
		}
		var r recorder
		if _, err := emit.Run(t.Context(), &r, p, c.Inputs); !errors.Is(err, errRecorded) {
			t.Fatal(err)
		}
		cells := make([]int64, len(c.Inputs[0]))
		for i, v := range c.Inputs[0] {
			cells[i] = int64(v)
		}
		for k, v := range p.Inputs[1:] {
			want := c.Graph.Nodes[v.Tensor].Op.(*graph.Trees).Apply(cells, c.Info.Shapes[0][1])
			for i, w := range want {
				got := float64(math.Float32frombits(binary.LittleEndian.Uint32(r.feeds[k+1][4*i:])))
				if v.Double || got != float64(w) {
					t.Fatalf("seed %d: input %d, cell %d is %g, want %d", seed, k+1, i, got, w)
				}
			}
		}
	}
}

func TestTreesAreFedOnlyFromInputsThatFit(t *testing.T) {
	c := graphtest.RandomTrees(1)
	p, err := emit.Emit(c.Graph, c.Info, c.Weights, emit.NativeConv)
	if err != nil {
		t.Fatal(err)
	}
	far := append([]int32{graph.MaxKey + 1}, c.Inputs[0][1:]...)
	for name, inputs := range map[string][][]int32{"none": nil, "two": {c.Inputs[0], c.Inputs[0]}, "short": {c.Inputs[0][1:]}, "far": {far}} {
		if _, err := emit.Run(t.Context(), &recorder{}, p, inputs); !errors.Is(err, emit.ErrInput) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
