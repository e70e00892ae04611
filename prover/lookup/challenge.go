package lookup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/transcript"
)

// Everything that enters or leaves the transcript does so here, for the prover
// and the verifier alike.

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

// next returns the claim h(ρ) that follows the claim c = (1-r)·h(0) + r·h(1)
// after message m.
func (m *Round) next(c, r, rho *fr.Element) fr.Element {
	var h0, h, one fr.Element
	h0.Mul(r, &m.Slope)
	h0.Sub(c, &h0)
	one.SetOne()
	h.Sub(rho, &one).Mul(&h, &m.Curvature).Add(&h, &m.Slope)
	h.Mul(&h, rho).Add(&h, &h0)
	return h
}
