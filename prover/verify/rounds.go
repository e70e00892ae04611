package verify

import (
	"crypto/sha256"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/commit"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/transcript"
)

// The functions of this file are the transcript between the sub-arguments: each absorbs
// one message of the prover and draws what follows. Prover and verifier call them in the
// order of the package comment.

// Begin absorbs the statement.
func (m *Model) Begin(s *Statement) (*transcript.Transcript, error) { return m.begin(s.digest()) }

func (m *Model) begin(statement [32]byte) (*transcript.Transcript, error) {
	tr, err := transcript.New(m.Transcript, protocolName)
	if err != nil {
		return nil, err
	}
	tr.AppendDigest("statement", statement)
	return tr, nil
}

// DrawKeys absorbs the commitment of the cells and draws the challenges of lookup keys.
func DrawKeys(tr *transcript.Transcript, rows []bn254.G1Affine) (alpha, beta fr.Element) {
	tr.AppendDigest("cells", sha256.Sum256(commit.AppendPoints(nil, rows)))
	return tr.Challenge("alpha"), tr.Challenge("beta")
}

// DrawPoint extends the lookups' point to the length that revealed tensors need and draws
// the weight of their columns.
func DrawPoint(tr *transcript.Transcript, s *layer.System, left []fr.Element) (point []fr.Element, gamma fr.Element) {
	extra := tr.Challenges("point", s.PointVars()-len(left))
	return layer.PadPoint(extra, left), tr.Challenge("gamma")
}

// DrawRho absorbs the sums of convolutions and products.
func DrawRho(tr *transcript.Transcript, convs [2]fr.Element) fr.Element {
	tr.AppendScalars("convolutions", convs[:]...)
	return tr.Challenge("rho")
}

// DrawEta absorbs the factors that the contraction ends in.
func DrawEta(tr *transcript.Transcript, weights, inputs []fr.Element) fr.Element {
	tr.AppendScalars("weight factors", weights...)
	tr.AppendScalars("input factors", inputs...)
	return tr.Challenge("eta")
}

// DrawOutputs draws a point for every output that is not a revealed accumulator.
func (m *Model) DrawOutputs(tr *transcript.Transcript, outputs []graph.Cells) []layer.OutputClaim {
	var claims []layer.OutputClaim
	for i, o := range m.Graph.Outputs {
		if _, revealed := m.Graph.Nodes[o.Tensor].Op.(*graph.Reveal); revealed {
			continue
		}
		c := layer.OutputClaim{Tensor: o.Tensor, Cells: outputs[i]}
		for _, d := range m.info.Shapes[o.Tensor] {
			c.Point = append(c.Point, tr.Challenges("output", layer.AxisVars(d)))
		}
		claims = append(claims, c)
	}
	return claims
}

// DrawDelta draws the weight of the claims that one opening combines.
func DrawDelta(tr *transcript.Transcript) fr.Element { return tr.Challenge("delta") }

// DrawEpsilon absorbs the opened value and both combined rows, as one digest, and draws
// the weight of the two commitment checks.
func DrawEpsilon(tr *transcript.Transcript, cell fr.Element, rows ...[]fr.Element) fr.Element {
	tr.AppendScalars("cell", cell)
	h := sha256.New()
	for _, row := range rows {
		writeLength(h, len(row))
		for i := range row {
			raw := row[i].Bytes()
			h.Write(raw[:])
		}
	}
	tr.AppendDigest("rows", [32]byte(h.Sum(nil)))
	return tr.Challenge("epsilon")
}

// revealed maps tensors of revealed accumulators to their public cells.
func (m *Model) revealed(outputs []graph.Cells) map[int]graph.Cells {
	cells := map[int]graph.Cells{}
	for i, o := range m.Graph.Outputs {
		if _, ok := m.Graph.Nodes[o.Tensor].Op.(*graph.Reveal); ok {
			cells[o.Tensor] = outputs[i]
		}
	}
	return cells
}

// OpeningClaim combines everything left open into one claim on the cells.
func (m *Model) OpeningClaim(s *Statement, ch *layer.Challenges, msg *layer.Messages, claims *layer.Claims, r []fr.Element, outputs []layer.OutputClaim, delta fr.Element) (*layer.Opening, error) {
	inputs := make([][]int32, len(m.Graph.Nodes))
	for i, t := range m.Graph.Inputs() {
		inputs[t] = s.Inputs[i]
	}
	o := m.system.NewOpening(inputs, delta)
	return o, m.system.Open(o, ch, msg, claims, r, m.revealed(s.Outputs), outputs)
}
