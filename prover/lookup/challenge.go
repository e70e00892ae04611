package lookup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/transcript"
)

// quotients are what the prover divides by a challenge r of the step before.
type quotients struct {
	inverse fr.Element // 1/(1-r)
	odds    fr.Element // (1-r)/r
}

// newQuotients takes one inversion for all of the point.
func newQuotients(point []fr.Element) []quotients {
	both := make([]fr.Element, len(point))
	for i := range point {
		c := complement(&point[i])
		both[i].Mul(&point[i], &c)
	}
	both = fr.BatchInvert(both)
	q := make([]quotients, len(point))
	for i := range point {
		c := complement(&point[i])
		q[i].inverse.Mul(&both[i], &point[i])
		q[i].odds.Square(&c).Mul(&q[i].odds, &both[i])
	}
	return q
}

// complement returns 1-x.
func complement(x *fr.Element) fr.Element {
	c := fr.One()
	c.Sub(&c, x)
	return c
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
