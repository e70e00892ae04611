package model

import (
	"math"
	"slices"

	"github.com/weisyn/wes/prover/model/float"
)

// wideTop is the largest magnitude of the cells of a table: 16 bits cost a linear model nothing, and its
// answers are those of the float model.
const wideTop = 1<<15 - 1

// tabular returns a network whose tables are in units of their features, with the samples in those units
// and, by input, the units; nil where an input is none. A table is an input that only a product reads
// whose result is an output as it is: a linear model. Its features may differ by orders of magnitude, and
// the product takes their units in.
func tabular(g *float.Graph, samples [][]float.Tensor, o *Options) (*float.Graph, [][]float.Tensor, [][]float64) {
	units := make([][]float64, len(g.Inputs))
	uses := countUses(g)
	out := *g
	out.Nodes = slices.Clone(g.Nodes)
	for i := range g.Inputs {
		node := linearReader(g, float.ValueID(i), uses)
		if node < 0 {
			continue
		}
		u := featureRanges(g, samples, i, o)
		op, ok := weighted(g.Nodes[node].Op.(*float.MatMul), u)
		if !ok {
			continue
		}
		out.Nodes[node].Op, units[i] = op, u
		samples = dividedBy(samples, i, u)
	}
	return &out, samples, units
}

// linearReader is the one product that reads a table, −1 if there is none.
func linearReader(g *float.Graph, id float.ValueID, uses []int) int {
	if len(g.Inputs[id].Shape) != 2 || uses[id] != 1 {
		return -1
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if _, ok := n.Op.(*float.MatMul); !ok || n.Inputs[0] != id {
			continue
		}
		outputs := 0
		for k := range g.Outputs {
			if g.Outputs[k].Value == n.Output {
				outputs++
			}
		}
		if outputs == uses[n.Output] {
			return i
		}
	}
	return -1
}

// featureRanges is the largest magnitude of each feature that is taken: what was declared, or that of the
// samples times the headroom.
func featureRanges(g *float.Graph, samples [][]float.Tensor, input int, o *Options) []float64 {
	features := g.Inputs[input].Shape[1]
	if r, declared := o.InputRange[g.Inputs[input].Name]; declared {
		return slices.Repeat([]float64{r}, features)
	}
	most := make([]float64, features)
	for _, s := range samples {
		for i, v := range s[input].Data {
			most[i%features] = max(most[i%features], math.Abs(float64(v)))
		}
	}
	for i := range most {
		if most[i] *= o.Headroom; most[i] < minRange {
			most[i] = 1
		}
	}
	return most
}

// weighted is a product for an input in units; false where a weight leaves float32.
func weighted(m *float.MatMul, units []float64) (*float.MatMul, bool) {
	out := &float.MatMul{K: m.K, N: m.N, B: m.B, W: make([]float32, len(m.W))}
	for i, v := range m.W {
		w := float64(v) * units[i/m.N]
		if math.Abs(w) > math.MaxFloat32 {
			return nil, false
		}
		out.W[i] = float32(w)
	}
	return out, true
}

// dividedBy returns samples with an input in units.
func dividedBy(samples [][]float.Tensor, input int, units []float64) [][]float.Tensor {
	out := make([][]float.Tensor, len(samples))
	for i, s := range samples {
		t := float.NewTensor(s[input].Shape)
		for k, v := range s[input].Data {
			t.Data[k] = float32(float64(v) / units[k%len(units)])
		}
		out[i] = slices.Clone(s)
		out[i][input] = t
	}
	return out
}
