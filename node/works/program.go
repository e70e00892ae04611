package works

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/trade"
)

// program is something that was asked for, or is to be offered.
type program struct {
	offer    trade.Program
	info     *executor.Info // nil of one that is refused
	classes  []string       // of devices that it was proved on
	weight   uint64         // of a transaction that settles by proof
	used     time.Time
	why      string // it is refused
	until    time.Time
	retrying time.Duration
}

func (p *program) offered() bool { return len(p.classes) > 0 }

// Program implements trade.Works.
func (w *Works) Program(ref market.Ref) (trade.Program, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.mu.programs[ref]
	if p == nil || !p.offered() {
		return trade.Program{}, false
	}
	p.used = time.Now()
	return w.priced(p), true
}

// priced is a program with what settling by proof costs now.
func (w *Works) priced(p *program) trade.Program {
	offer := p.offer
	offer.ProveFee = fee(w.cfg.Source.FeeRate(), p.weight)
	return offer
}

// Programs implements trade.Works.
func (w *Works) Programs() []trade.Program {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []trade.Program
	for _, p := range w.mu.programs {
		if p.offered() {
			all = append(all, w.priced(p))
		}
	}
	slices.SortFunc(all, func(a, b trade.Program) int { return a.Ref.Compare(b.Ref) })
	return all
}

// Await implements trade.Works.
func (w *Works) Await(ctx context.Context, ref market.Ref) (trade.Program, error) {
	for {
		w.mu.Lock()
		changed := w.mu.changed
		w.mu.Unlock()
		if p, ok := w.Program(ref); ok {
			return p, nil
		}
		w.Want(ref)
		select {
		case <-changed:
		case <-ctx.Done():
			return trade.Program{}, ctx.Err()
		}
	}
}

// Want implements trade.Works.
func (w *Works) Want(ref market.Ref) {
	if !w.wants(ref) {
		return
	}
	select {
	case w.wanted <- ref:
	default: // whoever wants it asks again
	}
}

// wants reports whether it may be of use to look at a program now.
func (w *Works) wants(ref market.Ref) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.mu.programs[ref]
	return p == nil || p.why != "" && time.Now().After(p.until)
}

// Check implements trade.Works.
func (w *Works) Check(_ context.Context, p *trade.Program, payload []byte) ([]byte, *market.Refusal) {
	w.mu.Lock()
	own := w.mu.programs[p.Ref]
	w.mu.Unlock()
	if own == nil || own.info == nil {
		return nil, &market.Refusal{Code: market.CodeUnknownProgram}
	}
	input, err := own.info.Input(payload)
	if err != nil {
		return nil, &market.Refusal{Code: market.CodeBadInput, Text: clip(err.Error())}
	}
	return input, nil
}

// clip bounds a text for a message, in bytes.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 200)], "") }

// Serves replaces what is offered. What is not served any more is withdrawn; jobs that have begun go on.
func (w *Works) Serves(s Serve) {
	w.mu.Lock()
	w.mu.serve = s
	w.mu.Unlock()
	w.Rescan()
}

// Any reports whether everything is served.
func (w *Works) Any() bool { return w.serve().Any }

// Rescan looks at the ledger and at what is here as soon as it can.
func (w *Works) Rescan() {
	select {
	case w.rescan <- struct{}{}:
	default:
	}
}

func (w *Works) serve() Serve {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.serve
}

// change changes the programs and wakes who waits for one.
func (w *Works) change(f func(all map[market.Ref]*program)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w.mu.programs)
	close(w.mu.changed)
	w.mu.changed = make(chan struct{})
}

// baseBytes bounds a transaction that settles by proof, attachments aside.
const baseBytes = 2048

// proofWeight bounds the weight of a transaction that settles by proof. Sizes are in bytes.
func proofWeight(key chain.VerifyingKey, input, output, proof int) uint64 {
	attached := uint64(input + output + proof)
	return chain.Weight(baseBytes, attached, key.Cost+attached/256+baseBytes)
}

func fee(rate, weight uint64) uint64 {
	const most = 1 << 40 // of a rate or weight that is worth a job
	return min(rate, most)*min(weight, most>>20)/1000 + 1
}

// refuse notes that a program is not offered or, if it is, not on other classes of devices, and for how
// long nobody looks at it again.
func (w *Works) refuse(ref market.Ref, why error) {
	w.cfg.Log.Info("a program is not offered, or not on another class of devices", keyProgram, ref, "reason", why)
	w.change(func(all map[market.Ref]*program) {
		p := &program{why: why.Error(), retrying: firstRefusal}
		if old := all[ref]; old != nil {
			retrying := min(2*old.retrying+firstRefusal, lastRefusal)
			if old.offered() {
				*p, p.why = *old, ""
			}
			p.retrying = retrying
		}
		p.until = time.Now().Add(p.retrying)
		all[ref] = p
		forgetRefused(all)
	})
}

// maxRefused bounds the refusals that are remembered: anybody can ask for anything.
const maxRefused = 1024

// forgetRefused drops the refusal that ends first, where there are too many.
func forgetRefused(all map[market.Ref]*program) {
	var first market.Ref
	n := 0
	for ref, p := range all {
		if p.why == "" {
			continue
		}
		if n++; all[first] == nil || p.until.Before(all[first].until) {
			first = ref
		}
	}
	if n > maxRefused {
		delete(all, first)
	}
}

// reconsider has what was refused looked at again at once: there is another device.
func (w *Works) reconsider() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.mu.programs {
		p.until = time.Time{}
	}
}

// A program that was refused is looked at again after a time that doubles.
const (
	firstRefusal = 5 * time.Second
	lastRefusal  = time.Hour
)

// Changed is closed when another program is offered, refused or withdrawn.
func (w *Works) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.changed
}

// Refused says why a program is not offered; empty if nobody has looked at it.
func (w *Works) Refused(ref market.Ref) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.mu.programs[ref]; p != nil {
		return p.why
	}
	return ""
}

// errServe marks programs that this operator's settings leave out.
var errServe = fmt.Errorf("the setting serve leaves it out")
