package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// ed25519Batch is the baseline of the suite ledger: the signatures of the same block, verified
// in batches on all cores, and nothing else.
const ed25519Batch = "Ed25519 batches"

// perTransaction is the metric of blocks of simple transactions: seconds a transaction.
const perTransaction = "time"

// simpleBlock is the number of transactions of a block that is measured, each of one input
// and two outputs.
func simpleBlock(quick bool) int {
	if quick {
		return 64
	}
	return 4000
}

func ledgerCases(o *Options) []Case {
	n := simpleBlock(o.Quick)
	return []Case{
		connectCase(n, "memory store", 25_000, openMemory), connectCase(n, "on disk", 10_000, openStore),
		settlementCase(o, "digits_mlp"), settlementCase(o, "lenet5_28"),
	}
}

// connectCase validates and connects a block of n simple transactions; rate is the goal, in
// transactions a second.
func connectCase(n int, where string, rate float64, open func(*simpleLedger) (ledgerStore, error)) Case {
	r := report.Result{
		Case: "connect, " + where, Title: "validate and connect, " + where, Series: "connect", Engine: "cpu",
		Parameters: map[string]int64{report.Transactions: int64(n)},
	}
	return Case{result: r, goals: map[string]float64{perTransaction: 1 / rate}, open: func(_ context.Context, r *report.Result) (*trial, error) {
		l, err := newSimpleLedger(n)
		if err != nil {
			return nil, err
		}
		r.Input = newDigest().bytes(l.block.Encode()).String()
		s, err := open(l)
		if err != nil {
			return nil, err
		}
		return &trial{run: (&connecting{l, s}).run, close: s.close}, nil
	}}
}

// ledgerStore keeps the ledger that blocks are connected to.
type ledgerStore struct {
	view       chain.View
	connect    func(*chain.Block, *chain.Applied) error
	disconnect func() error
	close      func() error
}

// simpleLedger is a network of one node, and a valid next block on it.
type simpleLedger struct {
	*chaintest.Network
	before     []*chain.Block // between genesis and block
	genesis    *chain.Block
	block      *chain.Block
	signatures []signature
}

const simpleFan = 1000 // outputs of the transactions that prepare the block

// newSimpleLedger spends one coin of the genesis block into n, and each of these in a
// transaction of the block.
func newSimpleLedger(n int) (*simpleLedger, error) {
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, runtime.NumCPU())
	if err != nil {
		return nil, err
	}
	payer := chaintest.NewWallet("payer")
	pay := func(amount int) chain.Output {
		return chain.Output{Lock: payer.Lock(), Value: chain.Native(uint64(amount))}
	}
	spend := func(d *chaintest.Draft, u chain.UTXO) *chaintest.Draft {
		return d.Spend(u, chaintest.With{Data: []any{payer}})
	}
	network, coins, err := chaintest.NewNetwork(v, pay(1000*n))
	if err != nil {
		return nil, err
	}
	l := &simpleLedger{Network: network, genesis: network.First}
	d := spend(l.Draft(), coins[0])
	for left := n; left > 0; left -= simpleFan {
		d.Pay(pay(1000 * min(left, simpleFan)))
	}
	fan := d.Sign()
	if err := l.prepare(fan); err != nil {
		return nil, err
	}
	var txs []chaintest.Signed
	for i := range fan.Tx.Outputs {
		d := spend(l.Draft(), fan.Out(i))
		k := min(n-i*simpleFan, simpleFan)
		for range k {
			d.Pay(pay(1000))
		}
		split := d.Sign()
		if err := l.prepare(split); err != nil {
			return nil, err
		}
		for j := range k {
			txs = append(txs, spend(l.Draft(), split.Out(j)).Pay(pay(400), pay(600)).Sign())
		}
	}
	l.block, l.signatures = l.Block(1000, txs...), signaturesOf(l.Ledger.Chain, payer, txs)
	return l, nil
}

// prepare mines a block of one transaction.
func (l *simpleLedger) prepare(tx chaintest.Signed) error {
	b := l.Block(1000, tx)
	l.before = append(l.before, b)
	_, err := l.Connect(b)
	return err
}

func openMemory(l *simpleLedger) (ledgerStore, error) {
	var undo *chain.Undo
	return ledgerStore{
		view:    l.Store,
		connect: func(_ *chain.Block, a *chain.Applied) error { undo = &a.Undo; return l.Store.Write(&a.Changes) },
		disconnect: func() error {
			_, c := chain.Undone(undo)
			return l.Store.Write(c)
		},
		close: func() error { return nil },
	}, nil
}

// connecting connects the block and undoes it, run after run.
type connecting struct {
	ledger *simpleLedger
	store  ledgerStore
}

func (c *connecting) run(ctx context.Context, i int) ([]report.Reading, error) {
	n := float64(len(c.ledger.signatures))
	r := report.Reading{Metric: perTransaction, Unit: report.Seconds, Against: ed25519Batch}
	turns := []func() error{
		func() error {
			start := time.Now()
			a, err := c.ledger.Apply(&c.ledger.Ledger, c.store.view, c.ledger.block, c.ledger.Store)
			if err == nil {
				err = c.store.connect(c.ledger.block, a)
			}
			r.Value = time.Since(start).Seconds() / n
			if err != nil {
				return fmt.Errorf("connect: %w", err)
			}
			return c.store.disconnect()
		},
		func() error {
			start := time.Now()
			if !verifyBatches(c.ledger.signatures, runtime.NumCPU()) {
				return errors.New("the signatures of the block do not verify")
			}
			r.Baseline = time.Since(start).Seconds() / n
			return nil
		},
	}
	for k := range turns {
		if err := turns[(k+i)%2](); err != nil {
			return nil, err
		}
	}
	return []report.Reading{r}, ctx.Err()
}
