package layer

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/poly"
)

// TestFactorsOfIdsAreFunctionals compares, for random embeddings, the input factor that the
// prover sums with what the verifier computes from the ids.
func TestFactorsOfIdsAreFunctionals(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 9))
	for seed := range uint64(60) {
		c := graphtest.RandomIds(seed)
		s, err := NewSystem(c.Graph, c.Info)
		if err != nil {
			t.Fatal(err)
		}
		point := randomVector(rng, s.PointVars())
		ch := &Challenges{Point: point, Gamma: randomVector(rng, 1)[0], Rho: randomVector(rng, 1)[0]}
		ch.Left.Point = point[len(point)-s.LeafVars:]
		claims := s.Claims(ch)
		if len(claims.Convs) == 0 {
			t.Fatalf("seed %d: no claims", seed)
		}
		for i := range claims.Convs {
			conv := &claims.Convs[i]
			ids := c.Inputs[conv.Input]
			r := randomVector(rng, s.Weights.ContractVars)
			padded := make([]fr.Element, 1<<conv.Vars())
			copy(padded, conv.InputFactor(ids))
			got, want := poly.Evaluate(padded, r[len(r)-conv.Vars():]), conv.inputTerm(r, new(eqTables)).Apply(ids)
			if !got.Equal(&want) {
				t.Errorf("seed %d, claim %d: the factor is not its functional", seed, i)
			}
		}
	}
}
