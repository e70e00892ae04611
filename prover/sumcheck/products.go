package sumcheck

import (
	"fmt"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/transcript"
)

// Instance is the product Π_k Factors[k](x) over Vars variables, each factor a
// prefix of at most 2^Vars values. In a sumcheck over n > Vars variables it
// stands for Π_{i<n-Vars} (1-x_i) · Π_k Factors[k](x_{n-Vars}, …, x_{n-1}): it
// lives at index 0 of the missing top variables.
type Instance struct {
	Vars    int
	Factors [][]fr.Element
}

// ProveProducts proves that the sum of all instances over n variables is claim.
// No instance has more than n variables, no factors at all, or more factors than
// degree. It returns the proof, the point (top variable first) and
// finals[c][k], the value of factor k of instance c at the suffix of the point
// that belongs to the instance. The factors are overwritten.
//
// The value that Verify returns is Σ_c Π_{i<n-m_c} (1-point[i]) · Π_k finals[c][k].
func ProveProducts(tr *transcript.Transcript, n, degree int, claim fr.Element, inst []Instance) (p Proof, point []fr.Element, finals [][]fr.Element) {
	tr.AppendScalars(labelClaim, claim)
	products := make([]*product, len(inst))
	for i := range inst {
		products[i] = newProduct(n, degree, inst[i])
	}
	p, point = proveRounds(tr, n, degree, products)
	for _, c := range products {
		finals = append(finals, c.finals())
	}
	return p, point, finals
}

// proveRounds runs the n rounds of a sumcheck over products.
func proveRounds(tr *transcript.Transcript, n, degree int, products []*product) (p Proof, point []fr.Element) {
	for round := range n {
		m := make([]fr.Element, degree)
		for _, c := range products {
			c.message(m, n-round)
		}
		r := exchange(tr, m)
		for _, c := range products {
			c.bind(r, n-round)
		}
		p.Rounds = append(p.Rounds, m)
		point = append(point, r)
	}
	return p, point
}

// product is an instance in the course of a sumcheck.
type product struct {
	factors []table
	vars    int
	// scale is Π (1-r) over the challenges before the instance started.
	scale fr.Element
	// sum is the sum of the whole product, known only while it has not started.
	sum fr.Element
	// pending is the last challenge if the factors are not yet folded with it:
	// folding is done together with the evaluation of the next round.
	pending *fr.Element
	// evaluators are the workers' memory, from the first round on.
	evaluators []*evaluator
}

func newProduct(n, degree int, inst Instance) *product {
	if inst.Vars > n || len(inst.Factors) == 0 || len(inst.Factors) > degree {
		panic(fmt.Sprintf("BUG: sumcheck: instance of %d variables and %d factors in a sumcheck of %d variables and degree %d",
			inst.Vars, len(inst.Factors), n, degree))
	}
	c := &product{vars: inst.Vars, scale: fr.One()}
	for _, f := range inst.Factors {
		if inst.Vars < 63 && len(f) > 1<<inst.Vars {
			panic(fmt.Sprintf("BUG: sumcheck: factor of %d values over %d variables", len(f), inst.Vars))
		}
		c.factors = append(c.factors, table{values: f, vars: inst.Vars})
	}
	if inst.Vars < n {
		c.sum = c.total()
	}
	return c
}

// message adds the evaluations at 0, 2, …, len(m) of the round in which left
// variables, the bound one included, are left.
func (c *product) message(m []fr.Element, left int) {
	if left > c.vars {
		// scale·sum·(1-X)
		var v fr.Element
		v.Mul(&c.scale, &c.sum)
		m[0].Add(&m[0], &v)
		for t := 2; t <= len(m); t++ {
			f := distance(fr.One(), t)
			f.Mul(&f, &v)
			m[t-1].Add(&m[t-1], &f)
		}
		return
	}
	g := c.evaluate(len(m))
	for i := range m {
		g[i].Mul(&g[i], &c.scale)
		m[i].Add(&m[i], &g[i])
	}
}

// bind takes the challenge of the round.
func (c *product) bind(r fr.Element, left int) {
	if left > c.vars {
		var f fr.Element
		f.SetOne().Sub(&f, &r)
		c.scale.Mul(&c.scale, &f)
		return
	}
	c.pending = &r
	if left == 1 {
		c.fold(0, 1)
		c.shrink()
	}
}

// fold binds the pending challenge for the entries [start, end) of all factors.
func (c *product) fold(start, end int) {
	for k := range c.factors {
		c.factors[k].foldRange(start, end, c.pending)
	}
}

func (c *product) shrink() {
	for k := range c.factors {
		c.factors[k].shrink()
	}
	c.pending = nil
}

func (c *product) finals() []fr.Element {
	out := make([]fr.Element, len(c.factors))
	for k := range c.factors {
		out[k] = c.factors[k].value()
	}
	return out
}

// support returns the least number of entries of a factor: from there on the
// product is 0.
func (c *product) support() int {
	n := len(c.factors[0].values)
	for k := range c.factors {
		n = min(n, len(c.factors[k].values))
	}
	return n
}

// total returns the sum of the product over its cube.
func (c *product) total() fr.Element {
	n := c.support()
	return sumBlocks(runtime.GOMAXPROCS(0), n, 1, blockSize, func(_, size int) blockFunc {
		acc := make(fr.Vector, size)
		return func(dst []fr.Element, start, end int) {
			rows := make([]fr.Vector, len(c.factors))
			for k := range rows {
				rows[k] = c.factors[k].values[start:end]
			}
			v := innerProduct(rows, acc[:end-start])
			dst[0].Add(&dst[0], &v)
		}
	})[0]
}
