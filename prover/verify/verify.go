package verify

import (
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/commit"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/lookup"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/sumcheck"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/vec"
)

// Verify decides whether a proof of a statement holds. The error is a *Rejection that
// names the first check that failed.
func Verify(m *Model, s *Statement, p *Proof) error {
	if err := s.check(m); err != nil {
		return err
	}
	return verifyChecked(m, s, p, s.digest())
}

// VerifyFile is DecodeFile, File.Statement and Verify in one, in less time where outputs are
// large: they are checked and hashed while the points of the proof are decoded.
func VerifyFile(data []byte, m *Model, inputs [][]int32) (*File, error) {
	r := reader{data: data, mark: ErrProof}
	f, err := r.said(m)
	if err != nil {
		return nil, err
	}
	s, said := f.Statement(inputs)
	var digest [32]byte
	var wg sync.WaitGroup
	if r.err == nil && said == nil {
		wg.Go(func() { said, digest = s.check(m), s.digest() })
	}
	f.Proof = r.proof(m.system)
	wg.Wait()
	if err := r.end(); err != nil {
		return nil, err
	}
	if said != nil {
		return nil, said
	}
	return f, verifyChecked(m, s, f.Proof, digest)
}

// verifyChecked verifies a proof of a checked statement, given the statement's digest.
func verifyChecked(m *Model, s *Statement, p *Proof, digest [32]byte) error {
	if err := p.checkShape(m.system); err != nil {
		return err
	}
	tr, err := m.begin(digest)
	if err != nil {
		return err
	}
	v := verifier{model: m, sys: m.system, statement: s, proof: p, tr: tr}
	for _, step := range []func() error{v.lookups, v.contraction, v.opening, v.commitments} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// verifier carries what one step leaves to the next.
type verifier struct {
	model     *Model
	sys       *layer.System
	statement *Statement
	proof     *Proof
	tr        *transcript.Transcript

	challenges layer.Challenges
	claims     layer.Claims
	r          []fr.Element // point of the contraction
	eta        fr.Element
	rho        []fr.Element // point of the cells
}

// lookups checks the fractional sums up to their leaves, and the table rows' side of these.
func (v *verifier) lookups() error {
	ch := &v.challenges
	ch.Alpha, ch.Beta = DrawKeys(v.tr, v.proof.Rows)
	if v.sys.LeafCount > 0 {
		var err error
		ch.Left, ch.Right, err = lookup.Verify(v.tr, v.sys.LeafVars, v.sys.LeafCount, v.sys.RowVars, v.proof.Lookup)
		if err != nil {
			return &Rejection{CheckLookup, err}
		}
		if want := v.sys.RowsEval(ch, ch.Right.Point); !want.Equal(&ch.Right.Den) {
			return reject(CheckTable, "denominators end in %s, the tables in %s", &ch.Right.Den, &want)
		}
	}
	ch.Point, ch.Gamma = DrawPoint(v.tr, v.sys, ch.Left.Point)
	return nil
}

// contraction checks that all convolutions and products sum to what the prover says, given
// their weight and input factors.
func (v *verifier) contraction() error {
	p := v.proof
	v.challenges.Rho = DrawRho(v.tr, p.Convs)
	v.claims = v.sys.Claims(&v.challenges)
	var claim fr.Element
	claim.Mul(&v.challenges.Rho, &p.Convs[1]).Add(&claim, &p.Convs[0])
	r, final, err := sumcheck.Verify(v.tr, v.sys.Weights.ContractVars, v.sys.Degree(), claim, p.Contract)
	if err != nil {
		return &Rejection{CheckContraction, err}
	}
	v.r = r
	want := v.factors()
	if !final.Equal(&want) {
		return reject(CheckFactors, "sumcheck ends in %s, its factors in %s", &final, &want)
	}
	v.eta = DrawEta(v.tr, p.Weights, p.Inputs)
	return nil
}

// factors is the value that the contraction must end in.
func (v *verifier) factors() (want fr.Element) {
	weights, inputs := v.proof.Weights, v.proof.Inputs
	for i := range v.claims.Convs {
		c := &v.claims.Convs[i]
		x := c.Late(v.r)
		x.Mul(&x, &weights[i]).Mul(&x, &inputs[i])
		if c.Grouped() {
			u := c.ChannelFactor(v.r)
			x.Mul(&x, &u)
		}
		want.Add(&want, &x)
	}
	inputs = inputs[len(v.claims.Convs):]
	for i := range v.claims.Products {
		x := v.claims.Products[i].Late(v.r)
		x.Mul(&x, &inputs[2*i]).Mul(&x, &inputs[2*i+1])
		want.Add(&want, &x)
	}
	return want
}

// opening checks everything left open against one value of the cells.
func (v *verifier) opening() error {
	p := v.proof
	outputs := v.model.DrawOutputs(v.tr, v.statement.Outputs)
	msg := &layer.Messages{Convs: p.Convs, Inputs: p.Inputs}
	o, err := v.model.OpeningClaim(v.statement, &v.challenges, msg, &v.claims, v.r, outputs, DrawDelta(v.tr))
	if err != nil {
		return &Rejection{CheckTerms, err}
	}
	vars := v.sys.CellVars
	if v.sys.CellCount == 0 {
		vars = 0
	}
	rho, final, err := sumcheck.Verify(v.tr, vars, 2, o.Value, p.Open)
	if err != nil {
		return &Rejection{CheckOpening, err}
	}
	v.rho = rho
	var want fr.Element
	if v.sys.CellCount > 0 {
		want = o.Eval(rho)
		want.Mul(&want, &p.Cell)
	}
	if !final.Equal(&want) {
		return reject(CheckCells, "sumcheck ends in %s, the cells in %s", &final, &want)
	}
	return nil
}

// commitments checks the opened values against the combined rows, and these against the
// commitments of cells and weights.
func (v *verifier) commitments() error {
	p := v.proof
	epsilon := DrawEpsilon(v.tr, p.Cell, p.CellRow, p.WeightRow)
	var checks []commit.Check
	if v.sys.CellCount > 0 {
		check, err := v.cellRow()
		if err != nil {
			return err
		}
		checks = append(checks, check)
	}
	if len(v.claims.Convs) > 0 {
		rows, cols, value := v.sys.WeightOpening(v.claims.Convs, &v.challenges, v.r, p.Weights, v.eta)
		if got := vec.Inner(p.WeightRow, cols); !got.Equal(&value) {
			return reject(CheckWeightRow, "combined row gives %s, the weight factors %s", &got, &value)
		}
		checks = append(checks, commit.Check{Rows: v.model.Rows, Weights: rows, U: p.WeightRow})
	}
	if err := v.model.key.Verify(checks, epsilon); err != nil {
		return &Rejection{CheckCommitment, err}
	}
	return nil
}

// cellRow checks the opened value of the cells against their combined row.
func (v *verifier) cellRow() (commit.Check, error) {
	high, low := v.sys.SplitCellPoint(v.rho)
	if got := vec.Inner(v.proof.CellRow, poly.Eq(low)); !got.Equal(&v.proof.Cell) {
		return commit.Check{}, reject(CheckCellRow, "combined row gives %s, the opened value is %s", &got, &v.proof.Cell)
	}
	return commit.Check{Rows: v.proof.Rows, Weights: poly.EqPrefix(high, v.sys.CellRows()), U: v.proof.CellRow}, nil
}
