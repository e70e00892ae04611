package architectures

import (
	"testing"

	"github.com/weisyn/wes/prover/model/float"
)

// TestTextsHaveThePublishedShapes imports small ones and counts what grows with layers and tokens.
func TestTextsHaveThePublishedShapes(t *testing.T) {
	for _, test := range []struct {
		network Network
		params  int64 // tables, positions, layers of 12·w² + 13·w, final norm, pooler and classifier, numbers of the activation
		kinds   map[string]int
	}{
		{BERT(2, 32, 4, 8), 30522*32 + 8*32 + 2*(12*32*32+13*32) + 2*32 + 32*32 + 32 + 2*32 + 2 + 2, map[string]int{"Norm": 5, "Softmax": 2, "Gelu": 2, "Embedding": 1, "Product": 4}},
		{GPT2(2, 32, 4, 8), 2*50257*32 + 8*32 + 2*(12*32*32+13*32) + 2*32 + 50257 + 2, map[string]int{"Norm": 5, "Softmax": 2, "GeluTanh": 2, "Embedding": 1, "Product": 4}},
	} {
		g := imported(t, test.network)
		kinds := map[string]int{}
		for i := range g.Nodes {
			kinds[g.Nodes[i].Op.Kind()]++
		}
		for kind, n := range test.kinds {
			if kinds[kind] != n {
				t.Errorf("%s: %d of %s, want %d", test.network.Name, kinds[kind], kind, n)
			}
		}
		if got := g.Params(); got != test.params {
			t.Errorf("%s: %d parameters, want %d", test.network.Name, got, test.params)
		}
	}
}

// TestForestsHaveAllBranches imports a forest: one node, with a row for each sample.
func TestForestsHaveAllBranches(t *testing.T) {
	g := imported(t, Forest(3, 4, 5, 7))
	trees, ok := g.Nodes[0].Op.(*float.Trees)
	if !ok || len(g.Nodes) != 1 || g.Nodes[0].Shape[0] != 7 {
		t.Fatalf("%d nodes, the first %s of shape %v", len(g.Nodes), g.Nodes[0].Op.Kind(), g.Nodes[0].Shape)
	}
	if n := trees.MACs(g.Nodes[0].Shape); n != 3*4*7 {
		t.Errorf("%d steps, want %d", n, 3*4*7)
	}
}
