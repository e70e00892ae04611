package storefront

import (
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/verify"
)

// maxModels bounds the models that are kept decoded.
const maxModels = 64

// model is what a verifying key says of a model.
type model struct {
	graph           *graph.Graph
	digest          chain.Hash
	inputs, outputs []gateway.TensorInfo
}

// readModel decodes a verifying key of the ledger, which keeps only keys that decode.
func readModel(key []byte) (*model, error) {
	m, err := verify.DecodeModel(key)
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	x := &model{graph: m.Graph, digest: m.Digest()}
	for _, id := range m.Graph.Inputs() {
		in := m.Graph.Nodes[id].Op.(*graph.Input)
		info := gateway.TensorInfo{Name: in.Name, Datatype: "FP32", Shape: wide(in.Shape)}
		if m.Graph.HoldsIds(id) {
			info.Datatype = "INT64"
		}
		x.inputs = append(x.inputs, info)
	}
	for i := range m.Graph.Outputs {
		x.outputs = append(x.outputs, outputInfo(&m.Graph.Outputs[i]))
	}
	return x, nil
}

// outputInfo describes an output with its tail, which the client computes.
func outputInfo(o *graph.Output) gateway.TensorInfo {
	info := gateway.TensorInfo{Name: o.Name, Datatype: "FP32", Shape: wide(o.Shape)}
	if o.Tail != graph.TailArgMax {
		return info
	}
	info.Datatype = "INT64"
	if o.KeepDims {
		info.Shape[o.Axis] = 1
	} else {
		info.Shape = append(info.Shape[:o.Axis], info.Shape[o.Axis+1:]...)
	}
	return info
}

func wide(shape []int) []int64 {
	all := make([]int64, len(shape))
	for i, n := range shape {
		all[i] = int64(n)
	}
	return all
}

func narrow(shape []int64) []int {
	all := make([]int, len(shape))
	for i, n := range shape {
		all[i] = int(n)
	}
	return all
}
