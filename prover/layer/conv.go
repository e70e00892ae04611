package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/vec"
)

// ConvClaim says what one convolution contributes to the weighed accumulators of its
// node: Σ_k Ŵ(k)·X̂(k), with Ŵ(k) = Σ_oc U[oc]·W[oc, k] and X̂(k) the functional on the
// input that tap k of the out weights is (formula C1). A grouped convolution contracts the
// output channel too: Σ_{k,oc,ic} U[oc]·W(k, oc, ic)·X̂(k, group(oc), ic).
type ConvClaim struct {
	Input int // tensor that is read
	block *WeightBlock
	shape *convShape
	out   NodeTerm
	in    []int // shape of the input
}

// Vars is the number of variables of the claim's sum.
func (c *ConvClaim) Vars() int { return c.shape.vars }

// Grouped claims have a third factor, U, that the verifier evaluates.
func (c *ConvClaim) Grouped() bool { return c.shape.grouped }

func (s *System) convClaims(ch *Challenges) []ConvClaim {
	var claims []ConvClaim
	terms := map[int][]NodeTerm{}
	for i := range s.Weights.Blocks {
		b := &s.Weights.Blocks[i]
		if terms[b.Node] == nil {
			terms[b.Node] = s.weighedTerms(b.Node, ch)
		}
		for _, t := range terms[b.Node] {
			if s.convs[b.Conv].grouped || t.Low == b.Low {
				in := s.Graph.Nodes[b.Node].Inputs[b.Term]
				claims = append(claims, ConvClaim{Input: in, block: b, shape: &s.convs[b.Conv], out: t, in: s.Info.Shapes[in]})
			}
		}
	}
	return claims
}

// weighedTerms are the functionals on a node's accumulator, those of revealed tensors
// weighed by Rho.
func (s *System) weighedTerms(node int, ch *Challenges) []NodeTerm {
	terms := s.nodeTerms(ch)[node]
	if !s.revealed(node) {
		return terms
	}
	weighed := make([]NodeTerm, len(terms))
	for i := range terms {
		weighed[i] = terms[i].weighed(&ch.Rho)
	}
	return weighed
}

// Late is Π (1 − r_i) over the variables that the claim has not.
func (c *ConvClaim) Late(r []fr.Element) fr.Element {
	return zeroWeight(r[:len(r)-c.shape.vars])
}

// zeroWeight is eq(r, 0).
func zeroWeight(r []fr.Element) fr.Element { return poly.EqAt(r, 0) }

// ChannelFactor is the factor U of a grouped claim at the contraction's point.
func (c *ConvClaim) ChannelFactor(r []fr.Element) fr.Element {
	return poly.Evaluate(c.out.U, c.shape.parts(r)[len(c.shape.conv.Spatial)])
}

// inputTerm is the functional on the input whose value the input factor is at r.
func (c *ConvClaim) inputTerm(r []fr.Element, tables *eqTables) Term {
	parts := c.shape.parts(r)
	if c.shape.conv.Ids {
		t := Separable(fr.One(), c.idAxes()...)
		t.Ids = parts[0]
		return t
	}
	vecs := append([][]fr.Element{}, c.out.Axes...)
	for i, w := range c.shape.conv.Spatial {
		sum := make([]fr.Element, c.in[w.Axis])
		weights := poly.EqPrefix(parts[i], w.Kernel)
		for k := range w.Kernel {
			tap := make([]fr.Element, len(sum))
			addTap(tap, c.out.Axes[w.Axis], w, k)
			vec.AddScaled(sum, tap, &weights[k])
		}
		vecs[w.Axis] = sum
	}
	channels := parts[len(c.shape.conv.Spatial):]
	vecs[c.shape.conv.Channel] = c.channelVector(channels, tables)
	t := Separable(fr.One(), vecs...)
	if !c.shape.grouped {
		t.Groups[c.shape.conv.Channel].Point = channels[0]
	}
	return t
}

// channelVector weighs the input channels: eq(r_ic, ·), and for groups
// Σ_{oc in group} eq(r_oc, oc) times it.
func (c *ConvClaim) channelVector(parts [][]fr.Element, tables *eqTables) []fr.Element {
	conv := c.shape.conv
	ics := conv.InChannels / conv.Groups
	eq := tables.prefix(parts[len(parts)-1], nil, ics)
	if !c.shape.grouped {
		return eq
	}
	ocs := conv.OutChannels / conv.Groups
	groups := poly.EqPrefix(parts[0], conv.OutChannels)
	channels := make([]fr.Element, conv.InChannels)
	for g := range conv.Groups {
		of := fr.Vector(groups[g*ocs:][:ocs])
		sum := of.Sum()
		vec.Scale(channels[g*ics:][:ics], eq, &sum)
	}
	return channels
}

// WeightOpening combines the claims on weights, each weighed by the next power of eta,
// into one on rows ⊗ cols: Σ_row rows[row]·Σ_col cols[col]·W[row][col] = value, given the
// weight factor of each claim.
func (s *System) WeightOpening(claims []ConvClaim, ch *Challenges, r []fr.Element, factors []fr.Element, eta fr.Element) (rows, cols []fr.Element, value fr.Element) {
	rows = make([]fr.Element, s.Weights.Rows)
	low := ch.Point[len(ch.Point)-s.Low:]
	cols = outer(poly.Eq(low), poly.Eq(r[len(r)-s.Weights.KLow:]))
	weight := fr.One()
	for i := range claims {
		scale := claims[i].addRows(rows, s, low, r, weight)
		scale.Mul(&scale, &weight).Mul(&scale, &factors[i])
		value.Add(&value, &scale)
		weight.Mul(&weight, &eta)
	}
	return rows, cols, value
}

// addRows adds the claim's row weights and returns the factor by which the common column
// vector scales the claim: the weight of index zero in the bits that its channels or its
// contraction index have not.
func (c *ConvClaim) addRows(rows []fr.Element, s *System, low, r []fr.Element, weight fr.Element) fr.Element {
	k := s.Weights.KLow
	var high []fr.Element
	if c.shape.vars > k {
		high = r[len(r)-c.shape.vars : len(r)-k]
	}
	runs := c.out.Runs
	if c.shape.grouped {
		runs = []fr.Element{fr.One()}
	}
	for i, h := range c.block.KHigh {
		w := poly.EqAt(high, uint64(h))
		w.Mul(&w, &weight)
		vec.AddScaled(rows[c.block.Row+i*len(runs):][:len(runs)], runs, &w)
	}
	scale := zeroWeight(low[:len(low)-c.block.Low])
	if c.shape.vars < k {
		missing := zeroWeight(r[len(r)-k : len(r)-c.shape.vars])
		scale.Mul(&scale, &missing)
	}
	return scale
}
