package verify_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/lookup"
	"github.com/weisyn/wes/prover/sumcheck"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

func newTranscript(t *testing.T) *transcript.Transcript {
	t.Helper()
	tr, err := transcript.New(transcript.SHA256, "test")
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func elements(v ...uint64) []fr.Element {
	e := make([]fr.Element, len(v))
	for i := range v {
		e[i].SetUint64(v[i])
	}
	return e
}

// TestEveryMessageDecidesTheChallengesAfterIt guards the order of messages and challenges:
// in each group, all messages differ, and so must what is drawn after them.
func TestEveryMessageDecidesTheChallengesAfterIt(t *testing.T) {
	_, _, g, _ := bn254.Generators()
	var infinity, negative bn254.G1Affine
	negative.Neg(&g)
	keys := func(rows ...bn254.G1Affine) func(tr *transcript.Transcript) {
		return func(tr *transcript.Transcript) { verify.DrawKeys(tr, rows) }
	}
	rho := func(a, b uint64) func(tr *transcript.Transcript) {
		return func(tr *transcript.Transcript) { verify.DrawRho(tr, [2]fr.Element(elements(a, b))) }
	}
	eta := func(weights, inputs []fr.Element) func(tr *transcript.Transcript) {
		return func(tr *transcript.Transcript) { verify.DrawEta(tr, weights, inputs) }
	}
	epsilon := func(cell uint64, rows ...[]fr.Element) func(tr *transcript.Transcript) {
		return func(tr *transcript.Transcript) { verify.DrawEpsilon(tr, fr.NewElement(cell), rows...) }
	}
	for name, messages := range map[string][]func(tr *transcript.Transcript){
		"commitments": {keys(), keys(g), keys(negative), keys(infinity), keys(g, infinity), keys(infinity, g), keys(g, g)},
		"sums":        {rho(0, 0), rho(1, 0), rho(0, 1), rho(1, 1)},
		"factors": {
			eta(nil, nil), eta(elements(1), elements(2)), eta(elements(2), elements(1)), eta(elements(1, 2), nil),
			eta(nil, elements(1, 2)), eta(elements(1), elements(3)), eta(elements(3), elements(2)),
		},
		"opened rows": {
			epsilon(1, elements(1, 2), elements(3)), epsilon(2, elements(1, 2), elements(3)), epsilon(1, elements(1, 3), elements(3)),
			epsilon(1, elements(1, 2), elements(4)), epsilon(1, elements(1), elements(2, 3)), epsilon(1, elements(1, 2, 3), nil),
		},
	} {
		drawn := map[fr.Element]int{}
		for i, message := range messages {
			tr := newTranscript(t)
			message(tr)
			c := tr.Challenge("next")
			if j, again := drawn[c]; again {
				t.Errorf("%s: messages %d and %d are followed by one challenge", name, j, i)
			}
			drawn[c] = i
		}
	}
}

// TestEveryRoundDecidesTheChallengesAfterIt changes each value of a sumcheck's rounds.
func TestEveryRoundDecidesTheChallengesAfterIt(t *testing.T) {
	rounds := func(change int) []fr.Element {
		p := sumcheck.Proof{Rounds: [][]fr.Element{elements(1, 2), elements(3, 4), elements(5, 6)}}
		if change >= 0 {
			p.Rounds[change/2][change%2].SetUint64(9)
		}
		point, _, err := sumcheck.Verify(newTranscript(t), 3, 2, fr.One(), p)
		if err != nil {
			t.Fatal(err)
		}
		return point
	}
	honest := rounds(-1)
	for change := range 6 {
		for i, r := range rounds(change) {
			if bound := i >= change/2; r.Equal(&honest[i]) == bound {
				t.Errorf("value %d changed: challenge %d changed is %v", change, i, !bound)
			}
		}
	}
}

// TestLookupMessagesDecideTheChallengesAfterThem changes roots, rounds and ends of a proof
// of fractional sums in ways that the checks made so far cannot notice, and compares the
// transcripts where the proofs then fail.
func TestLookupMessagesDecideTheChallengesAfterThem(t *testing.T) {
	side := func() (left lookup.Units, right lookup.Side) {
		left = lookup.Units{Vars: lookup.VarsFor(8), Len: 8, Read: func(even, odd []fr.Element, first int) {
			leaves := elements(7, 7, 7, 7, 11, 11, 13, 13)
			for i := range even {
				even[i], odd[i] = leaves[2*(first+i)], leaves[2*(first+i)+1]
			}
		}}
		return left, lookup.Side{Vars: lookup.VarsFor(5), Num: elements(4, 2, 2, 0, 0), Den: elements(7, 11, 13, 17, 19)}
	}
	// failing is the challenge after the failure of a proof that was changed.
	failing := func(name string, change func(p *lookup.Proof)) fr.Element {
		left, right := side()
		p, _, _ := lookup.Prove(newTranscript(t), left, right)
		change(&p)
		tr := newTranscript(t)
		if _, _, err := lookup.Verify(tr, left.Vars, 8, right.Vars, p); !errors.Is(err, lookup.ErrLayer) {
			t.Fatalf("%s: got %v", name, err)
		}
		return tr.Challenge("next")
	}
	one, two := fr.One(), fr.NewElement(2)
	spoil := func(p *lookup.Proof, layer int) { p.Layers[layer].Ends[0].P0.Add(&p.Layers[layer].Ends[0].P0, &one) }
	swap := func(e *lookup.Ends) { e.P0, e.P1, e.Q0, e.Q1 = e.P1, e.P0, e.Q1, e.Q0 }
	for name, c := range map[string]struct {
		layer  int // where the changed proof fails
		change func(p *lookup.Proof)
	}{
		"left root":  {0, func(p *lookup.Proof) { p.Left.Num.Mul(&p.Left.Num, &two); p.Left.Den.Mul(&p.Left.Den, &two) }},
		"right root": {0, func(p *lookup.Proof) { p.Right.Num.Mul(&p.Right.Num, &two); p.Right.Den.Mul(&p.Right.Den, &two) }},
		"left ends":  {1, func(p *lookup.Proof) { swap(&p.Layers[0].Ends[0]) }},
		"right ends": {1, func(p *lookup.Proof) { swap(&p.Layers[0].Ends[1]) }},
		"slope":      {1, func(p *lookup.Proof) { s := &p.Layers[1].Rounds[0].Slope; s.Add(s, &one) }},
		"curvature":  {1, func(p *lookup.Proof) { s := &p.Layers[1].Rounds[0].Curvature; s.Add(s, &one) }},
		"last round": {2, func(p *lookup.Proof) { s := &p.Layers[2].Rounds[1].Slope; s.Add(s, &one) }},
	} {
		changed, honest := failing(name, c.change), failing(name, func(p *lookup.Proof) { spoil(p, c.layer) })
		if changed.Equal(&honest) {
			t.Errorf("%s: changed without changing a challenge", name)
		}
	}
}

// TestStatementDecidesTheChallenges compares transcripts that begin with two statements.
func TestStatementDecidesTheChallenges(t *testing.T) {
	s := tiny(t)
	var drawn []fr.Element
	for i, change := range []func(st *verify.Statement){
		func(*verify.Statement) {},
		func(st *verify.Statement) { st.Job = "" },
		func(st *verify.Statement) { st.Payee = st.Payee[1:] },
		func(st *verify.Statement) { st.Chain += "\x00" },
		func(st *verify.Statement) { st.Model[31] ^= 1 },
		func(st *verify.Statement) { st.Inputs[0][1]-- },
		func(st *verify.Statement) { st.Outputs[0] = st.Outputs[0].Changed(func(v []int64) { v[0]-- }) },
	} {
		st := clone(s.statement)
		change(st)
		tr, err := s.model.Begin(st)
		if err != nil {
			t.Fatal(err)
		}
		c := tr.Challenge("next")
		if slices.Contains(drawn, c) {
			t.Errorf("statement %d does not decide the challenge", i)
		}
		drawn = append(drawn, c)
	}
}
