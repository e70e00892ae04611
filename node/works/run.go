package works

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/trade"
)

// letters spell the ids of jobs in names of tasks.
var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// nameOf is the id of a task in the queue: the same job and attempt have the same.
func nameOf(t *trade.Task) string {
	return fmt.Sprintf("%s-%d", strings.ToLower(letters.EncodeToString(t.Job[:])), t.Attempt)
}

// runs are the tasks that somebody waits for, and outcomes that nobody has asked for yet: after a
// restart they may come first.
type runs struct {
	mu       sync.Mutex
	waiting  map[string]*run
	outcomes map[string]early
}

type run struct {
	outcome  chan fleet.Outcome // has room for one
	progress func(stage string, done, total int)
}

type early struct {
	outcome fleet.Outcome
	at      time.Time
}

// earlyTime is how long an outcome that nobody asks for is kept.
const earlyTime = 10 * time.Minute

func newRuns() *runs { return &runs{waiting: map[string]*run{}, outcomes: map[string]early{}} }

// begin registers who waits for a task.
func (r *runs) begin(id string, progress func(string, int, int)) *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := &run{make(chan fleet.Outcome, 1), progress}
	if e, ok := r.outcomes[id]; ok {
		x.outcome <- e.outcome
		delete(r.outcomes, id)
	}
	r.waiting[id] = x
	return x
}

func (r *runs) end(id string, x *run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting[id] == x {
		delete(r.waiting, id)
	}
}

// settle hands an outcome to who waits for it, or keeps it.
func (r *runs) settle(o fleet.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x := r.waiting[o.ID]; x != nil {
		select {
		case x.outcome <- o:
		default: // it has one
		}
		return
	}
	r.outcomes[o.ID] = early{o, time.Now()}
}

// forgotten removes and lists outcomes that nobody wants.
func (r *runs) forgotten(now time.Time) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for id, e := range r.outcomes {
		if now.Sub(e.at) > earlyTime {
			delete(r.outcomes, id)
			all = append(all, id)
		}
	}
	return all
}

func (r *runs) tell(e fleet.Event) {
	r.mu.Lock()
	x := r.waiting[e.ID]
	r.mu.Unlock()
	if x != nil && x.progress != nil {
		x.progress(e.Stage, e.Done, e.Total)
	}
}

// Run implements trade.Works.
func (w *Works) Run(ctx context.Context, t *trade.Task, progress func(stage string, done, total int)) (*trade.Ran, error) {
	o := &order{
		Version: version, Kind: t.Program.Kind, Chain: w.cfg.Chain, Job: t.Job, Payee: t.Payee, Key: t.Program.Key.Hash, Prove: t.Prove, Payload: t.Payload,
	}
	id := nameOf(t)
	out, err := w.do(ctx, fleet.Task{
		ID: id, Kind: taskKind(t.Program.Kind), Program: t.Program.Content, Body: encode(o), Due: t.Due, Memory: t.Program.Memory, Device: t.Device,
	}, progress)
	if err != nil {
		return nil, err
	}
	return w.ran(&t.Program, out)
}

// taskKind is what the queue calls a kind of jobs.
func taskKind(k chain.JobKind) string {
	if k == chain.JobProve {
		return fleet.KindProve
	}
	return fleet.KindInfer
}

// do gives a task to the queue and waits for its outcome. A task whose device is gone is lost, and taken
// back. So is one that is not wanted any more; other ends of ctx leave it to the next process.
func (w *Works) do(ctx context.Context, t fleet.Task, progress func(stage string, done, total int)) (fleet.Outcome, error) {
	x := w.runs.begin(t.ID, progress)
	defer w.runs.end(t.ID, x)
	if err := w.cfg.Queue.Submit(ctx, t); err != nil {
		return fleet.Outcome{}, &trade.RunError{Code: market.CodeExecution, Text: err.Error()}
	}
	for {
		slots, changed := w.cfg.Queue.Slots()
		if t.Device != "" && !slices.ContainsFunc(slots, func(s fleet.Slot) bool { return s.Device == t.Device }) {
			return w.lost(ctx, x, t.ID)
		}
		select {
		case o := <-x.outcome:
			return o, nil
		case <-changed:
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), trade.ErrHalted) {
				w.cancel(ctx, t.ID)
			}
			return fleet.Outcome{}, ctx.Err()
		}
	}
}

// lost takes a task back whose device is gone, unless its outcome is here.
func (w *Works) lost(ctx context.Context, x *run, id string) (fleet.Outcome, error) {
	select {
	case o := <-x.outcome:
		return o, nil
	default:
	}
	w.cancel(ctx, id)
	return fleet.Outcome{ID: id, Reason: fleet.ReasonLost, Detail: "the device is gone"}, ctx.Err()
}

// cancelTime bounds how long the queue may take to take a task back.
const cancelTime = 5 * time.Second

// cancel takes a task back, whether or not ctx has ended.
func (w *Works) cancel(ctx context.Context, id string) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer stop()
	if err := w.cfg.Queue.Cancel(ctx, id); err != nil && !errors.Is(err, fleet.ErrNoTask) {
		w.cfg.Log.Warn("a task is not taken back", keyTask, id, keyError, err)
	}
}

// Done implements trade.Works.
func (w *Works) Done(t *trade.Task) { w.finish(nameOf(t)) }

// finish has the queue forget an outcome.
func (w *Works) finish(id string) {
	select {
	case w.finished <- id:
	default: // it is handed over again at the next start, and forgotten then
		w.cfg.Log.Warn("an outcome stays in the queue", keyTask, id)
	}
}

func (w *Works) ran(p *trade.Program, o fleet.Outcome) (*trade.Ran, error) {
	if o.Reason != "" {
		return nil, &trade.RunError{Code: codeOf(o.Reason), Text: o.Detail}
	}
	r, err := decodeResult(o.Body)
	if err != nil {
		return nil, &trade.RunError{Code: market.CodeExecution, Text: err.Error()}
	}
	estimate, _ := w.capacity.Estimate(p, o.Device)
	w.metrics.ran(p, o.Device, r, estimate)
	return &trade.Ran{Output: r.Output, Proof: r.Proof, Took: max(r.Took, 1), Memory: r.Memory, Device: o.Device}, nil
}

// codeOf gives reasons of workers and of the queue the codes of the market.
func codeOf(reason string) market.Code {
	switch reason {
	case fleet.ReasonExpired:
		return market.CodeDeadline
	case fleet.ReasonLost:
		return market.CodeDevice
	case fleet.ReasonStalled:
		return market.CodeHung
	case string(executor.TooLarge):
		return market.CodeMemory
	case string(executor.BadInput):
		return market.CodeBadInput
	case string(executor.Unsatisfied):
		return market.CodeWitness
	}
	return market.CodeExecution
}
