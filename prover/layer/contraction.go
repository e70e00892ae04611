package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
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

// eachInput visits, for every input factor, the tensor and the functional on it whose value
// the factor is at r.
func (s *System) eachInput(c *Claims, r []fr.Element, visit func(tensor int, t Term) error) error {
	for i := range c.Convs {
		if err := visit(c.Convs[i].Input, c.Convs[i].inputTerm(s, r)); err != nil {
			return err
		}
	}
	for i := range c.Products {
		for side, tensor := range c.Products[i].Operands() {
			if err := visit(tensor, c.Products[i].term(side, r)); err != nil {
				return err
			}
		}
	}
	return nil
}
