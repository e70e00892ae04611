package model

import (
	"fmt"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// embedding is the sum of one convolution over ids.
func (l *lowering) embedding(n *float.Node, op *float.Embedding) (value, error) {
	ids := l.values[n.Inputs[0]].tensor
	if _, public := l.b.nodes[ids].Op.(*graph.Input); !public {
		return value{}, fmt.Errorf("ids that are no input of the graph")
	}
	channel := len(n.Shape) - 1
	c := &graph.Conv{Channel: channel, Ids: true, InChannels: op.Rows, OutChannels: op.Width, Groups: 1}
	w := make([]float32, len(op.Table))
	for row := range op.Rows {
		for i, v := range op.Table[row*op.Width:][:op.Width] {
			w[i*op.Rows+row] = v
		}
	}
	src := source{tensor: ids, scale: 1}
	return value{lin: convolution(n.Name, src, c, w, nil, n.Shape)}, nil
}
