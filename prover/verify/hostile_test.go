package verify_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// modelFile is a model file up to the rows of weights, which a stranger need not send.
func modelFile(g *graph.Graph) []byte {
	encoded := g.Encode()
	b := append([]byte("WESM"), 1, byte(transcript.SHA256))
	b = binary.BigEndian.AppendUint32(b, uint32(len(encoded)))
	return append(b, encoded...)
}

// allocated is how many bytes a function allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestGraphBombsAreRefused decodes small models that ask for much: they are refused before
// the work is done.
func TestGraphBombsAreRefused(t *testing.T) {
	for name, g := range bombs() {
		t.Run(name, func(t *testing.T) {
			if _, err := g.Check(); err != nil {
				t.Fatalf("not a graph: %v", err)
			}
			data := modelFile(g)
			var err error
			n := allocated(func() { _, err = verify.DecodeModel(data) })
			if !errors.Is(err, layer.ErrTooWide) && !errors.Is(err, graph.ErrInvalid) {
				t.Errorf("got %v", err)
			}
			if limit := uint64(64<<20 + 100*len(data)); n > limit {
				t.Errorf("%d bytes allocated for a file of %d", n, len(data))
			}
		})
	}
}

// TestWorkOfAcceptedGraphsIsBounded lays out graphs just within the limits.
func TestWorkOfAcceptedGraphsIsBounded(t *testing.T) {
	for name, g := range heavies() {
		t.Run(name, func(t *testing.T) {
			var err error
			n := allocated(func() { _, err = verify.Layout(g) })
			if err != nil {
				t.Error(err)
			}
			if n > 512<<20 {
				t.Errorf("%d bytes allocated", n)
			}
		})
	}
}

// TestDamagedGraphsNeverPanic lays out random graphs whose encoding was damaged: each is
// refused or accepted with an error or none.
func TestDamagedGraphsNeverPanic(t *testing.T) {
	accepted := 0
	for seed := range uint64(50) {
		data := graphtest.Random(seed).Graph.Encode()
		switch {
		case seed >= 40:
			data = graphtest.RandomTrees(seed).Graph.Encode()
		case seed >= 30:
			data = graphtest.RandomIds(seed).Graph.Encode()
		case seed >= 20:
			data = graphtest.RandomProduct(seed).Graph.Encode()
		}
		rng := rand.New(rand.NewPCG(seed, 3))
		for range 100 {
			damaged := slices.Clone(data)
			for range 1 + rng.IntN(2) {
				damaged[rng.IntN(min(len(damaged), 4000))] ^= 1 << rng.IntN(8)
			}
			g, err := graph.Decode(damaged)
			if err != nil {
				continue
			}
			if _, err := verify.Layout(g); err == nil {
				accepted++
			}
		}
	}
	if accepted == 0 {
		t.Error("nothing got past the checks")
	}
}

func node(op graph.Op, in ...int) graph.Node { return graph.Node{Name: "n", Op: op, Inputs: in} }

func one() graph.Node {
	return node(&graph.Input{Name: "x", Shape: []int{1, 1}, Lo: -1, Hi: 1, Scale: 1})
}

// rescale sums terms along a channel axis; each term without a convolution is the input.
func rescale(channel int, term graph.Term, in ...int) graph.Node {
	return node(&graph.Rescale{Shift: []int{0}, Acc: graph.Accumulator{
		Channel: channel, Lo: -1000, Hi: 1000, Terms: slices.Repeat([]graph.Term{term}, len(in)),
	}}, in...)
}

func convolution(c graph.Conv, in int) graph.Node {
	return rescale(c.Channel, graph.Term{Conv: &c}, in)
}

// finish makes the last node the output.
func finish(nodes ...graph.Node) *graph.Graph {
	g := &graph.Graph{Nodes: nodes, Tables: []graph.Table{{Lo: -2000, Segments: []graph.Segment{{Len: 4001}}}}}
	info, err := g.Check() // misses the outputs
	if info == nil {
		panic(err)
	}
	last := len(nodes) - 1
	g.Outputs = []graph.Output{{Name: "y", Tensor: last, Shape: info.Shapes[last], Scale: 1}}
	return g
}

// chain is an input with n nodes one after the other.
func chain(n int, next func(i int) graph.Node) []graph.Node {
	nodes := []graph.Node{one()}
	for i := range n {
		nodes = append(nodes, next(i))
	}
	return nodes
}

func broadcast(n, in int) graph.Node { return node(&graph.Broadcast{Axis: 1, N: n}, in) }

func double(i int) graph.Node { return node(&graph.Concat{Axis: 1}, i, i) }

func slide(axis, kernel, out int) graph.Window {
	return graph.Window{Axis: axis, Kernel: kernel, Stride: 1, Dilation: 1, Out: out}
}

// bombs are graphs of few bytes and much work.
func bombs() map[string]*graph.Graph {
	times := graph.Term{Mult: 1}
	return map[string]*graph.Graph{
		"concat doubling": finish(append(chain(26, double), rescale(0, times, 26))...),
		"concat and sum": finish(append(chain(60, func(i int) graph.Node {
			if i%2 == 0 {
				return double(i)
			}
			return node(&graph.SumWindow{Window: slide(1, 2, 1)}, i)
		}), rescale(0, times, 60))...),
		"concat of a thousand": finish(append(chain(2, func(i int) graph.Node {
			return node(&graph.Concat{Axis: i}, slices.Repeat([]int{i}, 1000)...)
		}), node(&graph.Slice{Axis: 0, Len: 1, Step: 1}, 2), rescale(0, times, 3))...),
		"long axis":         finish(one(), broadcast(1<<28, 0), rescale(0, times, 1)),
		"many channels":     finish(one(), broadcast(1<<28-1, 0), rescale(1, times, 1)),
		"hidden long axis":  finish(one(), broadcast(1<<28, 0), node(&graph.Slice{Axis: 1, Step: 1, Len: 1}, 1), rescale(0, times, 2)),
		"public long axis":  finish(one(), broadcast(1<<28, 0)),
		"long window":       finish(one(), node(&graph.SumWindow{Window: slide(1, 1<<20, 1<<20)}, 0), node(&graph.Slice{Axis: 1, Step: 1, Len: 1}, 1), rescale(0, times, 2)),
		"wide kernel":       finish(one(), convolution(graph.Conv{InChannels: 1, OutChannels: 1, Groups: 1, Spatial: []graph.Window{slide(1, 1<<27, 1)}}, 0)),
		"kernel and output": finish(one(), convolution(graph.Conv{InChannels: 1, OutChannels: 1, Groups: 1, Spatial: []graph.Window{slide(1, 1<<20, 1<<20)}}, 0)),
		"channels in":       finish(one(), broadcast(1<<27, 0), convolution(graph.Conv{Channel: 1, InChannels: 1 << 27, OutChannels: 1, Groups: 1}, 1)),
		"channels out":      finish(one(), convolution(graph.Conv{Channel: 1, InChannels: 1, OutChannels: 1 << 27, Groups: 1}, 0)),
		"groups":            finish(one(), broadcast(1<<27, 0), convolution(graph.Conv{Channel: 1, InChannels: 1 << 27, OutChannels: 1 << 27, Groups: 1 << 27}, 1)),
		"many weights": finish(one(), broadcast(1<<16, 0), convolution(graph.Conv{Channel: 1, InChannels: 1 << 16, OutChannels: 1 << 12, Groups: 1}, 1),
			expand(2, 1<<12)),
		"grouped weights read often": finish(one(), broadcast(2, 0), readers(1000, graph.Conv{Channel: 1, InChannels: 2, OutChannels: 1<<18 + 30, Groups: 2})),
		"far maxima":                 finish(node(&graph.Input{Name: "x", Shape: []int{1, 1}, Lo: 1 << 29, Hi: 1 << 29, Scale: 1}), node(&graph.Max{}, 0, 0)),
		"many columns": finish(append([]graph.Node{one(), broadcast(1<<13-1, 0)},
			slices.Repeat([]graph.Node{rescale(1, times, 1)}, 30000)...)...),
		"many products": finish(append([]graph.Node{one(), broadcast(1<<10, 0)},
			slices.Repeat([]graph.Node{multiply(1<<10, 1, 1)}, 6000)...)...),
		"product of many rows": finish(one(), node(&graph.Broadcast{Axis: 0, N: 1 << 27}, 0), multiply(1, 1, 0)),
		"trees over many rows": finish(table(1<<20), trees(1, 100, graph.Vote{Weight: 1})),
		"trees of many votes":  finish(table(1<<12), trees(1<<12, 9, manyVotes(1<<12)...)),
		"many targets":         finish(table(1<<12), trees(1<<16, 1)),
		"trees of trees of rows": finish(append([]graph.Node{table(1 << 10)},
			slices.Repeat([]graph.Node{trees(1, 1<<10, graph.Vote{Weight: 1})}, 40)...)...),
		"many convolutions": finish(chain(20000, func(i int) graph.Node {
			return convolution(graph.Conv{Weight: i, InChannels: 1, OutChannels: 1, Groups: 1, Spatial: []graph.Window{slide(1, 1<<12, 1)}}, 0)
		})...),
	}
}

// table is an input of rows of one number.
func table(rows int) graph.Node {
	return node(&graph.Input{Name: "x", Shape: []int{rows, 1}, Lo: -1, Hi: 1, Scale: 1})
}

// trees are n leaves over the input.
func trees(targets, n int, votes ...graph.Vote) graph.Node {
	return node(&graph.Trees{Targets: targets, Trees: slices.Repeat([]graph.Tree{{{Votes: votes}}}, n)}, 0)
}

func manyVotes(n int) (votes []graph.Vote) {
	for i := range n {
		votes = append(votes, graph.Vote{Target: i, Weight: 1})
	}
	return votes
}

// multiply is A·Bᵀ over the last axis, of that length.
func multiply(length, a, b int) graph.Node {
	p := &graph.Product{Left: []int{0, graph.Contracted}, Right: []int{1, graph.Contracted}, Length: length}
	return node(&graph.Rescale{Shift: []int{0}, Acc: graph.Accumulator{
		Channel: 0, Lo: -1000, Hi: 1000, Terms: []graph.Term{{Mult: 1, Product: p}},
	}}, a, b)
}

// expand convolves a tensor of that many channels back to many.
func expand(in, channels int) graph.Node {
	return convolution(graph.Conv{Weight: 1, Channel: 1, InChannels: channels, OutChannels: 1 << 16, Groups: 1}, in)
}

// readers reveals the sum of many convolutions of tensor 1 with the same weights.
func readers(n int, c graph.Conv) graph.Node {
	return node(&graph.Reveal{Acc: graph.Accumulator{
		Channel: 1, Lo: -1000, Hi: 1000, Terms: slices.Repeat([]graph.Term{{Conv: &c}}, n),
	}}, slices.Repeat([]int{1}, n)...)
}

// heavies are graphs that ask for nearly as much work as is allowed.
func heavies() map[string]*graph.Graph {
	times := graph.Term{Mult: 1}
	segments := finish(one(), rescale(1, times, 0))
	segments.Tables[0] = graph.Table{Lo: -1 << 17}
	for i := range 1 << 18 {
		segments.Tables[0].Segments = append(segments.Tables[0].Segments, graph.Segment{Len: 1, Value: int64(i) * int64(i) % 1000})
	}
	return map[string]*graph.Graph{
		"joint axes": finish(append(chain(2, func(i int) graph.Node { return node(&graph.Broadcast{Axis: i, N: 1 << 10}, i) }),
			node(&graph.Reshape{Shape: []int{1 << 20}}, 2), rescale(0, times, 3))...),
		"columns": finish(append([]graph.Node{one(), broadcast(50, 0)},
			slices.Repeat([]graph.Node{rescale(0, times, 1)}, 4000)...)...),
		"terms": finish(append([]graph.Node{one(), broadcast(200, 0)},
			slices.Repeat([]graph.Node{rescale(0, times, slices.Repeat([]int{1}, 8)...)}, 1000)...)...),
		"products": finish(append([]graph.Node{one(), broadcast(50, 0)},
			slices.Repeat([]graph.Node{multiply(50, 1, 1)}, 4000)...)...),
		"segments":        segments,
		"readers":         finish(one(), broadcast(1<<13, 0), readers(120, graph.Conv{Channel: 1, InChannels: 1 << 13, OutChannels: 1 << 13, Groups: 1})),
		"grouped readers": finish(one(), broadcast(2, 0), readers(60, graph.Conv{Channel: 1, InChannels: 2, OutChannels: 1 << 14, Groups: 2})),
		"trees":           finish(table(1<<10), trees(1, 1<<14, graph.Vote{Weight: 1})),
	}
}
