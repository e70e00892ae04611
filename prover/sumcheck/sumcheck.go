// Package sumcheck proves sums of products of multilinear polynomials over the
// Boolean cube.
//
// Rounds bind the top variable first, so the challenges in order are the point,
// most significant variable first. Tables are prefix dense: entries beyond the
// length of a slice are 0, and the cost follows the length.
//
// A sumcheck binds its claim, every round message and, through these, the number
// of rounds. What the claim is about must be bound by the caller before.
package sumcheck

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/transcript"
)

// Labels of the messages of a sumcheck.
const (
	labelClaim     = "sumcheck/claim"
	labelRound     = "sumcheck/round"
	labelChallenge = "sumcheck/challenge"
)

// Proof holds one message per round. The polynomial g of a round has the degree
// d of the sumcheck and satisfies g(0)+g(1) = T, T being the claim the round
// starts from; it is sent as g(0), g(2), …, g(d).
type Proof struct {
	Rounds [][]fr.Element
}

// RoundCountError is returned by Verify for a proof with the wrong number of
// rounds.
type RoundCountError struct{ Got, Want int }

func (e *RoundCountError) Error() string {
	return fmt.Sprintf("sumcheck has %d rounds, want %d", e.Got, e.Want)
}

// DegreeError is returned by Verify for a round (counted from 0) with the wrong
// number of evaluations.
type DegreeError struct{ Round, Got, Want int }

func (e *DegreeError) Error() string {
	return fmt.Sprintf("sumcheck round %d has %d evaluations, want %d", e.Round, e.Got, e.Want)
}

// exchange sends a round message and returns the challenge that answers it.
func exchange(tr *transcript.Transcript, message []fr.Element) fr.Element {
	tr.AppendScalars(labelRound, message...)
	return tr.Challenge(labelChallenge)
}
