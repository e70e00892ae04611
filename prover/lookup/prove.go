package lookup

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/transcript"
)

// Prove proves that the two sides have the same sum, and returns the claims
// about their leaves that are left to prove. The arrays of the right side are
// overwritten. If the sums differ or a denominator is zero, the proof is one
// that Verify rejects.
func Prove(tr *transcript.Transcript, left Units, right Side) (p Proof, leftClaim, rightClaim Claim) {
	mustBeSides(left, right)
	w := newWorkers()
	defer w.stop()
	trees := []tree{unitTree(w, left), sideTree(w, right)}

	p = NewProof(left.Vars, right.Vars)
	p.Left, p.Right = trees[0].root, trees[1].root
	bindRoots(tr, left.Vars, left.Len, right.Vars, p.Left, p.Right)

	leftClaim, rightClaim = p.Left.claim(), p.Right.claim()
	var point []fr.Element
	for k := range p.Layers {
		claims := activeClaims(k, left.Vars, &leftClaim, right.Vars, &rightClaim)
		point = proveLayer(tr, w, &p.Layers[k], point, claims, activeNodes(k, trees))
	}
	return p, leftClaim, rightClaim
}

func mustBeSides(left Units, right Side) {
	if left.Len < 1 || left.Vars != VarsFor(left.Len) {
		panic(fmt.Sprintf("BUG: lookup: side of %d variables, %d leaves", left.Vars, left.Len))
	}
	if len(right.Den) < 1 || right.Vars != VarsFor(len(right.Den)) || len(right.Num) != len(right.Den) {
		panic(fmt.Sprintf("BUG: lookup: side of %d variables, %d numerators, %d denominators", right.Vars, len(right.Num), len(right.Den)))
	}
}

// activeNodes lists the layers that step k sums over, left before right.
func activeNodes(k int, trees []tree) []*pairs {
	var nodes []*pairs
	for i := range trees {
		if k < len(trees[i].layers) {
			nodes = append(nodes, &trees[i].layers[k])
		}
	}
	return nodes
}

// proveLayer fills l, the step at point from the claims to the given nodes,
// and moves the claims to the returned point.
func proveLayer(tr *transcript.Transcript, w *workers, l *Layer, point []fr.Element, claims []*Claim, nodes []*pairs) []fr.Element {
	lambda := drawBatching(tr)
	claim := batch(lambda, claims, func(c *Claim) (num, den fr.Element) { return c.Num, c.Den })
	derived := newQuotients(point)
	eq := newWeights(point[min(1, len(point)):])
	stages := newStages(nodes, eq, lambda)
	next := make([]fr.Element, 0, len(point)+1)
	for j := range l.Rounds {
		var weighed *quotients
		if j > 0 && eq.drop() {
			weighed = &derived[j]
		}
		h := sumStages(w, stages, eq, weighed, point[j+1:])
		// The claim gives the slope away: (1-r)·(h(1)-h(0)) = h(1) - claim.
		m := &l.Rounds[j]
		m.Curvature = h.curv
		m.Slope.Sub(&h.one, &claim).Mul(&m.Slope, &derived[j].inverse)
		rho := bindRound(tr, *m)
		claim = m.next(&claim, &point[j], &rho)
		for _, g := range stages {
			g.bindTop(eq.size(), &rho)
		}
		next = append(next, rho)
	}
	for i, g := range stages {
		l.Ends[i] = g.ends(&w.scratch[0])
	}
	t := bindEnds(tr, l.Ends)
	next = append(next, t)
	for i, c := range claims {
		num, den := l.Ends[i].at(&t)
		*c = Claim{Point: next, Num: num, Den: den}
	}
	return next
}

// newStages starts a step on every active side.
func newStages(nodes []*pairs, eq *weights, lambda fr.Element) []*stage {
	stages := make([]*stage, len(nodes))
	weight := fr.One()
	for i := range nodes {
		stages[i] = newStage(nodes[i], eq, lambda, weight)
		weight.Mul(&weight, &lambda).Mul(&weight, &lambda)
	}
	return stages
}

// sumStages returns h(1) and h(∞) of a round.
func sumStages(w *workers, stages []*stage, eq *weights, weighed *quotients, rest []fr.Element) sums {
	w.clear()
	size := w.piece(eq)
	count := eq.size() / size
	w.each(count*len(stages), func(s *scratch, i int) {
		stages[i/count].sum(s, &s.sums[i/count], i%count*size, size, eq, weighed)
	})
	var h sums
	for i, g := range stages {
		z := g.finishRound(w.total(i), eq, weighed, rest)
		h.add(&z)
	}
	return h
}
