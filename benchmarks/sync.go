package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/chain"
)

// syncCase lets a new node fetch, validate and connect a chain of n simple transactions from
// another, everything durable.
func syncCase(n int) Case {
	r := report.Result{
		Case: "cold sync", Title: "cold sync from one peer", Series: "sync", Engine: "cpu",
		Parameters: map[string]int64{report.Transactions: int64(n)},
	}
	return Case{result: r, goals: map[string]float64{perTransaction: 1.0 / 8000}, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		r.Input = newDigest().bytes([]byte(fmt.Sprint(r.Case, n))).String()
		p, err := newPlace()
		if err != nil {
			return nil, err
		}
		miner, err := p.start(ctx, "miner", true)
		if err == nil {
			err = p.fill(ctx, miner, n)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("make the chain: %w", err), p.close())
		}
		s := &syncing{p, miner, n}
		return &trial{run: s.run, close: p.close}, nil
	}}
}

// fanOut is how many coins one transaction makes: as many as its size lets it.
const fanOut = 2000

// coinValue is what each of them is worth: base units; the transaction that spends it pays almost all as fee.
const coinValue = 40_000

// fill makes a chain of n transactions that each spend a coin of their own.
func (p *place) fill(ctx context.Context, miner *running, n int) error {
	ctx, stop := context.WithTimeout(ctx, waitTime)
	defer stop()
	for done := 0; done < n; {
		part := min(n-done, fanOut)
		coin, err := p.coin(done / fanOut)
		if err != nil {
			return err
		}
		fan := p.payment(coin, part, coinValue, chain.Unit-uint64(part)*coinValue)
		if err := miner.Submit(ctx, fan.Tx, fan.Witness); err != nil {
			return err
		}
		if err := p.drained(ctx, miner); err != nil {
			return err
		}
		for i := range part {
			tx := p.payment(fan.Out(i), 2, 1000, coinValue-2000)
			if err := miner.Submit(ctx, tx.Tx, tx.Witness); err != nil {
				return err
			}
		}
		done += part
	}
	return p.drained(ctx, miner)
}

// drained waits until nothing waits for a block.
func (p *place) drained(ctx context.Context, n *running) error {
	return wait(ctx, func() bool { return n.Status().Mempool.Transactions == 0 })
}

// syncing starts one new node after the other.
type syncing struct {
	*place
	miner *running
	n     int
}

func (s *syncing) run(ctx context.Context, i int) ([]report.Reading, error) {
	ctx, stop := context.WithTimeout(ctx, waitTime)
	defer stop()
	goal := s.miner.Status().Chain.Height
	start := time.Now()
	fresh, err := s.start(ctx, fmt.Sprint("fresh ", i), false, s.miner)
	if err != nil {
		return nil, err
	}
	if err := wait(ctx, func() bool { return fresh.Status().Chain.Height >= goal }); err != nil {
		return nil, err
	}
	took := time.Since(start).Seconds()
	return []report.Reading{{Metric: perTransaction, Unit: report.Seconds, Value: took / float64(s.n)}}, fresh.stop()
}
