package srs

import (
	"context"

	"github.com/consensys/gnark-crypto/kzg"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/constraint"
)

// ceremony is a .ptau over a curve.
type ceremony[G1, G2 comparable] struct {
	family[G1, G2]
	file *ptau
}

func (c *ceremony[G1, G2]) kzg(ctx context.Context, n uint64) (canonical, lagrange kzg.SRS, err error) {
	tau, err := c.list1(tauG1, n+blinding)
	if err != nil {
		return nil, nil, err
	}
	tau2, err := c.list2(tauG2, 2)
	if err != nil {
		return nil, nil, err
	}
	if err := c.powers(ctx, tau, tau2); err != nil {
		return nil, nil, err
	}
	return c.strings(tau, [2]G2(tau2))
}

// list1 reads points of G1 and checks that they lie in the subgroup.
func (c *ceremony[G1, G2]) list1(s section, n uint64) ([]G1, error) {
	list, err := points(c.file, s, n, c.g1)
	if err == nil {
		err = c.subgroup(s.String(), list)
	}
	return list, err
}

func (c *ceremony[G1, G2]) list2(s section, n uint64) ([]G2, error) {
	list, err := points(c.file, s, n, c.g2)
	if err == nil {
		err = c.subgroup(s.String(), list)
	}
	return list, err
}

func (c *ceremony[G1, G2]) groth16(ctx context.Context, ccs constraint.ConstraintSystem, n uint64) (groth16.ProvingKey, groth16.VerifyingKey, error) {
	p, err := c.phase1(ctx, n)
	if err != nil {
		return nil, nil, err
	}
	return c.keys(ccs, p)
}

// phase1 reads and checks the first phase for n rows. The check needs two points of each kind,
// which every file has.
func (c *ceremony[G1, G2]) phase1(ctx context.Context, n uint64) (p phase1[G1, G2], err error) {
	m := max(n, 2)
	for _, list := range []struct {
		to *[]G1
		s  section
		n  uint64
	}{{&p.tau, tauG1, 2*m - 1}, {&p.alphaTau, alphaTauG1, m}, {&p.betaTau, betaTauG1, m}} {
		if *list.to, err = c.list1(list.s, list.n); err != nil {
			return p, err
		}
		if err := ctx.Err(); err != nil {
			return p, err
		}
	}
	if p.tau2, err = c.list2(tauG2, m); err != nil {
		return p, err
	}
	beta, err := c.list2(betaG2, 1)
	if err != nil {
		return p, err
	}
	p.beta2 = beta[0]
	if err := c.secrets(p); err != nil {
		return p, err
	}
	if err := c.powers(ctx, p.tau, p.tau2, p.alphaTau, p.betaTau); err != nil {
		return p, err
	}
	p.tau, p.alphaTau, p.betaTau, p.tau2 = p.tau[:2*n-1], p.alphaTau[:n], p.betaTau[:n], p.tau2[:n]
	return p, nil
}

// secrets checks that alpha and beta are neither 0 nor 1, and that beta is the same in G1 and G2.
func (c *ceremony[G1, G2]) secrets(p phase1[G1, G2]) error {
	one, one2 := c.generators()
	var zero G1
	if a := p.alphaTau[0]; a == zero || a == one {
		return invalid("alphaTauG1: point 0 shows that alpha is 0 or 1")
	}
	if b := p.betaTau[0]; b == zero || b == one {
		return invalid("betaTauG1: point 0 shows that beta is 0 or 1")
	}
	same, err := c.samePairing(p.betaTau[0], one2, one, p.beta2)
	if err != nil {
		return invalid("betaG2: %v", err)
	}
	if !same {
		return invalid("betaG2 and betaTauG1 have different secrets")
	}
	return nil
}
