package proofs

import (
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/verify"
)

// Costs are in units: microseconds of one core of an AMD EPYC of the Zen 3 kind, rounded up by a
// margin. They are part of the rules: all nodes must charge the same.
const (
	// bytesPerUnit is how many bytes of attachments one unit hashes and decodes.
	bytesPerUnit = 64
	// Of a proof of an inference: a start, and for each point of the multi-scalar product, each
	// reading of a row of weights, each round of a sumcheck and each row of a table.
	modelCost    = 6_000
	pointCost    = 16
	rowCost      = 4
	roundCost    = 60
	tableRowUnit = 8 // rows of a table for one unit
	// Of what views, windows and functions ask for: a few field multiplications each.
	effortUnit  = 8  // entries for one unit
	stepUnit    = 64 // steps through decision trees for one unit
	segmentCost = 2
	termCost    = 10
)

// cost bounds one verification under the key, decoding the key included.
func (k *key) cost() uint64 {
	if k.model != nil {
		return inferenceCost(k.model)
	}
	return circuitCost(k.circuit)
}

func inferenceCost(m *verify.Model) uint64 {
	s := m.System()
	points := s.CellRows() + s.CellCols + s.Weights.Rows + s.Weights.Cols
	rounds := s.CellVars + s.LeafVars*(s.LeafVars+1)/2 + s.RowVars*(s.RowVars+1)/2 + s.Weights.ContractVars
	e := s.Effort
	work := uint64(e.Axes+e.Taps+e.Views)/effortUnit + uint64(e.Steps)/stepUnit + segmentCost*uint64(e.Segments) + termCost*uint64(e.Terms)
	return work + modelCost + pointCost*uint64(points) + rowCost*uint64(s.Weights.Reads) + roundCost*uint64(rounds) + uint64(s.RowCount)/tableRowUnit
}

// circuitCost is that of the pairings, by scheme and curve, and of the public inputs: a point
// each in Groth16.
func circuitCost(k *circuit.VerifyingKey) uint64 {
	c := curveCosts()[k.CurveName()]
	units := c.groth16
	if plonk(k.System) {
		units = c.plonk
	}
	return units + c.public*uint64(k.Public) + c.groth16*uint64(k.Commitments)
}

// curveCost is what proofs over a curve cost, and each public input.
type curveCost struct{ groth16, plonk, public uint64 }

func curveCosts() map[string]curveCost {
	return map[string]curveCost{
		"bn254": {2_000, 3_000, 40}, "bls12-381": {7_000, 10_000, 60}, "bls12-377": {7_000, 10_000, 60}, "bw6-761": {24_000, 36_000, 150},
	}
}
