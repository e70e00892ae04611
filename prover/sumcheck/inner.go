package sumcheck

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/transcript"
)

// ProveInner proves Σ_x P(x)·L(x) = claim over n variables, P being a prefix of
// small integers and L one of field elements, len(p) == len(l) <= 2^n. It
// returns the proof for Verify(tr, n, 2, …), the point (top variable first) and
// the values of P and L there; the value that Verify returns is pEval·lEval. It
// overwrites l.
func ProveInner(tr *transcript.Transcript, n int, claim fr.Element, p []int32, l []fr.Element) (proof Proof, point []fr.Element, pEval, lEval fr.Element) {
	if len(p) != len(l) || n < 63 && len(p) > 1<<n {
		panic(fmt.Sprintf("BUG: sumcheck: inner product of %d and %d entries over %d variables", len(p), len(l), n))
	}
	pf := make([]fr.Element, len(p))
	for i := range p {
		pf[i].SetInt64(int64(p[i]))
	}
	proof, point, finals := ProveProducts(tr, n, 2, claim, []Instance{{Vars: n, Factors: [][]fr.Element{pf, l}}})
	return proof, point, finals[0][0], finals[0][1]
}
