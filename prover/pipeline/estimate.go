package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/transcript"
)

// Estimate is what proving one request will take on this machine, within about a factor of
// two.
type Estimate struct {
	ProveS      float64 `json:"prove_s"`
	MemoryBytes int64   `json:"memory_bytes"`
	ProbeCells  int64   `json:"probe_cells"` // of the larger of two proofs that were timed
	ProbeS      float64 `json:"probe_s"`
}

const (
	// The probe proves a layer with as many channels over images of these sides.
	probeChannels         = 8
	probeSmall, probeSide = 8, 64
	// baseMemory, cellMemory and weightMemory, in bytes, were read off proofs of 10^4 to
	// 10^7 cells and weights.
	baseMemory, cellMemory, weightMemory = 20 << 20, 200, 16
	// weightSeconds is one reading of a weight on one core, part of each proof.
	weightSeconds = 5e-9
)

// Estimate times two small proofs on this machine and extends the line through them.
func (i *Inspection) Estimate(ctx context.Context) (*Estimate, error) {
	small, few, err := probe(ctx, probeSmall)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	large, many, err := probe(ctx, probeSide)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	perCell := max(large-small, 0).Seconds() / float64(many-few)
	fixed := max(0, small.Seconds()-perCell*float64(few))
	var readings int64
	for k := range i.Layers {
		readings += i.Layers[k].Params
	}
	return &Estimate{
		ProveS:      fixed + perCell*float64(i.Cells) + weightSeconds*float64(readings),
		MemoryBytes: baseMemory + cellMemory*i.Cells + weightMemory*i.Params,
		ProbeCells:  many, ProbeS: large.Seconds(),
	}, nil
}

// probe times the second proof of one convolution with ReLU over a square image.
func probe(ctx context.Context, side int) (took time.Duration, cells int64, err error) {
	fg := probeNetwork(side)
	sample := float.NewTensor(fg.Inputs[0].Shape)
	wide := tensor.Tensor{Shape: sample.Shape, Data: make([]float64, len(sample.Data))}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range sample.Data {
		sample.Data[i] = random.Float32()
		wide.Data[i] = float64(sample.Data[i])
	}
	low, err := model.Lower(ctx, fg, [][]float.Tensor{{sample}}, model.Options{})
	if err != nil {
		return 0, 0, err
	}
	prepared, err := prover.Prepare(ctx, low.Graph, low.Weights, transcript.SHA256, nil, prover.Options{})
	if err != nil {
		return 0, 0, err
	}
	inputs, _, err := tensor.QuantizeAll(low.Graph, []tensor.Tensor{wide}, false)
	if err != nil {
		return 0, 0, err
	}
	var line Line
	for range 2 {
		start := time.Now()
		if _, err = line.prove(ctx, &Program{Prepared: prepared}, &Executor{}, inputs, prover.Job{}, new(Took)); err != nil {
			return 0, 0, err
		}
		took = time.Since(start)
	}
	return took, committed(fg), nil
}

func probeNetwork(side int) *float.Graph {
	const c = probeChannels
	random := rand.New(rand.NewPCG(2, 2))
	conv := &float.Conv{
		Out: c, In: c, Group: 1, W: make([]float32, c*c*9), B: make([]float32, c),
		Window: float.Window{Kernel: []int{3, 3}, Strides: []int{1, 1}, Dilations: []int{1, 1}, PadBegin: []int{1, 1}, PadEnd: []int{1, 1}},
	}
	for i := range conv.W {
		conv.W[i] = random.Float32() - 0.5
	}
	shape := []int{1, c, side, side}
	return &float.Graph{
		Inputs: []float.Value{{Name: "x", Shape: shape}},
		Nodes: []float.Node{
			{Name: "conv", Op: conv, Inputs: []float.ValueID{0}, Output: 1, Shape: shape},
			{Name: "relu", Op: &float.Relu{}, Inputs: []float.ValueID{1}, Output: 2, Shape: shape},
		},
		Outputs: []float.Output{{Name: "y", Value: 2, Shape: shape}},
	}
}

// committed estimates the cells that a proof commits to: two for each value that lowering
// rounds, one for each maximum; in a softmax a maximum, an exponential and a rounded share. Sums that only join another sum or a function are not
// rounded themselves, nor are those that are outputs. A window takes a maximum less than
// its cells along each axis.
func committed(fg *float.Graph) int64 {
	readers := make([][]*float.Node, fg.Values())
	for i := range fg.Nodes {
		for _, in := range fg.Nodes[i].Inputs {
			readers[in] = append(readers[in], &fg.Nodes[i])
		}
	}
	var cells int64
	for i := range fg.Nodes {
		n := &fg.Nodes[i]
		size := int64(graph.Elements(n.Shape))
		switch op := n.Op.(type) {
		case *float.MaxPool:
			for _, k := range op.Kernel {
				cells += size * int64(k-1)
			}
		case *float.Maximum:
			cells += size
		case *float.Softmax:
			cells += 4 * size
		default:
			if rounds(n.Op, readers[n.Output]) {
				cells += 2 * size
			}
		}
	}
	return cells
}

// rounds tells whether the output of an operator becomes a tensor of its own.
func rounds(op float.Op, readers []*float.Node) bool {
	_, function := op.(float.Scalar)
	switch op.(type) {
	case *float.Broadcast, *float.Reshape, *float.Transpose, *float.Slice, *float.Pad, *float.Concat:
		return false
	}
	if len(readers) == 0 {
		return function
	}
	return len(readers) > 1 || !joins(readers[0].Op)
}

// joins tells whether an operator takes the sum that it reads as it is.
func joins(op float.Op) bool {
	switch op.(type) {
	case *float.Add, *float.AddConst, *float.MulConst, float.Scalar:
		return true
	}
	return false
}
