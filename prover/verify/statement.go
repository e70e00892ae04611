package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"

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
	Inputs  [][]int32     // cells of each input of the graph, row-major
	Outputs []graph.Cells // of each output of the graph, as wide as the bounds of its tensor
}

// MaxText bounds Job, Payee and Chain, in bytes.
const MaxText = 1 << 10

// digest binds every byte of the statement; all parts carry their length.
func (s *Statement) digest() [32]byte {
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
	for _, cells := range s.Outputs {
		writeLength(h, cells.Width)
		d := piecesDigest(cells.Data)
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
		cells, n, b := s.Outputs[i], graph.Elements(o.Shape), m.info.Bounds[o.Tensor]
		if w := b.Width(); cells.Width != w || len(cells.Data) != w*n {
			return reject(CheckOutputs, "output %d has %d cells of %d bytes, want %d of %d", i, cells.Len(), cells.Width, n, w)
		}
		if c, ok := outside(cells, b); ok {
			return reject(CheckOutputs, "output %d: cell %d is %d, outside [%d, %d]", i, c, cells.At(c), b.Lo, b.Hi)
		}
		j, again := first[o.Tensor]
		if !again {
			first[o.Tensor] = i
		} else if !bytes.Equal(cells.Data, s.Outputs[j].Data) {
			return reject(CheckOutputs, "outputs %d and %d are one tensor and differ", j, i)
		}
	}
	return nil
}

// cellPiece is the number of cells that are checked on one core.
const cellPiece = 1 << 14

// outside finds the first cell that is not within bounds, on all cores.
func outside(cells graph.Cells, bounds graph.Interval) (cell int, ok bool) {
	var mu sync.Mutex
	poly.Parallel(cells.Len(), cellPiece, func(from, to int) {
		if c, bad := cells.Slice(from, to).Outside(bounds); bad {
			mu.Lock()
			defer mu.Unlock()
			if c += from; !ok || c < cell {
				cell, ok = c, true
			}
		}
	})
	return cell, ok
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
