package layer

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
)

// System is the layout of a proof: which columns are committed, which cells are looked
// up where, and how weights lie in their rows. It follows from the graph alone, so a
// prover has no say in it.
type System struct {
	Graph *graph.Graph
	Info  *graph.Info

	Low       int // channel bits stored lowest, common to all columns that have as many
	RangeBits int // the range table holds [0, 2^RangeBits), see Digits

	Columns []Column // of all Rescale and Max tensors, by node
	Reveals []Column // of all Reveal tensors, by node: points, not storage

	Slots  []Slot        // the committed vector, by descending size
	Leaves []Leaf        // the lookups, by descending size
	Tables []LookupTable // the rows looked up, by descending size

	LeafCount, RowCount, CellCount int // real prefixes of leaves, table rows, committed cells
	LeafVars, RowVars, CellVars    int
	CellCols                       int // columns of the commitment's matrix

	Weights  WeightLayout
	Effort   Effort
	convs    []convShape    // in order of appearance
	products []productShape // by node and term

	spans  []span // by node: its columns
	leafAt map[leafKey]int
	slotAt map[slotKey]int
}

// span is a range of columns.
type span struct{ first, end int }

type leafKey struct {
	kind   LeafKind
	column int
}

type slotKey struct {
	kind   SlotKind
	source int
}

// SlotKind tells what a slot of the committed vector holds.
type SlotKind uint8

// A Rescale column commits its outputs y, the excess e = q − y of its quotients if remainders
// have digits, and high digits if they have two; a Max column its outputs; a table the number
// of times that each of its rows is looked up.
const (
	SlotValue SlotKind = iota
	SlotExcess
	SlotHigh
	SlotCount
)

// Slot is an aligned cube of the committed vector.
type Slot struct {
	Kind   SlotKind
	Source int // index of a column, or of a lookup table
	Vars   int
	Offset int
}

// LeafKind tells what a cell of a leaf cube looks up.
type LeafKind uint8

// A Rescale cell looks up (y, q) in its function and the digits of its remainder, if any, the
// low one as LeafRemainder, in the range table; a Max cell looks up (y − a, y − b) among the pairs of
// which one is zero.
const (
	LeafRemainder LeafKind = iota
	LeafHigh
	LeafFunction
	LeafMaximum
)

// Leaf is an aligned cube of lookups: one for each cell of a column.
type Leaf struct {
	Kind   LeafKind
	Column int
	Table  int // index in System.Tables
	Vars   int
	Offset int
}

// LookupTable is an aligned cube of table rows. Rows past Size repeat the last one, so
// that they add nothing that could be looked up.
type LookupTable struct {
	Kind   LeafKind // LeafRemainder for the range table
	Func   int      // for LeafFunction: index in Graph.Tables
	Tag    uint64
	Size   int
	Vars   int
	Offset int
}

const (
	// lowBits of a channel are the lowest bits of a column. Multiples of 16 channels
	// share one set of spatial points.
	lowBits = 4
	// manyWeights have manyLowBits: wide rows are then filled by kernels of any multiple of 128.
	manyWeights, manyLowBits = 1 << 26, 6
	// maxVars bounds lookups and committed cells.
	maxVars = 32
)

// NewSystem lays out a checked graph. It refuses a graph that asks for more work of a
// verifier than is allowed, with work that is itself bounded.
func NewSystem(g *graph.Graph, info *graph.Info) (*System, error) {
	s := &System{Graph: g, Info: info, leafAt: map[leafKey]int{}, slotAt: map[slotKey]int{}}
	if err := s.makeColumns(); err != nil {
		return nil, err
	}
	if err := s.makeTables(); err != nil {
		return nil, err
	}
	if err := s.checkLimits(); err != nil {
		return nil, err
	}
	s.makeLeaves()
	s.makeSlots()
	if s.LeafVars > maxVars || s.CellVars > maxVars {
		return nil, fmt.Errorf("%w: %d lookups and %d committed cells exceed 2^%d", graph.ErrInvalid, s.LeafCount, s.CellCount, maxVars)
	}
	if err := s.makeProducts(); err != nil {
		return nil, err
	}
	if err := s.makeWeights(); err != nil {
		return nil, err
	}
	s.CellCols = cellColumns(s.CellCount, s.Weights.Cols)
	return s, s.checkViews()
}

func (s *System) makeColumns() error {
	s.spans = make([]span, len(s.Graph.Nodes))
	low := s.lowBits()
	for i := range s.Graph.Nodes {
		list, channel := &s.Columns, 0
		switch op := s.Graph.Nodes[i].Op.(type) {
		case *graph.Rescale:
			s.RangeBits = max(s.RangeBits, min(op.MaxShift(), maxRangeBits))
			channel = op.Acc.Channel
		case *graph.Max:
			channel = op.Channel
		case *graph.Reveal:
			list, channel = &s.Reveals, op.Acc.Channel
		default:
			continue
		}
		first := len(*list)
		*list = append(*list, columns(i, s.Info.Shapes[i], channel, low)...)
		s.spans[i] = span{first, len(*list)}
		if len(s.Columns)+len(s.Reveals) > maxColumnCount {
			return fmt.Errorf("%w: node %d: more than %d columns", ErrTooWide, i, maxColumnCount)
		}
	}
	for _, c := range slices.Concat(s.Columns, s.Reveals) {
		s.Low = max(s.Low, c.Low)
	}
	return nil
}

// lowBits is how many bits of a channel are lowest.
func (s *System) lowBits() int {
	if s.weightCount() >= manyWeights {
		return manyLowBits
	}
	return lowBits
}

// makeTables lists the tables that some column uses.
func (s *System) makeTables() error {
	used := map[int]bool{}
	digits, width := 0, int64(-1)
	for _, c := range s.Columns {
		n := &s.Graph.Nodes[c.Tensor]
		if op, ok := n.Op.(*graph.Rescale); ok {
			digits, used[op.Table] = max(digits, Digits(op)), true
			if d := s.Graph.Tables[op.Table].Domain(); d.Lo > 0 || d.Hi < 0 {
				return fmt.Errorf("%w: node %q: padding needs 0 in the domain [%d, %d] of its function", graph.ErrInvalid, n.Name, d.Lo, d.Hi)
			}
			continue
		}
		a, b := s.Info.Bounds[n.Inputs[0]], s.Info.Bounds[n.Inputs[1]]
		width = max(width, max(a.Hi, b.Hi, 0)-min(a.Lo, b.Lo, 0))
	}
	if digits > 0 {
		s.addTable(LookupTable{Kind: LeafRemainder, Size: 1 << s.RangeBits})
	}
	for f := range s.Graph.Tables {
		if used[f] {
			s.addTable(LookupTable{Kind: LeafFunction, Func: f, Tag: uint64(f) + 1, Size: s.Graph.Tables[f].Size()})
		}
	}
	if width > graph.MaxDomain {
		return fmt.Errorf("%w: maxima of values that differ from each other or zero by %d, at most %d", graph.ErrInvalid, width, graph.MaxDomain)
	}
	if width >= 0 {
		s.addTable(LookupTable{Kind: LeafMaximum, Tag: uint64(len(s.Graph.Tables)) + 1, Size: int(2*width + 1)})
	}
	slices.SortStableFunc(s.Tables, func(a, b LookupTable) int { return b.Vars - a.Vars })
	for i := range s.Tables {
		s.Tables[i].Offset = s.RowCount
		s.RowCount += 1 << s.Tables[i].Vars
	}
	s.RowVars = max(1, log2Ceil(max(s.RowCount, 1)))
	return nil
}

func (s *System) addTable(t LookupTable) {
	t.Vars = log2Ceil(t.Size)
	s.Tables = append(s.Tables, t)
}

func (s *System) tableOf(kind LeafKind, function int) int {
	return slices.IndexFunc(s.Tables, func(t LookupTable) bool { return t.Kind == kind && t.Func == function })
}

func (s *System) makeLeaves() {
	for i, c := range s.Columns {
		if op, ok := s.Graph.Nodes[c.Tensor].Op.(*graph.Rescale); ok {
			for _, kind := range []LeafKind{LeafRemainder, LeafHigh}[:Digits(op)] {
				s.Leaves = append(s.Leaves, Leaf{Kind: kind, Column: i, Table: s.tableOf(LeafRemainder, 0), Vars: c.Vars})
			}
			s.Leaves = append(s.Leaves, Leaf{Kind: LeafFunction, Column: i, Table: s.tableOf(LeafFunction, op.Table), Vars: c.Vars})
			continue
		}
		s.Leaves = append(s.Leaves, Leaf{Kind: LeafMaximum, Column: i, Table: s.tableOf(LeafMaximum, 0), Vars: c.Vars})
	}
	slices.SortStableFunc(s.Leaves, func(a, b Leaf) int { return b.Vars - a.Vars })
	for i := range s.Leaves {
		s.leafAt[leafKey{s.Leaves[i].Kind, s.Leaves[i].Column}] = i
		s.Leaves[i].Offset = s.LeafCount
		s.LeafCount += 1 << s.Leaves[i].Vars
	}
	s.LeafVars = max(1, log2Ceil(max(s.LeafCount, 1)))
}

func (s *System) makeSlots() {
	for i, c := range s.Columns {
		s.Slots = append(s.Slots, Slot{Kind: SlotValue, Source: i, Vars: c.Vars})
		if op, ok := s.Graph.Nodes[c.Tensor].Op.(*graph.Rescale); ok {
			for _, kind := range []SlotKind{SlotExcess, SlotHigh}[:Digits(op)] {
				s.Slots = append(s.Slots, Slot{Kind: kind, Source: i, Vars: c.Vars})
			}
		}
	}
	for i, t := range s.Tables {
		s.Slots = append(s.Slots, Slot{Kind: SlotCount, Source: i, Vars: t.Vars})
	}
	slices.SortStableFunc(s.Slots, func(a, b Slot) int { return b.Vars - a.Vars })
	for i := range s.Slots {
		s.slotAt[slotKey{s.Slots[i].Kind, s.Slots[i].Source}] = i
		s.Slots[i].Offset = s.CellCount
		s.CellCount += 1 << s.Slots[i].Vars
	}
	s.CellVars = max(1, log2Ceil(max(s.CellCount, 1)))
}

// cellColumns is the power of two that costs a verifier least. A row is a point to decode
// and one to multiply; a column is an element of the proof, and a generator to multiply
// where the rows of weights do not reach.
func cellColumns(cells, weights int) int {
	cost := func(c int) int { return 2*((cells+c-1)/c) + c + max(c, weights) }
	best := 1
	for c := 1; c <= maxColumns; c *= 2 {
		if cost(c) < cost(best) {
			best = c
		}
	}
	return best
}

// CellRows is the number of rows of the committed matrix.
func (s *System) CellRows() int { return (s.CellCount + s.CellCols - 1) / s.CellCols }

// maxColumns is the number of generators that a commitment may need.
const maxColumns = 1 << 13

// Slot finds the slot of a kind and source.
func (s *System) Slot(kind SlotKind, source int) *Slot { return &s.Slots[s.slotIndex(kind, source)] }

func (s *System) slotIndex(kind SlotKind, source int) int {
	i, ok := s.slotAt[slotKey{kind, source}]
	if !ok {
		panic(fmt.Sprintf("BUG: no slot of kind %d for %d", kind, source))
	}
	return i
}

// columnsOf are the columns of a node, and the index of the first in Columns, or in
// Reveals for a Reveal.
func (s *System) columnsOf(node int) (columns []Column, first int) {
	n := s.spans[node]
	if _, ok := s.Graph.Nodes[node].Op.(*graph.Reveal); ok {
		return s.Reveals[n.first:n.end], n.first
	}
	return s.Columns[n.first:n.end], n.first
}

// PointVars is the length of the point that lookup and revealed columns share the
// suffixes of.
func (s *System) PointVars() int {
	n := max(s.LeafVars, s.Low)
	for _, c := range s.Reveals {
		n = max(n, c.Vars)
	}
	return n
}

// SoundnessBits is the negative base-2 logarithm of a bound on the error of one proof
// (proof.md §9): every challenge contributes its polynomial's degree over the field.
func (s *System) SoundnessBits() int {
	treeRounds := s.LeafVars*(s.LeafVars+1)/2 + s.RowVars*(s.RowVars+1)/2
	degrees := 4*treeRounds + 3*s.Weights.ContractVars + 2*s.CellVars
	lookups := 4 * (s.LeafCount + s.RowCount) // poles of the fractional sum, keys of degree two
	claims := 4*(len(s.Columns)+len(s.Reveals)+len(s.Graph.Nodes)+len(s.Graph.Outputs)+1) +
		s.ConvClaimCount() + s.InputCount() // powers of the challenges that combine openings
	rest := s.CellVars + s.PointVars() + 64
	return 253 - bits.Len(uint(degrees+lookups+claims+rest))
}

// SplitCellPoint cuts a point of the cells into that of the matrix's rows and of its columns.
func (s *System) SplitCellPoint(p []fr.Element) (rows, cols []fr.Element) {
	at := len(p) - log2Ceil(s.CellCols)
	return p[:at], p[at:]
}

// AxisVars is the number of variables of an axis padded to a power of two.
func AxisVars(length int) int { return log2Ceil(length) }
