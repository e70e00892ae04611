package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
)

// Statement is what a proof is about: the program with digest Model, run on Inputs, gives
// Outputs; the proof was made for Job, to be paid to Payee, on Chain.
type Statement struct {
	Model   [32]byte
	Job     string
	Payee   string
	Chain   string
	Inputs  [][]int32 // cells of each input of the graph, row-major
	Outputs [][]int64 // cells of each output of the graph, row-major
}

// MaxText bounds Job, Payee and Chain, in bytes.
const MaxText = 1 << 10

// digest binds every byte of the statement; all parts carry their length.
func (s *Statement) digest() [32]byte {
	outputs := make([][]byte, len(s.Outputs))
	for i, cells := range s.Outputs {
		outputs[i] = appendCells(make([]byte, 0, 4*len(cells)), cells)
	}
	return s.digestOf(outputs)
}

// digestOf is digest, given the outputs as a proof file has them: each has one encoding.
func (s *Statement) digestOf(outputs [][]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("wes/v1/statement"))
	h.Write(s.Model[:])
	for _, text := range []string{s.Job, s.Payee, s.Chain} {
		writeLength(h, len(text))
		h.Write([]byte(text))
	}
	writeLength(h, len(s.Inputs))
	for _, cells := range s.Inputs {
		d := InputDigest(cells)
		h.Write(d[:])
	}
	writeLength(h, len(s.Outputs))
	for i, encoded := range outputs {
		writeLength(h, len(s.Outputs[i]))
		d := piecesDigest(encoded)
		h.Write(d[:])
	}
	return [32]byte(h.Sum(nil))
}

// hashPiece is the number of bytes that are hashed on one core.
const hashPiece = 1 << 16

// piecesDigest binds data by the digests of their pieces.
func piecesDigest(data []byte) [32]byte {
	sums := make([][sha256.Size]byte, (len(data)+hashPiece-1)/hashPiece)
	poly.Parallel(len(sums), 1, func(from, to int) {
		for i := from; i < to; i++ {
			sums[i] = sha256.Sum256(data[i*hashPiece : min((i+1)*hashPiece, len(data))])
		}
	})
	h := sha256.New()
	writeLength(h, len(data))
	for i := range sums {
		h.Write(sums[i][:])
	}
	return [32]byte(h.Sum(nil))
}

// InputDigest binds the cells of one input.
func InputDigest(cells []int32) [32]byte {
	buf := make([]byte, 8+4*len(cells))
	binary.BigEndian.PutUint64(buf, uint64(len(cells)))
	for i, v := range cells {
		binary.BigEndian.PutUint32(buf[8+4*i:], uint32(v))
	}
	return sha256.Sum256(buf)
}

func writeLength(h hash.Hash, n int) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

// check requires the shapes and domains that the graph declares.
func (s *Statement) check(m *Model) error {
	if s.Model != m.digest {
		return reject(CheckModel, "proof for model %x, key of model %x", s.Model[:8], m.digest[:8])
	}
	if max(len(s.Job), len(s.Payee), len(s.Chain)) > MaxText {
		return reject(CheckStatement, "job, payee or chain exceeds %d bytes", MaxText)
	}
	if err := s.checkInputs(m); err != nil {
		return err
	}
	return s.checkOutputs(m)
}

func (s *Statement) checkInputs(m *Model) error {
	inputs := m.Graph.Inputs()
	if len(s.Inputs) != len(inputs) {
		return reject(CheckInputs, "%d inputs, want %d", len(s.Inputs), len(inputs))
	}
	for i, t := range inputs {
		if want := graph.Elements(m.info.Shapes[t]); len(s.Inputs[i]) != want {
			return reject(CheckInputs, "input %d has %d cells, want %d", i, len(s.Inputs[i]), want)
		}
		b := m.info.Bounds[t]
		for c, v := range s.Inputs[i] {
			if int64(v) < b.Lo || int64(v) > b.Hi {
				return reject(CheckInputs, "input %d: cell %d is %d, outside [%d, %d]", i, c, v, b.Lo, b.Hi)
			}
		}
	}
	return nil
}

func (s *Statement) checkOutputs(m *Model) error {
	if len(s.Outputs) != len(m.Graph.Outputs) {
		return reject(CheckOutputs, "%d outputs, want %d", len(s.Outputs), len(m.Graph.Outputs))
	}
	first := map[int]int{}
	for i, o := range m.Graph.Outputs {
		if want := graph.Elements(o.Shape); len(s.Outputs[i]) != want {
			return reject(CheckOutputs, "output %d has %d cells, want %d", i, len(s.Outputs[i]), want)
		}
		b := m.info.Bounds[o.Tensor]
		if c, ok := outside(s.Outputs[i], b); ok {
			return reject(CheckOutputs, "output %d: cell %d is %d, outside [%d, %d]", i, c, s.Outputs[i][c], b.Lo, b.Hi)
		}
		if j, again := first[o.Tensor]; again {
			for c, v := range s.Outputs[i] {
				if v != s.Outputs[j][c] {
					return reject(CheckOutputs, "outputs %d and %d are one tensor and differ at cell %d", j, i, c)
				}
			}
			continue
		}
		first[o.Tensor] = i
	}
	return nil
}

// outside finds the first cell that is not in an interval. Millions of cells are, nearly
// always, so it looks for the cell only if there is one.
func outside(cells []int64, b graph.Interval) (cell int, ok bool) {
	lo, hi := b.Hi, b.Lo
	for _, v := range cells {
		lo, hi = min(lo, v), max(hi, v)
	}
	if lo >= b.Lo && hi <= b.Hi {
		return 0, false
	}
	return slices.IndexFunc(cells, func(v int64) bool { return v < b.Lo || v > b.Hi }), true
}

// Check names one of the verifier's checks.
type Check string

// The checks, in the order they are made.
const (
	CheckModel       Check = "model digest"
	CheckStatement   Check = "statement"
	CheckInputs      Check = "inputs"
	CheckOutputs     Check = "outputs"
	CheckShape       Check = "shape of the proof"
	CheckLookup      Check = "lookup sums"
	CheckTable       Check = "table rows"
	CheckContraction Check = "contraction sumcheck"
	CheckFactors     Check = "contraction factors"
	CheckOpening     Check = "opening sumcheck"
	CheckCells       Check = "committed cells"
	CheckCellRow     Check = "combined row of cells"
	CheckWeightRow   Check = "combined row of weights"
	CheckCommitment  Check = "commitments"
	CheckTerms       Check = "work of the views"
)

// Rejection is the error of a proof that does not hold: the first check that failed.
type Rejection struct {
	Check Check
	Cause error
}

func (r *Rejection) Error() string { return fmt.Sprintf("proof rejected: %s: %v", r.Check, r.Cause) }

// Unwrap gives the cause.
func (r *Rejection) Unwrap() error { return r.Cause }

func reject(c Check, format string, args ...any) error {
	return &Rejection{Check: c, Cause: fmt.Errorf(format, args...)}
}
