package executor

import (
	"crypto/sha256"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/verify"
)

// Info is what a package needs and takes, as it says itself.
type Info struct {
	Name   string
	Key    chain.Hash // of the verifying key, as the ledger has it
	Digest chain.Hash
	Units  uint64 // of work
	Memory uint64 // bytes of a proof
	Inputs [][]int
	graph  *graph.Graph
}

// Inspect reads a package of a stranger. An error is a *Failure.
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

// Sample is an input that fits: the middle of every range.
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

// Check refuses an input that does not fit. An error is a *Failure.
func (i *Info) Check(input []byte) error {
	cells, err := proofs.DecodeInput(input)
	if err == nil {
		err = pipeline.CheckCells(i.graph, cells)
	}
	if err != nil {
		return &Failure{BadInput, err}
	}
	return nil
}
