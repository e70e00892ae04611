package layer

import (
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
)

// WeightLayout places the weights of all convolutions in a matrix whose columns all share
// one evaluation vector (proof-formulas.md B4): a column is the low channel bits above
// KLow low bits of the contraction index, so no sumcheck over the weights is needed.
type WeightLayout struct {
	Cols         int // 2^(Low+KLow)
	Rows         int
	Reads        int // rows that the claims read, each as often as it is read
	KLow         int
	ContractVars int // variables of the contraction sumcheck
	Blocks       []WeightBlock
}

// WeightBlock holds the weights that one contraction claim reads: those of channels with
// as many low bits, or all of a grouped convolution. Its rows are ordered by the high part
// of the contraction index, then by run of channels. Blocks that lay out the same weights
// in the same way have the same rows.
type WeightBlock struct {
	Conv     int   // index among the convolutions, in order of appearance
	Node     int   // node of the convolution
	Term     int   // index among the node's terms
	Low      int   // low channel bits of its columns; 0 when grouped
	Channels []int // first channel of each run of 2^Low; {0} when grouped
	KHigh    []int // the high parts of the contraction index that hold a weight
	Row      int   // first row
	Shared   bool  // with an earlier block
}

// convShape is the contraction index of a convolution: kernel positions from the first
// spatial axis down, then the output channel when grouped, then the input channel within
// its group.
type convShape struct {
	cube
	conv    *graph.Conv
	grouped bool
}

func newConvShape(c *graph.Conv) convShape {
	s := convShape{conv: c, grouped: c.Groups > 1}
	var dims []int
	for _, w := range c.Spatial {
		dims = append(dims, w.Kernel)
	}
	if s.grouped {
		dims = append(dims, c.OutChannels)
	}
	s.cube = newCube(append(dims, c.InChannels/c.Groups)...)
	return s
}

const (
	maxWeightRows = 1 << 16
	// maxRowReads bounds what a verifier does for rows: a few multiplications for each.
	maxRowReads = 1 << 20
)

// weightCount is the number of weights of all convolutions, those that several read once, or
// the first that is more than maxWeights.
func (s *System) weightCount() int {
	total, last := 0, -1
	for i := range s.Graph.Nodes {
		for _, c := range graph.Convs(s.Graph.Nodes[i].Op) {
			if c.Weight <= last {
				continue
			}
			last = c.Weight
			if total += c.WeightCount(); total > maxWeights {
				return total
			}
		}
	}
	return total
}

func (s *System) makeWeights() error {
	total := s.weightCount()
	if total > maxWeights {
		return fmt.Errorf("%w: more than %d weights", ErrTooWide, maxWeights)
	}
	for i := range s.Graph.Nodes {
		for _, c := range graph.Convs(s.Graph.Nodes[i].Op) {
			shape := newConvShape(c)
			s.convs = append(s.convs, shape)
			s.Weights.ContractVars = max(s.Weights.ContractVars, shape.vars)
		}
	}
	for low := weightLowBits(total, s.Low); ; low++ {
		s.Weights.KLow = min(low, s.Weights.ContractVars)
		s.Weights.Cols = 1 << (s.Low + s.Weights.KLow)
		err := s.layBlocks()
		// Grouped convolutions fill their rows badly; wider rows are then fewer.
		fit := err == nil && s.Weights.Rows <= rowsPerColumn*s.Weights.Cols+fewRows
		if fit || s.Weights.KLow < low || 2*s.Weights.Cols > maxColumns {
			return err
		}
	}
}

const (
	// rowsPerColumn balances rows, which a verifier's key holds, against columns, which
	// every proof holds.
	rowsPerColumn = 4
	// fewRows cost a verifier less than a millisecond.
	fewRows = 256
)

// layBlocks lists the blocks of all convolutions for rows of Weights.Cols columns.
func (s *System) layBlocks() error {
	s.Weights.Blocks, s.Weights.Rows, s.Weights.Reads = nil, 0, 0
	conv, laid := 0, map[weightClass][]WeightBlock{}
	for i := range s.Graph.Nodes {
		acc := graph.AccumulatorOf(s.Graph.Nodes[i].Op)
		if acc == nil {
			continue
		}
		for t := range acc.Terms {
			if acc.Terms[t].Conv == nil {
				continue
			}
			if err := s.addBlocks(WeightBlock{Conv: conv, Node: i, Term: t}, laid); err != nil {
				return fmt.Errorf("%w: node %d %q", err, i, s.Graph.Nodes[i].Name)
			}
			conv++
		}
	}
	return nil
}

// weightLowBits is where to start: rows that are full of weights.
func weightLowBits(weights, low int) int {
	c := 1
	for c*c*rowsPerColumn < weights && c < maxColumns {
		c *= 2
	}
	return max(log2Ceil(c)-low, 0)
}

// addBlocks adds the blocks of a convolution. laid are the last few with rows of their own.
func (s *System) addBlocks(block WeightBlock, laid map[weightClass][]WeightBlock) error {
	shape := &s.convs[block.Conv]
	block.KHigh = shape.highParts(s.Weights.KLow)
	if shape.grouped {
		block.Channels = []int{0}
		return s.addBlock(block, len(s.classes(block.Node)), laid)
	}
	for _, class := range s.classes(block.Node) {
		b := block
		b.Low = class[0].Low
		for _, col := range class {
			for ch := col.First; ch < col.First+col.Count; ch += 1 << b.Low {
				b.Channels = append(b.Channels, ch)
			}
		}
		if err := s.addBlock(b, 1, laid); err != nil {
			return err
		}
	}
	return nil
}

// addBlock adds a block that so many claims read.
func (s *System) addBlock(b WeightBlock, claims int, laid map[weightClass][]WeightBlock) error {
	rows := len(b.KHigh) * len(b.Channels)
	if s.Weights.Reads += rows * claims; s.Weights.Reads > maxRowReads {
		return fmt.Errorf("%w: rows of weights are read more than %d times", ErrTooWide, maxRowReads)
	}
	key := weightClass{s.convs[b.Conv].conv.Weight, b.Low}
	if i := slices.IndexFunc(laid[key], func(first WeightBlock) bool { return s.sameRows(&first, &b) }); i >= 0 {
		b.Row, b.Shared = laid[key][i].Row, true
	} else {
		b.Row = s.Weights.Rows
		if s.Weights.Rows += rows; s.Weights.Rows > maxWeightRows {
			return fmt.Errorf("%w: weights take more than %d rows", ErrTooWide, maxWeightRows)
		}
		if len(laid[key]) < maxLayouts {
			laid[key] = append(laid[key], b)
		}
	}
	s.Weights.Blocks = append(s.Weights.Blocks, b)
	return nil
}

// weightClass is a weight, in columns of channels with as many low bits.
type weightClass struct{ weight, low int }

// maxLayouts bounds the layouts of a weightClass that others are compared with.
const maxLayouts = 4

// sameRows tells whether two blocks of one class are packed into the same rows. The high parts
// of their contraction index are the same, as the weights have one shape.
func (s *System) sameRows(a, b *WeightBlock) bool {
	return slices.Equal(a.Channels, b.Channels) && graph.SameChannelShifts(s.Graph.Nodes[a.Node].Op, s.Graph.Nodes[b.Node].Op)
}

// classes groups the columns of a node by their low channel bits: the columns of a class
// have their axes at the same bits of the index, hence one point for all.
func (s *System) classes(node int) [][]Column {
	var classes [][]Column
	columns, _ := s.columnsOf(node)
	for _, c := range columns {
		if n := len(classes); n > 0 && classes[n-1][0].Low == c.Low {
			classes[n-1] = append(classes[n-1], c)
			continue
		}
		classes = append(classes, []Column{c})
	}
	return classes
}

// PackWeights lays the weights out in rows, those of each channel moved up to the largest
// shift of its layer.
func (s *System) PackWeights(w graph.Weights) []int32 {
	packed := make([]int32, s.Weights.Rows*s.Weights.Cols)
	poly.Parallel(len(s.Weights.Blocks), 1, func(from, to int) {
		for i := from; i < to; i++ {
			if b := &s.Weights.Blocks[i]; !b.Shared {
				s.packBlock(packed, b, w)
			}
		}
	})
	return packed
}

func (s *System) packBlock(packed []int32, b *WeightBlock, w graph.Weights) {
	shape := &s.convs[b.Conv]
	weights, places := w[shape.conv.Weight], s.places(b)
	up := graph.ChannelShifts(s.Graph.Nodes[b.Node].Op, shape.conv.OutChannels)
	if shape.grouped {
		for dense, place := range places {
			at, oc := shape.groupedWeight(dense)
			packed[place] = weights[at] << up[oc]
		}
		return
	}
	size := len(places)
	for j, run := range b.Channels {
		for lo := range 1 << b.Low {
			oc := run + lo
			to := packed[j*s.Weights.Cols+lo<<s.Weights.KLow:]
			for dense, v := range weights[oc*size:][:size] {
				to[places[dense]] = v << up[oc]
			}
		}
	}
}

// places is where, for the first channel of a block, the weight of each dense contraction
// index lies.
func (s *System) places(b *WeightBlock) []int {
	k := s.Weights.KLow
	row := make(map[int]int, len(b.KHigh))
	for i, h := range b.KHigh {
		row[h] = b.Row + i*len(b.Channels)
	}
	var places []int
	s.convs[b.Conv].visit(func(padded, _ int) {
		places = append(places, row[padded>>k]*s.Weights.Cols+padded&(1<<k-1))
	})
	return places
}

// groupedWeight is the index, among a grouped convolution's weights, of a dense contraction
// index (kernel, oc, ic), and the oc.
func (s *convShape) groupedWeight(dense int) (at, oc int) {
	c := s.conv
	ics := c.InChannels / c.Groups
	ic, kernel := dense%ics, dense/ics/c.OutChannels
	oc = dense / ics % c.OutChannels
	return (oc*c.KernelSize()+kernel)*ics + ic, oc
}
