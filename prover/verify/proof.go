package verify

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/commit"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/lookup"
	"github.com/weisyn/wes/prover/sumcheck"
)

// Proof is the prover's side of the argument. Every length follows from the model.
type Proof struct {
	Rows      []bn254.G1Affine // commitments of the rows of cells
	Lookup    lookup.Proof
	Convs     [2]fr.Element // Σ of convolutions and products in the lookups, in revealed tensors
	Contract  sumcheck.Proof
	Weights   []fr.Element // weight factor of each convolution
	Inputs    []fr.Element // input factor of each convolution, then both of each product
	Open      sumcheck.Proof
	Cell      fr.Element   // the cells' extension at the opening's point
	CellRow   []fr.Element // rows of cells, combined
	WeightRow []fr.Element // rows of weights, combined
}

// ErrProof marks bytes that are no proof.
var ErrProof = errors.New("not a proof file")

// newProof has the shape of every proof of a layout.
func newProof(s *layer.System) *Proof {
	p := &Proof{Rows: make([]bn254.G1Affine, s.CellRows())}
	if s.LeafCount > 0 {
		p.Lookup = lookup.NewProof(s.LeafVars, s.RowVars)
	}
	if inputs := s.InputCount(); inputs > 0 {
		p.Contract = newRounds(s.Weights.ContractVars, s.Degree())
		p.Inputs = make([]fr.Element, inputs)
	}
	if convs := s.ConvClaimCount(); convs > 0 {
		p.Weights = make([]fr.Element, convs)
		p.WeightRow = make([]fr.Element, s.Weights.Cols)
	}
	if s.CellCount > 0 {
		p.Open = newRounds(s.CellVars, 2)
		p.CellRow = make([]fr.Element, s.CellCols)
	}
	return p
}

func newRounds(n, degree int) sumcheck.Proof {
	p := sumcheck.Proof{Rounds: make([][]fr.Element, n)}
	for i := range p.Rounds {
		p.Rounds[i] = make([]fr.Element, degree)
	}
	return p
}

// Scalars visits every field element of the proof in the order of its encoding.
func (p *Proof) Scalars(visit func(*fr.Element)) {
	all := func(v []fr.Element) {
		for i := range v {
			visit(&v[i])
		}
	}
	if len(p.Lookup.Layers) > 0 {
		p.Lookup.Scalars(visit)
	}
	all(p.Convs[:])
	for _, r := range p.Contract.Rounds {
		all(r)
	}
	all(p.Weights)
	all(p.Inputs)
	for _, r := range p.Open.Rounds {
		all(r)
	}
	if len(p.CellRow) > 0 {
		visit(&p.Cell)
	}
	all(p.CellRow)
	all(p.WeightRow)
}

// checkShape compares every length with the layout's before anything is indexed.
func (p *Proof) checkShape(s *layer.System) error {
	want := newProof(s)
	if len(p.Rows) != len(want.Rows) || len(p.Weights) != len(want.Weights) || len(p.Inputs) != len(want.Inputs) ||
		len(p.CellRow) != len(want.CellRow) || len(p.WeightRow) != len(want.WeightRow) {
		return reject(CheckShape, "%d rows, %d and %d factors, combined rows of %d and %d; want %d, %d, %d, %d and %d",
			len(p.Rows), len(p.Weights), len(p.Inputs), len(p.CellRow), len(p.WeightRow),
			len(want.Rows), len(want.Weights), len(want.Inputs), len(want.CellRow), len(want.WeightRow))
	}
	for i, pair := range [][2]sumcheck.Proof{{p.Contract, want.Contract}, {p.Open, want.Open}} {
		if len(pair[0].Rounds) != len(pair[1].Rounds) {
			return reject(CheckShape, "sumcheck %d has %d rounds, want %d", i, len(pair[0].Rounds), len(pair[1].Rounds))
		}
	}
	if s.LeafCount == 0 && (len(p.Lookup.Layers) > 0) {
		return reject(CheckShape, "lookups where nothing is looked up")
	}
	return nil
}

// File is a proof with what it says, as it travels.
type File struct {
	Model   [32]byte
	Job     string
	Payee   string
	Chain   string
	Inputs  [][32]byte // digest of each input
	Outputs []graph.Cells
	Proof   *Proof
}

// Statement is what the file's proof is about, given the inputs.
func (f *File) Statement(inputs [][]int32) (*Statement, error) {
	if len(inputs) != len(f.Inputs) {
		return nil, reject(CheckInputs, "%d inputs, the proof is about %d", len(inputs), len(f.Inputs))
	}
	for i, cells := range inputs {
		if d := InputDigest(cells); d != f.Inputs[i] {
			return nil, reject(CheckInputs, "input %d has digest %x, the proof is about %x", i, d[:8], f.Inputs[i][:8])
		}
	}
	return &Statement{Model: f.Model, Job: f.Job, Payee: f.Payee, Chain: f.Chain, Inputs: inputs, Outputs: f.Outputs}, nil
}

// NewFile joins a statement and its proof.
func NewFile(s *Statement, p *Proof) *File {
	f := &File{Model: s.Model, Job: s.Job, Payee: s.Payee, Chain: s.Chain, Outputs: s.Outputs, Proof: p}
	for _, cells := range s.Inputs {
		f.Inputs = append(f.Inputs, InputDigest(cells))
	}
	return f
}

// OutputBytes is how many bytes of the file are cells of outputs.
func (f *File) OutputBytes() (n int) {
	for _, cells := range f.Outputs {
		n += len(cells.Data)
	}
	return n
}

// OutputValues are the cells of the outputs.
func (f *File) OutputValues() [][]int64 { return graph.UnpackCells(f.Outputs) }

// Encode is the proof file:
//
//	"WESP" | version u8 | model 32 | job, payee, chain: length u32, bytes |
//	digest of each input 32 | cells of each output | rows, 32 bytes each |
//	field elements, 32 bytes each
//
// All counts follow from the model, and so does the width of each output's cells.
func (f *File) Encode() []byte {
	b := append([]byte(proofMagic), version)
	b = append(b, f.Model[:]...)
	for _, text := range []string{f.Job, f.Payee, f.Chain} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
		b = append(b, text...)
	}
	for i := range f.Inputs {
		b = append(b, f.Inputs[i][:]...)
	}
	for _, cells := range f.Outputs {
		b = append(b, cells.Data...)
	}
	b = commit.AppendPoints(b, f.Proof.Rows)
	f.Proof.Scalars(func(e *fr.Element) {
		raw := e.Bytes()
		b = append(b, raw[:]...)
	})
	return b
}

// DecodeFile reads a proof file whole, for a model. The outputs share the bytes of data.
func DecodeFile(data []byte, m *Model) (*File, error) {
	r := reader{data: data, mark: ErrProof}
	f, err := r.said(m)
	if err != nil {
		return nil, err
	}
	f.Proof = r.proof(m.system)
	if err := r.end(); err != nil {
		return nil, err
	}
	return f, nil
}

// said reads a proof file up to the proof. An error of reading is left to the reader.
func (r *reader) said(m *Model) (*File, error) {
	r.magic(proofMagic)
	f := &File{Inputs: make([][32]byte, len(m.Graph.Inputs())), Outputs: make([]graph.Cells, len(m.Graph.Outputs))}
	copy(f.Model[:], r.take(32, "model digest"))
	if r.err == nil && f.Model != m.digest {
		return nil, reject(CheckModel, "proof for model %x, key of model %x", f.Model[:8], m.digest[:8])
	}
	for _, text := range []*string{&f.Job, &f.Payee, &f.Chain} {
		*text = string(r.take(r.length(MaxText), "text"))
	}
	for i := range f.Inputs {
		copy(f.Inputs[i][:], r.take(32, "input digest"))
	}
	for i, o := range m.Graph.Outputs {
		width := m.info.Bounds[o.Tensor].Width()
		f.Outputs[i] = graph.Cells{Width: width, Data: r.take(width*graph.Elements(o.Shape), "output cells")}
	}
	return f, nil
}

func (r *reader) proof(s *layer.System) *Proof {
	rows := r.take(s.CellRows()*commit.PointSize, "rows")
	if r.err != nil {
		return nil
	}
	p := newProof(s)
	var err error
	if p.Rows, err = commit.DecodePoints(rows); err != nil {
		r.err = fmt.Errorf("%w: %w", r.mark, err)
		return nil
	}
	p.Scalars(func(e *fr.Element) {
		if raw := r.take(fr.Bytes, "field element"); raw != nil {
			if err := e.SetBytesCanonical(raw); err != nil {
				r.err = fmt.Errorf("%w: %v, %d bytes before the end", r.mark, err, len(r.data))
			}
		}
	})
	return p
}
