package prover

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

func prepare(t testing.TB, c *graphtest.Case, kind transcript.Kind) *Prepared {
	t.Helper()
	p, err := Prepare(t.Context(), c.Graph, c.Weights, kind, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func execute(t testing.TB, c *graphtest.Case) *graph.Trace {
	t.Helper()
	trace, err := interpret.Run(t.Context(), c.Graph, c.Info, c.Weights, c.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func TestHonestProofsOfRandomGraphsVerify(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			c := graphtest.Random(seed)
			p := prepare(t, c, transcript.SHA256)
			r, err := Prove(t.Context(), p, Job{ID: "job", Payee: "payee", Chain: "chain"}, execute(t, c), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := verify.Verify(p.Model, r.Statement, r.Proof); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestHonestProofsOfRandomEmbeddingsVerify carries convolutions over ids through the file of a
// proof.
func TestHonestProofsOfRandomEmbeddingsVerify(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			accept(t, graphtest.RandomIds(seed), transcript.SHA256)
		})
	}
}

// TestHonestProofsOfRandomTreesVerify carries decision trees, and what reads them, through the file of a
// proof.
func TestHonestProofsOfRandomTreesVerify(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			accept(t, graphtest.RandomTrees(seed), transcript.SHA256)
		})
	}
}

// TestHonestProofsOfRandomProductsVerify carries products of two tensors through the file of
// a proof.
func TestHonestProofsOfRandomProductsVerify(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			accept(t, graphtest.RandomProduct(seed), transcript.SHA256)
		})
	}
}
