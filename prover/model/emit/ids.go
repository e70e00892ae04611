package emit

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/onnx"
)

// ids emits the weights of every id as Gather from a table with a row for each.
func (e *emitter) ids(c *graph.Conv, x value) value {
	w := e.weights[c.Weight]
	double := slices.ContainsFunc(w, func(v int32) bool { return v >= exact || v <= -exact })
	table := e.numbers(double, []int{c.InChannels, c.OutChannels}, func(i int) float64 {
		return float64(w[i%c.OutChannels*c.InChannels+i/c.OutChannels])
	})
	row := e.op("Cast", false, x.shape, []string{x.name}, intAttr("to", int(onnx.Int32)))
	rank := len(x.shape)
	found := e.op("Gather", double, append(slices.Clone(x.shape), c.OutChannels), []string{table, row.name}, intAttr("axis", 0))
	perm := make([]int, 0, rank+1)
	for a := range rank {
		perm = append(perm, a)
	}
	return e.transpose(found, slices.Insert(perm, c.Channel, rank))
}
