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
	PrepareS    float64 `json:"prepare_s"` // once per model: its weights' commitments
	MemoryBytes int64   `json:"memory_bytes"`
	ProbeCells  int64   `json:"probe_cells"` // of the proof that was timed
	ProbeS      float64 `json:"probe_s"`
}

const (
	// probeSize is the side of the image that the probe proves a layer over.
	probeSize     = 64
	probeChannels = 8
	// baseMemory and cellMemory were read off proofs from 10^4 to 10^7 cells.
	baseMemory = 60 << 20
	cellMemory = 200
	// weightNanos is the reading of a weight, part of each proof.
	weightNanos = 5
)

// Estimate times a small proof on this machine and scales it by cells and weights.
func (i *Inspection) Estimate(ctx context.Context) (*Estimate, error) {
	p, prepared, took, err := probe(ctx)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	cells := committed(p)
	perCell := took.Seconds() / float64(cells)
	return &Estimate{
		ProveS:      perCell*float64(i.Cells) + weightNanos*1e-9*float64(i.Params),
		PrepareS:    prepared.Seconds() / float64(p.Params()) * float64(i.Params),
		MemoryBytes: baseMemory + cellMemory*i.Cells + 16*i.Params,
		ProbeCells:  cells, ProbeS: took.Seconds(),
	}, nil
}

// probe prepares and proves one convolution with ReLU.
func probe(ctx context.Context) (fg *float.Graph, prepared, proved time.Duration, err error) {
	fg = probeNetwork()
	sample := float.NewTensor(fg.Inputs[0].Shape)
	wide := tensor.Tensor{Name: fg.Inputs[0].Name, Shape: sample.Shape, Data: make([]float64, len(sample.Data))}
	random := rand.New(rand.NewPCG(1, 1))
	for i := range sample.Data {
		sample.Data[i] = random.Float32()
		wide.Data[i] = float64(sample.Data[i])
	}
	low, err := model.Lower(ctx, fg, [][]float.Tensor{{sample}}, model.Options{})
	if err != nil {
		return nil, 0, 0, err
	}
	start := time.Now()
	program, err := prover.Prepare(ctx, low.Graph, low.Weights, transcript.SHA256, nil, nil)
	if err != nil {
		return nil, 0, 0, err
	}
	prepared = time.Since(start)
	start = time.Now()
	inputs, _, err := tensor.QuantizeAll(low.Graph, []tensor.Tensor{wide}, false)
	if err != nil {
		return nil, 0, 0, err
	}
	var line Line
	var took Took
	_, err = line.prove(ctx, &Program{Prepared: program}, &Executor{Engine: EngineInterpreter}, inputs, prover.Job{}, &took)
	return fg, prepared, time.Since(start), err
}

func probeNetwork() *float.Graph {
	const c, n = probeChannels, probeSize
	random := rand.New(rand.NewPCG(2, 2))
	conv := &float.Conv{Out: c, In: c, Group: 1, W: make([]float32, c*c*9), B: make([]float32, c),
		Window: float.Window{Kernel: []int{3, 3}, Stride: []int{1, 1}, Dilation: []int{1, 1}, PadBegin: []int{1, 1}, PadEnd: []int{1, 1}}}
	for i := range conv.W {
		conv.W[i] = random.Float32() - 0.5
	}
	shape := []int{1, c, n, n}
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
// rounds, one for each maximum. A sum that only joins another sum or a function is not
// rounded itself; a window of n cells takes about n−1 maxima per axis, shared by rows.
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
		case *float.Reshape, *float.Transpose, *float.Slice, *float.Pad, *float.Concat:
		default:
			if r := readers[n.Output]; len(r) > 1 || len(r) == 1 && !joins(r[0].Op) {
				cells += 2 * size
			}
		}
	}
	return cells
}

// joins tells whether an operator takes the sum it reads as it is.
func joins(op float.Op) bool {
	switch op.(type) {
	case *float.Add, *float.AddConst, *float.MulConst, float.Scalar:
		return true
	}
	return false
}
