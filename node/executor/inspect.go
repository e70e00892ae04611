package executor

import (
	"crypto/sha256"
	"io"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/verify"
)

// Info is what a package needs and takes, as it says itself.
type Info struct {
	Name   string
	Key    chain.Hash // of the verifying key, as the ledger has it
	Digest chain.Hash
	Units  uint64  // of work
	Memory uint64  // bytes of a proof
	Inputs [][]int // shapes, of a model
	Proof  int     // bytes of a proof, of a circuit
	graph  *graph.Graph
	system *circuit.Manifest // nil of a model
}

// InspectCircuit reads the head of a packed circuit of a stranger. An error is a *Failure.
func (x *Executor) InspectCircuit(r io.Reader) (*Info, error) {
	h, err := circuit.ReadHead(r, chain.MaxKeySize)
	if err != nil {
		return nil, &Failure{BadProgram, err}
	}
	m := h.Manifest
	if err := x.limit(m); err != nil {
		return nil, err
	}
	key := chain.Hash(sha256.Sum256(proofs.EncodeCircuit(h.Key)))
	return &Info{Key: key, Digest: key, Units: m.Units(), Memory: m.ProofMemory(), Proof: m.ProofBytes(), system: m}, nil
}

// Inspect reads a package of a stranger's model. An error is a *Failure.
func (x *Executor) Inspect(pkg []byte) (*Info, error) {
	c, err := pipeline.ReadPackage(pkg, x.cfg.Limits)
	if err != nil {
		return nil, failureOf(err)
	}
	i := &Info{
		Name: c.Summary.Model, Key: sha256.Sum256(proofs.EncodeModel(c.Model)), Digest: c.Model.Digest(),
		Units: c.Footprint.Units, Memory: c.Footprint.Memory, graph: c.Model.Graph,
	}
	i.Inputs = shapes(c.Model)
	return i, nil
}

func shapes(m *verify.Model) [][]int {
	var all [][]int
	for _, id := range m.Graph.Inputs() {
		all = append(all, m.Graph.Nodes[id].Op.(*graph.Input).Shape)
	}
	return all
}

// Sample is an input of a model that fits: the middle of every range.
func (i *Info) Sample() []byte {
	var all [][]int32
	for _, id := range i.graph.Inputs() {
		in := i.graph.Nodes[id].Op.(*graph.Input)
		cells := make([]int32, graph.Elements(in.Shape))
		for k := range cells {
			cells[k] = int32((in.Lo + in.Hi) / 2)
		}
		all = append(all, cells)
	}
	return proofs.EncodeInput(all)
}

// Public is the encoded size of what a circuit's proof shows, in bytes.
func (i *Info) Public() int { return i.system.PublicBytes() }

// Input returns the input of a payload as the ledger has it: the same tensors, or the public part of
// a witness. It refuses what does not fit. An error is a *Failure.
func (i *Info) Input(payload []byte) ([]byte, error) {
	if i.system != nil {
		return publicPart(i.system, payload)
	}
	cells, err := proofs.DecodeInput(payload)
	if err == nil {
		err = pipeline.CheckCells(i.graph, cells)
	}
	if err != nil {
		return nil, &Failure{BadInput, err}
	}
	return payload, nil
}
