package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
)

// Claims are the summands of the contraction, convolutions before products. The sumcheck ends
// in two factors of each: a weight and an input factor of a convolution, two input factors of
// a product. Input factors are listed in this order too.
type Claims struct {
	Convs    []ConvClaim
	Products []ProductClaim
}

// Claims lists the contraction's claims: those of the lookups, and those of revealed tensors
// weighed by Rho.
func (s *System) Claims(ch *Challenges) Claims {
	return Claims{Convs: s.convClaims(ch), Products: s.productClaims(ch)}
}

// Len is the number of claims.
func (c *Claims) Len() int { return len(c.Convs) + len(c.Products) }

// ConvClaimCount is the number of claims on convolutions.
func (s *System) ConvClaimCount() int {
	n := 0
	for _, b := range s.Weights.Blocks {
		if s.convs[b.Conv].grouped {
			n += len(s.classes(b.Node))
			continue
		}
		n++
	}
	return n
}

// InputCount is the number of input factors that the contraction ends in.
func (s *System) InputCount() int {
	n := s.ConvClaimCount()
	for i := range s.products {
		n += 2 * len(s.classes(s.products[i].node))
	}
	return n
}

// Degree is the degree of the contraction's round polynomials.
func (s *System) Degree() int {
	for i := range s.convs {
		if s.convs[i].grouped {
			return 3
		}
	}
	return 2
}

// Summand tells what a prover has to know of a claim to weigh it.
type Summand struct {
	Revealed bool // it belongs to a revealed tensor
	Weighed  int  // index of the factor that the weights of channels are part of
}

// Summands describes the claims, in order. The factors of a convolution are weight factor,
// input factor and, when grouped, channel weights; those of a product are left and right.
func (s *System) Summands(c *Claims) []Summand {
	var all []Summand
	for i := range c.Convs {
		weighed := 0
		if c.Convs[i].Grouped() {
			weighed = 2
		}
		all = append(all, Summand{s.revealed(c.Convs[i].block.Node), weighed})
	}
	for i := range c.Products {
		node := c.Products[i].shape.node
		channel := graph.AccumulatorOf(s.Graph.Nodes[node].Op).Channel
		all = append(all, Summand{s.revealed(node), c.Products[i].weighedFactor(channel)})
	}
	return all
}

func (s *System) revealed(node int) bool {
	_, ok := s.Graph.Nodes[node].Op.(*graph.Reveal)
	return ok
}

// inputsAtOnce is the number of functionals that eachInput makes before it visits them: they
// keep all cores busy, and a visit that fails saves the others.
const inputsAtOnce = 64

// eachInput visits, for every input factor, the tensor and the functional on it whose value
// the factor is at r. The functionals are made on all cores and visited one by one.
func (s *System) eachInput(c *Claims, r []fr.Element, visit func(tensor int, t Term) error) error {
	tables := new(eqTables)
	var terms [inputsAtOnce]Term
	var tensors [inputsAtOnce]int
	for first, n := 0, len(c.Convs)+2*len(c.Products); first < n; first += inputsAtOnce {
		count := min(inputsAtOnce, n-first)
		poly.Parallel(count, 4, func(from, to int) {
			for i := from; i < to; i++ {
				tensors[i], terms[i] = c.input(first+i, r, tables)
			}
		})
		for i := range count {
			if err := visit(tensors[i], terms[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// input is the tensor and the functional of input factor i.
func (c *Claims) input(i int, r []fr.Element, tables *eqTables) (tensor int, t Term) {
	if i < len(c.Convs) {
		return c.Convs[i].Input, c.Convs[i].inputTerm(r, tables)
	}
	i -= len(c.Convs)
	p := &c.Products[i/2]
	return p.Operands()[i%2], p.term(i%2, r, tables)
}
