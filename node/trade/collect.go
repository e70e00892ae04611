package trade

import (
	"context"
	"fmt"
	"time"

	"github.com/weisyn/wes/market"
)

const (
	// collectWait is how long an operator may keep a request for news.
	collectWait = 20 * time.Second
	// Between failed requests there is a pause, which doubles.
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// collectBurst is how many answers may come one at once after another. Later ones are at least
// firstPause apart: an operator does not decide how busy its client is.
const collectBurst = 32

// collect asks for news until ctx ends or the result is here.
func (d *Desk) collect(ctx context.Context, e market.CollectFrom) {
	var seen uint64
	pause := firstPause
	for i := 0; ctx.Err() == nil; i++ {
		n, err := d.collectOnce(ctx, e, seen)
		if err != nil {
			d.log.Debug("no news of a job", keyJob, e.Job, keyPeer, e.To.Peer, keyError, err)
			sleep(ctx, pause)
			pause = min(2*pause, lastPause)
			continue
		}
		if pause = firstPause; len(n.Result) > 0 {
			d.receive(ctx, n)
			return
		}
		seen = n.Version
		d.post(ctx, event{buyer: market.Progressed{
			Job: e.Job, Execution: n.Execution, Code: n.Code, Stage: n.Stage, Done: n.Done, Total: n.Total, Device: n.Device,
		}})
		if i >= collectBurst {
			sleep(ctx, firstPause)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (d *Desk) collectOnce(ctx context.Context, e market.CollectFrom, seen uint64) (*market.Delivery, error) {
	ctx, stop := context.WithTimeout(ctx, 2*collectWait)
	defer stop()
	q := market.Collect{Job: e.Job, Seen: seen, Reveal: e.Reveal}
	raw, err := d.cfg.Peers.Ask(ctx, e.To, CollectProtocol, q.Encode(), market.MaxDelivery)
	if err != nil {
		return nil, err
	}
	n, err := market.DecodeDelivery(raw)
	switch {
	case err != nil:
	case n.Job != e.Job:
		err = fmt.Errorf("%w: news of another job", market.ErrMessage)
	case len(n.Result) > 0 && n.Revealed != e.Reveal:
		err = fmt.Errorf("%w: a result with its output or without, as was not asked for", market.ErrMessage)
	}
	return n, err
}

// receive stores a result and reports it.
func (d *Desk) receive(ctx context.Context, n *market.Delivery) {
	e := market.Delivered{Job: n.Job, Result: n.Result, Signature: n.Signature, Revealed: n.Revealed}
	if n.Revealed {
		var err error
		if e.Output, err = d.blobs.put(n.Output); err == nil && len(n.Proof) > 0 {
			e.Proof, err = d.blobs.put(n.Proof)
		}
		if err != nil {
			d.running.fail(err)
			return
		}
	}
	d.post(ctx, event{buyer: e})
}
