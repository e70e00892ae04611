package prover

import (
	"context"
	"fmt"
	"runtime"
	"sort"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/lookup"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/sumcheck"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
	"golang.org/x/sync/errgroup"
)

func workers() int { return runtime.GOMAXPROCS(0) }

// Job says whom a proof is for. All parts may be empty.
type Job struct {
	ID, Payee, Chain string
}

// Result is a proof with its statement and what it took.
type Result struct {
	Statement *verify.Statement
	Proof     *verify.Proof
	Timings   Timings
}

// Prove proves one execution of a prepared model. The trace must be complete; a cell that
// is not what the graph defines is an error, never a proof that fails.
func Prove(ctx context.Context, p *Prepared, job Job, trace *graph.Trace, o Options) (*Result, error) {
	s, err := statement(p.Model, job, trace)
	if err != nil {
		return nil, err
	}
	run := &proving{
		prepared: p, sys: p.Model.System(), options: o,
		result: &Result{Statement: s, Proof: new(verify.Proof)},
	}
	if run.tr, err = p.Model.Begin(s); err != nil {
		return nil, err
	}
	start := time.Now()
	if run.witness, err = newWitness(ctx, run.sys, trace); err != nil {
		return nil, err
	}
	laidOut := time.Since(start)
	for _, step := range []func(context.Context) error{run.commit, run.lookup, run.contract, run.open} {
		if err := step(ctx); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	run.result.Timings.Commit += laidOut
	return run.result, nil
}

// statement reads inputs and outputs off a trace.
func statement(m *verify.Model, job Job, trace *graph.Trace) (*verify.Statement, error) {
	s := &verify.Statement{Model: m.Digest(), Job: job.ID, Payee: job.Payee, Chain: job.Chain}
	for _, t := range m.Graph.Inputs() {
		s.Inputs = append(s.Inputs, trace.Values[t])
	}
	for _, o := range m.Graph.Outputs {
		cells, err := outputCells(m, trace, o.Tensor)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", o.Name, err)
		}
		s.Outputs = append(s.Outputs, graph.PackCells(cells, m.System().Info.Bounds[o.Tensor]))
	}
	return s, nil
}

func outputCells(m *verify.Model, trace *graph.Trace, tensor int) ([]int64, error) {
	if _, revealed := m.Graph.Nodes[tensor].Op.(*graph.Reveal); revealed {
		return trace.Accs[tensor], nil
	}
	return interpret.View(m.Graph, m.System().Info, trace.Values, tensor)
}

// proving is one proof in the making: what one step leaves to the next.
type proving struct {
	prepared *Prepared
	sys      *layer.System
	tr       *transcript.Transcript
	witness  *witness
	options  Options
	result   *Result

	challenges layer.Challenges
	claims     layer.Claims
	r          []fr.Element
	eta        fr.Element
}

// commit commits to the cells.
func (p *proving) commit(ctx context.Context) error {
	start := p.options.Progress.begin(StageCommit)
	rows, err := p.options.commitRows(ctx, p.prepared.Model.Key(), p.witness.cells, p.sys.CellCols, StageCommit)
	if err != nil {
		return fmt.Errorf("commit cells: %w", err)
	}
	p.result.Proof.Rows = rows
	p.challenges.Alpha, p.challenges.Beta = verify.DrawKeys(p.tr, rows)
	p.options.Progress.end(StageCommit, start, &p.result.Timings.Commit)
	return nil
}

// lookup proves that every key is in its table.
func (p *proving) lookup(context.Context) error {
	start := p.options.Progress.begin(StageLookup)
	ch := &p.challenges
	if p.sys.LeafCount > 0 {
		left, right := p.sides()
		p.result.Proof.Lookup, ch.Left, ch.Right = lookup.Prove(p.tr, left, right)
	}
	ch.Point, ch.Gamma = verify.DrawPoint(p.tr, p.sys, ch.Left.Point)
	p.options.Progress.end(StageLookup, start, &p.result.Timings.Lookup)
	return nil
}

// sides are the fractions of all lookups and of all table rows.
func (p *proving) sides() (left lookup.Units, right lookup.Side) {
	rows := p.sys.RowCount
	right = lookup.Side{Vars: p.sys.RowVars, Den: make([]fr.Element, rows), Num: make([]fr.Element, rows)}
	dens := make([][]fr.Element, len(p.sys.Tables))
	var group errgroup.Group
	group.SetLimit(workers())
	for i := range p.sys.Tables {
		t := &p.sys.Tables[i]
		dens[i] = right.Den[t.Offset:][:1<<t.Vars]
		group.Go(func() error {
			p.sys.Denominators(&p.challenges, i, dens[i])
			setCounts(right.Num[t.Offset:], p.witness.counts[i])
			return nil
		})
	}
	_ = group.Wait() // its functions return no errors
	read := func(even, odd []fr.Element, first int) { p.readLeaves(even, odd, first, dens) }
	return lookup.Units{Vars: p.sys.LeafVars, Len: p.sys.LeafCount, Read: read}, right
}

// readLeaves sets even and odd, in turn, to the denominators of the leaves from 2·first on:
// those of the rows, by table, that the keys name.
func (p *proving) readLeaves(even, odd []fr.Element, first int, rows [][]fr.Element) {
	leaves := p.sys.Leaves
	i := sort.Search(len(leaves), func(i int) bool { return leaves[i].Offset > 2*first }) - 1
	for at, end := 2*first, 2*first+len(even)+len(odd); at < end; i++ {
		stop := min(end, leaves[i].Offset+1<<leaves[i].Vars)
		gather(even, odd, rows[leaves[i].Table], p.witness.keys[at:stop], at-2*first)
		at = stop
	}
}

// gather reads the rows of keys to the elements from position at on, even and odd ones
// in turn.
func gather(even, odd, rows []fr.Element, keys []uint32, at int) {
	if at%2 == 1 {
		odd[at/2] = rows[keys[0]]
		keys, at = keys[1:], at+1
	}
	even, odd = even[at/2:], odd[at/2:]
	for i := range len(keys) / 2 {
		even[i], odd[i] = rows[keys[2*i]], rows[keys[2*i+1]]
	}
	if n := len(keys); n%2 == 1 {
		even[n/2] = rows[keys[n-1]]
	}
}

// setCounts writes counts, most of which are zero, to elements that are.
func setCounts(dst []fr.Element, counts []uint32) {
	for i, n := range counts {
		if n > 0 {
			dst[i].SetUint64(uint64(n))
		}
	}
}

// open proves everything left open against the commitments.
func (p *proving) open(context.Context) error {
	start := p.options.Progress.begin(StageOpen)
	proof, m := p.result.Proof, p.prepared.Model
	outputs := m.DrawOutputs(p.tr, p.result.Statement.Outputs)
	msg := &layer.Messages{Convs: proof.Convs, Inputs: proof.Inputs}
	o, err := m.OpeningClaim(p.result.Statement, &p.challenges, msg, &p.claims, p.r, outputs, verify.DrawDelta(p.tr))
	if err != nil {
		return err
	}
	if p.sys.CellCount > 0 {
		l := make([]fr.Element, p.sys.CellCount)
		o.Fill(l)
		var rho []fr.Element
		proof.Open, rho, proof.Cell, _ = sumcheck.ProveInner(p.tr, p.sys.CellVars, o.Value, p.witness.cells, l)
		high, _ := p.sys.SplitCellPoint(rho)
		proof.CellRow = make([]fr.Element, p.sys.CellCols)
		poly.VecMat(proof.CellRow, poly.EqPrefix(high, p.sys.CellRows()), p.witness.cells, p.sys.CellCols)
	}
	if len(p.claims.Convs) > 0 {
		rows, _, _ := p.sys.WeightOpening(p.claims.Convs, &p.challenges, p.r, proof.Weights, p.eta)
		proof.WeightRow = make([]fr.Element, p.sys.Weights.Cols)
		poly.VecMat(proof.WeightRow, rows, p.prepared.packed, p.sys.Weights.Cols)
	}
	p.options.Progress.end(StageOpen, start, &p.result.Timings.Open)
	return nil
}
