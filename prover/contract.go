package prover

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/sumcheck"
	"github.com/weisyn/wes/prover/vec"
	"github.com/weisyn/wes/prover/verify"
	"golang.org/x/sync/errgroup"
)

// contract proves the sum of all convolutions and products.
func (p *proving) contract(context.Context) error {
	start := p.options.Progress.begin(StageContract)
	proof := p.result.Proof
	p.challenges.Rho.SetOne() // claims are weighed by it once the sums are sent
	instances, err := p.factors()
	if err != nil {
		return err
	}
	proof.Convs = p.sums(instances)
	p.challenges.Rho = verify.DrawRho(p.tr, proof.Convs)
	summands := p.sys.Summands(&p.claims)
	p.claims = p.sys.Claims(&p.challenges)
	for i, of := range summands {
		if of.Revealed {
			weighed := instances[i].Factors[of.Weighed]
			vec.Scale(weighed, weighed, &p.challenges.Rho)
		}
	}
	p.sumFactors(instances)
	p.eta = verify.DrawEta(p.tr, proof.Weights, proof.Inputs)
	p.options.Progress.end(StageContract, start, &p.result.Timings.Contract)
	return nil
}

// sums are what all claims of the lookups, and of revealed tensors, add up to.
func (p *proving) sums(instances []sumcheck.Instance) (totals [2]fr.Element) {
	for i, of := range p.sys.Summands(&p.claims) {
		total := &totals[0]
		if of.Revealed {
			total = &totals[1]
		}
		v := sum(instances[i])
		total.Add(total, &v)
	}
	return totals
}

// sumFactors proves the weighed sum of all claims and enters the factors that it ends in.
func (p *proving) sumFactors(instances []sumcheck.Instance) {
	proof := p.result.Proof
	var claim fr.Element
	claim.Mul(&p.challenges.Rho, &proof.Convs[1]).Add(&claim, &proof.Convs[0])
	var finals [][]fr.Element
	proof.Contract, p.r, finals = sumcheck.ProveProducts(p.tr, p.sys.Weights.ContractVars, p.sys.Degree(), claim, instances)
	for i, f := range finals {
		if i < len(p.claims.Convs) {
			proof.Weights, proof.Inputs = append(proof.Weights, f[0]), append(proof.Inputs, f[1])
			continue
		}
		proof.Inputs = append(proof.Inputs, f...)
	}
}

// factors computes the factors of every claim, in the order that layer.System.Summands states.
func (p *proving) factors() ([]sumcheck.Instance, error) {
	p.claims = p.sys.Claims(&p.challenges)
	inputs, err := p.inputs()
	if err != nil {
		return nil, err
	}
	instances := make([]sumcheck.Instance, p.claims.Len())
	var group errgroup.Group
	group.SetLimit(workers())
	for i := range p.claims.Convs {
		c := &p.claims.Convs[i]
		group.Go(func() error {
			f := [][]fr.Element{c.WeightFactor(p.sys, p.prepared.packed), c.InputFactor(inputs[c.Input])}
			if c.Grouped() {
				f = append(f, c.ChannelWeights())
			}
			instances[i] = sumcheck.Instance{Vars: c.Vars(), Factors: f}
			return nil
		})
	}
	for i := range p.claims.Products {
		c := &p.claims.Products[i]
		group.Go(func() error {
			operands := c.Operands()
			f := c.Factors(inputs[operands[0]], inputs[operands[1]])
			instances[len(p.claims.Convs)+i] = sumcheck.Instance{Vars: c.Vars(), Factors: f[:]}
			return nil
		})
	}
	return instances, group.Wait()
}

// inputs are the cells of all tensors that claims read.
func (p *proving) inputs() (map[int][]int32, error) {
	var tensors []int
	for i := range p.claims.Convs {
		tensors = append(tensors, p.claims.Convs[i].Input)
	}
	for i := range p.claims.Products {
		operands := p.claims.Products[i].Operands()
		tensors = append(tensors, operands[:]...)
	}
	inputs := map[int][]int32{}
	for _, t := range tensors {
		if inputs[t] != nil {
			continue
		}
		cells, err := p.witness.view(t)
		if err != nil {
			return nil, err
		}
		inputs[t] = cells
	}
	return inputs, nil
}

// sum is Σ_x Π_k Factors[k](x).
func sum(inst sumcheck.Instance) fr.Element {
	product := inst.Factors[0]
	for _, f := range inst.Factors[2:] {
		next := make([]fr.Element, len(product))
		vec.Mul(next, product, f[:len(product)])
		product = next
	}
	return vec.Inner(product, inst.Factors[1])
}
