package lookup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/transcript"
)

// challenge is ρ with what the prover derives from it.
type challenge struct {
	rho        fr.Element
	complement fr.Element // 1-ρ
	inverse    fr.Element // 1/(1-ρ)
	kappa      fr.Element // ρ/(1-ρ)
	odds       fr.Element // (1-ρ)/ρ
}

func newChallenge(rho fr.Element) challenge {
	c := challenge{rho: rho}
	c.complement.SetOne()
	c.complement.Sub(&c.complement, &rho)
	both := *mul(&rho, &c.complement)
	both.Inverse(&both)
	c.inverse.Mul(&both, &rho)
	c.kappa.Mul(&c.inverse, &rho)
	c.odds.Square(&c.complement).Mul(&c.odds, &both)
	return c
}

func values(point []challenge) []fr.Element {
	v := make([]fr.Element, len(point))
	for i := range point {
		v[i] = point[i].rho
	}
	return v
}

// All traffic with the transcript goes through the functions below, for the
// prover and the verifier alike.

// bindRoots absorbs the sizes of the statement and the roots.
func bindRoots(tr *transcript.Transcript, leftVars, leftLen, rightVars int, left, right Root) {
	tr.AppendUint64("lookup/left-vars", uint64(leftVars))
	tr.AppendUint64("lookup/left-len", uint64(leftLen))
	tr.AppendUint64("lookup/right-vars", uint64(rightVars))
	tr.AppendScalars("lookup/roots", left.Num, left.Den, right.Num, right.Den)
}

func drawBatching(tr *transcript.Transcript) fr.Element {
	return tr.Challenge("lookup/lambda")
}

func bindRound(tr *transcript.Transcript, m Round) fr.Element {
	tr.AppendScalars("lookup/round", m.Slope, m.Curvature)
	return tr.Challenge("lookup/rho")
}

func bindEnds(tr *transcript.Transcript, ends []Ends) fr.Element {
	for i := range ends {
		tr.AppendScalars("lookup/ends", ends[i].P0, ends[i].P1, ends[i].Q0, ends[i].Q1)
	}
	return tr.Challenge("lookup/t")
}
