package interpret

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

// TestEmbeddingsAgreeWithTheDefinition compares every cell of random convolutions over ids.
func TestEmbeddingsAgreeWithTheDefinition(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			c := graphtest.RandomIds(seed)
			trace, err := Run(t.Context(), c.Graph, c.Info, c.Weights, c.Inputs)
			if err != nil {
				t.Fatal(err)
			}
			r := newReference(c)
			for i := range c.Graph.Nodes {
				compare(t, r, trace, i)
			}
		})
	}
}
