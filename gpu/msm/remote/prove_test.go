//go:build unix

package remote

import (
	"bytes"
	"testing"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

var _ prover.Committer = (*msm.Committer)(nil)

// files are what a prover with these options leaves.
func files(t *testing.T, c *graphtest.Case, o prover.Options) (model, proof []byte) {
	t.Helper()
	p, err := prover.Prepare(t.Context(), c.Graph, c.Weights, transcript.SHA256, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	trace, err := interpret.Run(t.Context(), c.Graph, c.Info, c.Weights, c.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	r, err := prover.Prove(t.Context(), p, prover.Job{ID: "job"}, trace, o)
	if err != nil {
		t.Fatal(err)
	}
	return p.Model.Encode(), verify.NewFile(r.Statement, r.Proof).Encode()
}

// The child is lost in the middle of one of the commitments.
func TestProofsDoNotShowWhoCommitted(t *testing.T) {
	committer := msm.NewCommitter(ill(t, "kill", 1))
	for seed := range uint64(4) {
		c := graphtest.Random(seed)
		model, proof := files(t, c, prover.Options{})
		otherModel, otherProof := files(t, c, prover.Options{Committer: committer})
		if !bytes.Equal(model, otherModel) || !bytes.Equal(proof, otherProof) {
			t.Errorf("seed %d: the files differ", seed)
		}
	}
}
