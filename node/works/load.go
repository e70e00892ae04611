package works

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/proofs"
)

// scanEvery is how long a change of the ledger or of what is here may stay unnoticed.
const scanEvery = 2 * time.Second

// scanPause is the least time between two scans.
const scanPause = time.Second

// load offers programs until ctx ends, one after the other: proving is what a machine does one of at a
// time.
func (w *Works) load(ctx context.Context) error {
	every := time.NewTicker(scanEvery)
	defer every.Stop()
	var scanned time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case ref := <-w.wanted:
			w.consider(ctx, ref)
			continue
		case <-w.rescan:
		case <-w.moves(scanned):
		case <-every.C:
		}
		scanned = time.Now()
		if err := w.scan(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("look for programs: %w", err)
		}
	}
}

// moves is closed at the next block, or never if the last scan was a moment ago: the next tick comes.
func (w *Works) moves(scanned time.Time) <-chan struct{} {
	if time.Since(scanned) < scanPause {
		return nil
	}
	return w.cfg.Source.Moves()
}

// scan offers what is to be offered of the ledger, and withdraws what is not announced any more.
func (w *Works) scan(ctx context.Context) error {
	contents := w.serve().Contents
	if w.serve().Any {
		contents = w.cfg.Source.Kept()
	}
	for _, c := range contents {
		all, err := w.cfg.Source.Announced(ctx, c)
		if err != nil {
			return err
		}
		for _, u := range all {
			if r, ok := u.Entry.Output.Body.(*chain.Resource); ok && proved(r.Kind) {
				w.consider(ctx, market.RefOf(u.Outpoint))
			}
		}
	}
	return w.withdraw(ctx)
}

// proved reports whether jobs can be about a kind of resources.
func proved(k chain.ResourceKind) bool {
	return k == chain.ResourceModel || k == chain.ResourceGroth16 || k == chain.ResourcePlonk
}

// withdraw takes back offers of what is not announced or served any more.
func (w *Works) withdraw(ctx context.Context) error {
	for _, p := range w.Programs() {
		_, found, err := w.cfg.Source.Output(ctx, p.Ref.Outpoint())
		if err != nil {
			return err
		}
		if found && w.serves(p.Content) {
			continue
		}
		w.cfg.Log.Info("a program is withdrawn", keyProgram, p.Ref)
		w.change(func(all map[market.Ref]*program) { delete(all, p.Ref) })
		w.metrics.withdrawn(&p)
	}
	return nil
}

func (w *Works) serves(cid string) bool {
	s := w.serve()
	return s.Any || slices.Contains(s.Contents, cid)
}

// consider offers a program, or measures it on the classes of devices that are new. Without a device
// nothing is fetched: it is looked at again when one comes.
func (w *Works) consider(ctx context.Context, ref market.Ref) {
	w.mu.Lock()
	p := w.mu.programs[ref]
	early := p != nil && time.Now().Before(p.until)
	w.mu.Unlock()
	if slots, _ := w.cfg.Queue.Slots(); early || len(slots) == 0 {
		return
	}
	var err error
	if p == nil || p.why != "" {
		p, err = w.fetch(ctx, ref)
	}
	if err == nil {
		err = w.measure(ctx, ref, p)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errNoDevice) {
		w.refuse(ref, err)
	}
}

// idle is how long a program that nobody has asked for may make room for another.
const idle = 10 * time.Minute

// room makes room for another program.
func (w *Works) room() error {
	full := false
	w.change(func(all map[market.Ref]*program) {
		offered := 0
		var oldest market.Ref
		for ref, p := range all {
			if p.why != "" {
				if time.Since(p.until) > idle {
					delete(all, ref)
				}
				continue
			}
			if offered++; all[oldest] == nil || p.used.Before(all[oldest].used) {
				oldest = ref
			}
		}
		if offered < w.cfg.Programs {
			return
		}
		if full = time.Since(all[oldest].used) < idle; !full {
			delete(all, oldest)
		}
	})
	if full {
		return fmt.Errorf("%d programs are offered, and all are in use", w.cfg.Programs)
	}
	return nil
}

// measure proves a model once on every class of devices that it fits and was not measured on, or makes
// a circuit ready there, and offers it.
func (w *Works) measure(ctx context.Context, ref market.Ref, p *program) error {
	slots, _ := w.cfg.Queue.Slots()
	classes, weight, fits := slices.Clone(p.classes), p.weight, false
	for _, s := range slots {
		if s.Memory < p.offer.Memory {
			continue
		}
		if fits = true; slices.Contains(classes, s.Class) {
			continue
		}
		r, err := w.sample(ctx, p, s.Device)
		if err != nil {
			return fmt.Errorf("prove a sample on %s: %w", s.Device, err)
		}
		w.capacity.Observe(&p.offer, s.Class, max(r.Took, 1)*1_000_000)
		weight = p.settling(r)
		classes = append(classes, s.Class)
	}
	switch {
	case p.offered() && len(classes) == len(p.classes):
		return nil // there is nothing new to run it on
	case len(slots) == 0:
		return errNoDevice
	case !fits:
		return fmt.Errorf("a proof takes about %d MiB, and no device has them", p.offer.Memory>>20)
	}
	w.change(func(all map[market.Ref]*program) {
		all[ref] = &program{offer: p.offer, info: p.info, classes: classes, weight: weight, used: time.Now()}
	})
	w.cfg.Log.Info("a program is offered", keyProgram, ref, "name", p.offer.Name, "content", p.offer.Content)
	return nil
}

// settling is the weight of a transaction that settles by proof, for a run like a sample.
func (p *program) settling(sample *result) uint64 {
	if p.offer.Kind == chain.JobProve {
		return proofWeight(p.offer.Key, p.info.Public(), 0, p.info.Proof)
	}
	return proofWeight(p.offer.Key, len(p.info.Sample()), len(sample.Output), len(sample.Proof))
}

// errNoDevice is returned while no worker is there.
var errNoDevice = errors.New("there is no device yet")

// sampleTime bounds the proof of a sample, in the queue and on a device.
const sampleTime = time.Hour

// sample proves a model for nobody. There is no witness of a circuit to do the same: how long it takes
// is estimated on the device.
func (w *Works) sample(ctx context.Context, p *program, device string) (*result, error) {
	var random [16]byte
	rand.Read(random[:])
	o := &order{Version: version, Kind: p.offer.Kind, Chain: w.cfg.Chain, Key: p.offer.Key.Hash, Prove: true}
	if p.offer.Kind == chain.JobInfer {
		o.Payload = p.info.Sample()
	}
	id := "sample-" + strings.ToLower(letters.EncodeToString(random[:]))
	out, err := w.do(ctx, fleet.Task{
		ID: id, Kind: taskKind(p.offer.Kind), Program: p.offer.Content, Body: encode(o), Due: uint64(time.Now().Add(sampleTime).UnixMilli()),
		Memory: p.offer.Memory, Device: device,
	}, nil)
	if err != nil {
		w.cancel(ctx, id) // nobody asks for it again
		return nil, err
	}
	w.finish(id)
	if out.Reason != "" {
		return nil, fmt.Errorf("%s: %s", out.Reason, out.Detail)
	}
	r, err := decodeResult(out.Body)
	if err == nil {
		_, err = proofs.DecodeOutput(r.Output)
	}
	return r, err
}
