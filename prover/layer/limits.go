package layer

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
)

// A few bytes of a graph can ask for any amount of work: axes, windows and kernels are
// numbers, and views of views multiply. These limits bound what laying a graph out and
// verifying a proof of it cost, whatever the graph says.
const (
	// maxColumnCount bounds the columns.
	maxColumnCount = 1 << 14
	// maxAxisCells bounds the entries of all vectors along axes that columns,
	// convolutions and products start from.
	maxAxisCells = 1 << 22
	// maxTaps bounds the positions times the taps of all windows.
	maxTaps = 1 << 25
	// maxTreeSteps bounds the nodes on the longest ways of decision trees, and the votes there, for all
	// rows, in the execution and for each reader.
	maxTreeSteps = 1 << 26
	// maxWork bounds the entries of all vectors that views turn those into.
	maxWork = 1 << 24
	// maxTerms bounds the functionals that views can multiply into.
	maxTerms = 1 << 16
	// maxSegments bounds the runs of all function tables in use.
	maxSegments = 1 << 19
	// maxWeights bounds the weights of all convolutions.
	maxWeights = 1 << 28
	// publicCells is how many public cells are summed in the time of one entry of maxWork.
	publicCells = 8
)

// ErrTooWide reports a graph that asks for more work of a verifier than is allowed.
var ErrTooWide = errors.New("more work for a verifier than is allowed")

// Effort counts what a verifier does for the layout beyond its sizes. No count exceeds the
// limit above that it belongs to.
type Effort struct {
	Axes     int // entries of vectors along axes
	Taps     int // positions times taps of windows
	Segments int // runs of function tables
	Steps    int // nodes and votes that rows meet in decision trees, see treeSteps
	Terms    int // functionals that views are handed
	Views    int // entries of the vectors that views turn functionals into
}

// checkLimits bounds everything that follows from shapes alone.
func (s *System) checkLimits() error {
	axes, taps, segments := 0, 0, 0
	for i := range s.Graph.Nodes {
		n := &s.Graph.Nodes[i]
		columns, _ := s.columnsOf(i)
		axes += len(columns) * total(s.Info.Shapes[i])
		if op, ok := n.Op.(*graph.SumWindow); ok {
			taps = addTaps(taps, op.Window, 0) // one vector takes the sum up
		}
		for k, c := range convsByInput(n) {
			in := s.Info.Shapes[n.Inputs[k]]
			axes += total(in)
			if c.Groups > 1 {
				axes += c.OutChannels * len(columns) // a factor for each claim
			}
			for _, w := range c.Spatial {
				taps = addTaps(taps, w, in[w.Axis])
			}
		}
		axes += s.productAxes(i)
		if axes > maxAxisCells || taps > maxTaps {
			return fmt.Errorf("%w: node %d %q: axes of %d cells and windows of %d taps, at most %d and %d",
				ErrTooWide, i, n.Name, axes, taps, maxAxisCells, maxTaps)
		}
	}
	for i := range s.Tables {
		if s.Tables[i].Kind == LeafFunction {
			segments += len(s.Graph.Tables[s.Tables[i].Func].Segments)
		}
	}
	for _, o := range s.Graph.Outputs {
		axes += total(s.Info.Shapes[o.Tensor])
	}
	if axes > maxAxisCells || segments > maxSegments {
		return fmt.Errorf("%w: axes of %d cells and %d segments of functions, at most %d and %d",
			ErrTooWide, axes, segments, maxAxisCells, maxSegments)
	}
	steps := s.treeSteps()
	if steps > maxTreeSteps {
		return fmt.Errorf("%w: decision trees of %d steps, at most %d", ErrTooWide, steps, maxTreeSteps)
	}
	s.Effort = Effort{Axes: axes, Taps: taps, Segments: segments, Steps: steps}
	return nil
}

// treeSteps counts what rows meet in decision trees, once for the execution and once for every reader that
// is no view: a view is computed anew for each. The count stops growing beyond the limit.
func (s *System) treeSteps() int {
	steps := make([]int, len(s.Graph.Nodes)) // that the cells of a tensor take
	all := 0
	for i := range s.Graph.Nodes {
		n := &s.Graph.Nodes[i]
		if op, ok := n.Op.(*graph.Trees); ok {
			table := s.Info.Shapes[n.Inputs[0]]
			steps[i] = min(table[0]*op.Steps(table[1]), maxTreeSteps+1)
			all = min(all+steps[i], maxTreeSteps+1)
			continue
		}
		for _, in := range n.Inputs {
			if IsView(n.Op) {
				steps[i] = min(steps[i]+steps[in], maxTreeSteps+1)
			} else {
				all = min(all+steps[in], maxTreeSteps+1)
			}
		}
	}
	for _, o := range s.Graph.Outputs {
		all = min(all+steps[o.Tensor], maxTreeSteps+1)
	}
	return all
}

// total is the length of all axes.
func total(shape []int) int {
	n := 0
	for _, d := range shape {
		n += d
	}
	return n
}

// addTaps adds what a window reads, at most 2^57, to a count that stops growing beyond the
// limit: for every tap a vector of that many entries, and the positions.
func addTaps(taps int, w graph.Window, entries int) int {
	return min(taps, maxTaps+1) + w.Kernel*(w.Out+entries)
}

// productAxes is the length of all axes of the operands of a node's products, once for each
// claim on them.
func (s *System) productAxes(node int) int {
	acc := graph.AccumulatorOf(s.Graph.Nodes[node].Op)
	if acc == nil {
		return 0
	}
	n, inputs := 0, s.Graph.Nodes[node].Inputs
	for i, second := range acc.Seconds() {
		if acc.Terms[i].Product != nil {
			n += total(s.Info.Shapes[inputs[i]]) + total(s.Info.Shapes[inputs[second]])
		}
	}
	return n * len(s.classes(node))
}

// convsByInput are the convolutions of a node by the index of their term and input.
func convsByInput(n *graph.Node) map[int]*graph.Conv {
	acc := graph.AccumulatorOf(n.Op)
	if acc == nil {
		return nil
	}
	convs := map[int]*graph.Conv{}
	for i := range acc.Terms {
		if c := acc.Terms[i].Conv; c != nil {
			convs[i] = c
		}
	}
	return convs
}

// checkViews opens a proof without values, to find before any proof whether the views of
// the graph ask for too much.
func (s *System) checkViews() error {
	point := make([]fr.Element, s.PointVars())
	ch := &Challenges{Point: point}
	ch.Left.Point = point[len(point)-s.LeafVars:]
	ch.Right.Point = make([]fr.Element, s.RowVars)
	claims := s.Claims(ch)
	var outputs []OutputClaim
	for _, o := range s.Graph.Outputs {
		if _, revealed := s.Graph.Nodes[o.Tensor].Op.(*graph.Reveal); revealed {
			continue
		}
		c := OutputClaim{Tensor: o.Tensor}
		for _, d := range s.Info.Shapes[o.Tensor] {
			c.Point = append(c.Point, make([]fr.Element, AxisVars(d)))
		}
		outputs = append(outputs, c)
	}
	o := s.NewOpening(nil, fr.One())
	o.dry = true
	msg := &Messages{Inputs: make([]fr.Element, s.InputCount())}
	err := s.Open(o, ch, msg, &claims, make([]fr.Element, s.Weights.ContractVars), nil, outputs)
	s.Effort.Terms, s.Effort.Views = o.count, o.work
	return err
}

// spend counts work that a term at a tensor is about to cause.
func (o *Opening) spend(tensor, n int) error {
	if o.work += n; o.work > maxWork {
		return fmt.Errorf("%w: vectors of more than %d entries, at node %q", ErrTooWide, maxWork, o.sys.Graph.Nodes[tensor].Name)
	}
	return nil
}

// size is the number of entries of a term's vectors.
func (t Term) size() int {
	n := 0
	for _, g := range t.Groups {
		n += len(g.Vec)
	}
	return n
}

// pullSize bounds the entries that pulling a term through a view touches. Axes that have
// to be weighed jointly count afterwards: each step of joining them has a limit of its own.
func pullSize(op graph.Op, t Term, in, out []int) int {
	resized := func(axis, taps int) int {
		i, _ := t.group(axis)
		n := len(t.Groups[i].Vec)
		return n*taps + n/out[axis]*in[axis]
	}
	switch op := op.(type) {
	case *graph.Slice:
		return resized(op.Axis, 1)
	case *graph.Pad:
		return resized(op.Axis, 1)
	case *graph.Select:
		return resized(op.Axis, 1)
	case *graph.Broadcast:
		return resized(op.Axis, 1)
	case *graph.SumWindow:
		return resized(op.Window.Axis, op.Window.Kernel)
	case *graph.Concat:
		i, _ := t.group(op.Axis)
		return 2 * len(t.Groups[i].Vec)
	}
	return 0
}

// dense counts the entries of jointly weighed axes.
func (t Term) dense() int {
	n := 0
	for _, g := range t.Groups {
		if g.Axes > 1 {
			n += len(g.Vec)
		}
	}
	return n
}
