package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/weisyn/wes/prover/commit"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/transcript"
)

// Model is a verifier's key: the integer graph without weights, and the commitments of
// the rows that its weights lie in. It is all that a verifier trusts about a model, and
// its digest names the model.
type Model struct {
	Graph      *graph.Graph
	Rows       []bn254.G1Affine
	Transcript transcript.Kind
	Report     []byte // accuracy of the integer graph, JSON; not bound by the digest

	info   *graph.Info
	system *layer.System
	key    *commit.Key
	digest [32]byte
}

const (
	modelMagic   = "WESM"
	proofMagic   = "WESP"
	version      = 1
	maxGraph     = 1 << 28 // bytes of an encoded graph
	maxReport    = 1 << 24
	pointSize    = 64 // uncompressed, so that loading a key takes no square roots
	protocolName = "wes/v1/inference/bn254/layout4"
	// MinSoundnessBits is what SoundnessBits of every accepted model reaches.
	MinSoundnessBits = 100
)

// ErrModel marks bytes that are no verifier's key.
var ErrModel = errors.New("not a model file")

// NewModel checks a graph, lays out its proofs and computes the digest. rows are the
// commitments of layer.System.PackWeights; see Layout for their number.
func NewModel(g *graph.Graph, rows []bn254.G1Affine, kind transcript.Kind, report []byte) (*Model, error) {
	system, err := Layout(g)
	if err != nil {
		return nil, err
	}
	if len(report) > maxReport {
		return nil, fmt.Errorf("%w: report of %d bytes, at most %d", ErrModel, len(report), maxReport)
	}
	return newModel(system, rows, kind, report)
}

func newModel(system *layer.System, rows []bn254.G1Affine, kind transcript.Kind, report []byte) (*Model, error) {
	if len(rows) != system.Weights.Rows {
		return nil, fmt.Errorf("%w: %d rows of weights, want %d", ErrModel, len(rows), system.Weights.Rows)
	}
	if _, err := transcript.New(kind, protocolName); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrModel, err)
	}
	key, err := commit.NewKey(max(system.CellCols, system.Weights.Cols))
	if err != nil {
		return nil, fmt.Errorf("derive generators: %w", err)
	}
	m := &Model{Graph: system.Graph, Rows: rows, Transcript: kind, Report: report, info: system.Info, system: system, key: key}
	m.digest = sha256.Sum256(m.appendBound([]byte(protocolName)))
	return m, nil
}

// Layout checks a graph and lays out its proofs.
func Layout(g *graph.Graph) (*layer.System, error) {
	info, err := g.Check()
	if err != nil {
		return nil, err
	}
	system, err := layer.NewSystem(g, info)
	if err != nil {
		return nil, err
	}
	if bits := system.SoundnessBits(); bits < MinSoundnessBits {
		return nil, fmt.Errorf("%w: soundness of %d bits, want %d", graph.ErrInvalid, bits, MinSoundnessBits)
	}
	return system, nil
}

// Digest names the model.
func (m *Model) Digest() [32]byte { return m.digest }

// System is the layout of the model's proofs.
func (m *Model) System() *layer.System { return m.system }

// Key holds the generators of the model's commitments.
func (m *Model) Key() *commit.Key { return m.key }

// appendBound appends what the digest binds.
func (m *Model) appendBound(b []byte) []byte {
	b = append(b, version, byte(m.Transcript))
	g := m.Graph.Encode()
	b = binary.BigEndian.AppendUint32(b, uint32(len(g)))
	b = append(b, g...)
	for i := range m.Rows {
		p := m.Rows[i].RawBytes()
		b = append(b, p[:]...)
	}
	return b
}

// Encode is the model file:
//
//	"WESM" | version u8 | transcript kind u8 | length u32 | graph | rows, 64 bytes each | length u32 | report
//
// Integers are big-endian; the number of rows follows from the graph.
func (m *Model) Encode() []byte {
	b := m.appendBound([]byte(modelMagic))
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.Report)))
	return append(b, m.Report...)
}

// DecodeModel reads a model file whole.
func DecodeModel(data []byte) (*Model, error) {
	r := reader{data: data, mark: ErrModel}
	r.magic(modelMagic)
	kind := transcript.Kind(r.byte())
	encoded := r.take(r.length(maxGraph), "graph")
	if r.err != nil {
		return nil, r.err
	}
	g, err := graph.Decode(encoded)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	system, err := Layout(g)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	rows, err := decodeRows(r.take(system.Weights.Rows*pointSize, "rows"))
	if err != nil {
		return nil, err
	}
	report := bytes.Clone(r.take(r.length(maxReport), "report"))
	if err := r.end(); err != nil {
		return nil, err
	}
	return newModel(system, rows, kind, report)
}

func decodeRows(data []byte) ([]bn254.G1Affine, error) {
	rows := make([]bn254.G1Affine, len(data)/pointSize)
	for i := range rows {
		raw := data[i*pointSize:][:pointSize]
		// The group has cofactor one: on the curve is in the group.
		if _, err := rows[i].SetBytes(raw); err != nil {
			return nil, fmt.Errorf("%w: row %d: %v", ErrModel, i, err)
		}
		if again := rows[i].RawBytes(); !bytes.Equal(again[:], raw) {
			return nil, fmt.Errorf("%w: row %d is not canonical", ErrModel, i)
		}
	}
	return rows, nil
}

// reader takes a file apart; after the first error it gives zeros.
type reader struct {
	data []byte
	mark error
	err  error
}

func (r *reader) take(n int, what string) []byte {
	if r.err == nil && n > len(r.data) {
		r.err = fmt.Errorf("%w: %s of %d bytes, %d left", r.mark, what, n, len(r.data))
	}
	if r.err != nil {
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) magic(want string) {
	if got := r.take(len(want), "magic"); r.err == nil && string(got) != want {
		r.err = fmt.Errorf("%w: magic %q, want %q", r.mark, got, want)
	}
	if got := r.byte(); r.err == nil && got != version {
		r.err = fmt.Errorf("%w: version %d, want %d", r.mark, got, version)
	}
}

func (r *reader) byte() byte {
	if b := r.take(1, "byte"); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) length(limit int) int {
	b := r.take(4, "length")
	if b == nil {
		return 0
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(limit) {
		r.err = fmt.Errorf("%w: length %d exceeds %d", r.mark, n, limit)
		return 0
	}
	return int(n)
}

func (r *reader) end() error {
	if r.err == nil && len(r.data) > 0 {
		r.err = fmt.Errorf("%w: %d bytes after the end", r.mark, len(r.data))
	}
	return r.err
}
