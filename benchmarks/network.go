package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/node"
)

// networkCases run whole nodes over sockets of loopback.
func networkCases(o *Options) []Case {
	n := 100_000
	if o.Quick {
		n = 200
	}
	return []Case{latencyCase(), syncCase(n)}
}

// place is a consortium of one miner, with the homes of its nodes in a folder.
type place struct {
	dir, file string
	network   *node.Network
	payer     chaintest.Wallet
	nodes     []*running
}

// genesisCoins are as many as the size of the genesis transaction lets it have, each worth one WES.
const genesisCoins = 2000

func newPlace() (*place, error) {
	dir, err := os.MkdirTemp("", "wes-bench-")
	if err != nil {
		return nil, err
	}
	p := &place{dir: dir, file: filepath.Join(dir, "network.toml"), payer: chaintest.NewWallet("payer")}
	key := p.payer.Public()
	p.network, err = node.NewConsortium("bench", chain.TestPrefix, uint64(time.Now().Add(-time.Hour).UnixMilli()), []chain.PublicKey{key},
		[]node.GenesisOutput{{Address: node.AddressOf(chain.TestPrefix, key), Amount: chain.Unit, Count: genesisCoins}})
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	text, err := p.network.Encode()
	if err == nil {
		err = os.WriteFile(p.file, text, 0o600)
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// close stops all nodes and removes their homes.
func (p *place) close() error {
	var errs []error
	for _, r := range p.nodes {
		errs = append(errs, r.stop())
	}
	return errors.Join(append(errs, os.RemoveAll(p.dir))...)
}

// running is a node that runs.
type running struct {
	*node.Node
	cancel context.CancelFunc
	ended  chan error
}

func (r *running) stop() error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	r.cancel = nil
	return <-r.ended
}

// start runs a node that knows others; the miner makes a block a second while there are
// transactions.
func (p *place) start(ctx context.Context, name string, mine bool, peers ...*running) (*running, error) {
	c := node.DefaultConfig()
	c.Home, c.Network, c.API = filepath.Join(p.dir, name), p.file, ""
	c.Listen = []string{"/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"}
	c.MDNS, c.NAT, c.DHT = false, false, "off"
	for _, other := range peers {
		c.Peers = append(c.Peers, other.Addresses()...)
	}
	o := node.Options{Version: "bench", Registry: prometheus.NewRegistry()}
	if mine {
		c.Mine, c.MinerKey, c.Threads = true, "payer", 1
		o.Key = func(context.Context, string) (node.Signer, error) { return p.payer, nil }
	}
	n, err := node.Open(ctx, c, o)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", name, err)
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &running{n, cancel, make(chan error, 1)}
	go func() { r.ended <- errors.Join(n.Run(life), n.Close()) }()
	p.nodes = append(p.nodes, r)
	return r, nil
}

// wait polls a condition until it holds.
func wait(ctx context.Context, ok func() bool) error {
	t := time.NewTicker(time.Millisecond)
	defer t.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
	return nil
}

// waitTime is how long anything here may take before the case has failed.
const waitTime = 10 * time.Minute

// payment spends a coin of the payer, to as many outputs.
func (p *place) payment(coin chain.UTXO, outputs int, amount, fee uint64) chaintest.Signed {
	d := &chaintest.Draft{}
	d.Chain, d.Fee = p.network.Chain(), chain.Native(fee)
	with := chaintest.With{Data: []any{p.payer}}
	if _, hidden := coin.Entry.Output.Lock.(chain.Address); hidden {
		with.Data = []any{chain.EncodeLock(p.payer.Lock()), p.payer}
	}
	d.Spend(coin, with)
	for range outputs {
		d.Pay(chain.Output{Lock: p.payer.Lock(), Value: chain.Native(amount)})
	}
	return d.Sign()
}

// coin is an output of the genesis block.
func (p *place) coin(i int) (chain.UTXO, error) {
	b, err := p.network.Genesis()
	if err != nil {
		return chain.UTXO{}, err
	}
	o := chain.Outpoint{Tx: b.Txs[0].ID(), Index: uint32(i)}
	return chain.UTXO{Outpoint: o, Entry: chain.Entry{Output: b.Txs[0].Outputs[i]}}, nil
}

// latencyCase is the time from the submission of a transaction at one of three nodes, in a row,
// to a block with it on all three.
func latencyCase() Case {
	r := report.Result{
		Case: "submit to block", Title: "3 nodes, submission to a block on all", Series: "latency", Engine: "cpu",
		Parameters: map[string]int64{report.Transactions: 1},
	}
	return Case{result: r, goals: map[string]float64{perTransaction: 1.5}, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		r.Input = newDigest().bytes([]byte(r.Case)).String()
		p, err := newPlace()
		if err != nil {
			return nil, err
		}
		nodes, err := p.row(ctx)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		l := &latency{place: p, nodes: nodes}
		if _, err := l.submit(ctx); err != nil {
			return nil, errors.Join(err, p.close())
		}
		return &trial{run: l.run, close: p.close}, nil
	}}
}

// row starts three nodes, each connected to the one before.
func (p *place) row(ctx context.Context) ([]*running, error) {
	var all []*running
	for i, name := range []string{"a", "b", "c"} {
		n, err := p.start(ctx, name, i == 0, all[max(0, i-1):]...)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, wait(ctx, func() bool {
		return all[0].Status().Peers == 1 && all[1].Status().Peers == 2 && all[2].Status().Peers == 1
	})
}

type latency struct {
	*place
	nodes []*running
	next  int
}

// latencySubmits is how many submissions a run takes the mean of.
const latencySubmits = 5

func (l *latency) run(ctx context.Context, _ int) ([]report.Reading, error) {
	var sum float64
	for range latencySubmits {
		s, err := l.submit(ctx)
		if err != nil {
			return nil, err
		}
		sum += s
	}
	return []report.Reading{{Metric: perTransaction, Unit: report.Seconds, Value: sum / latencySubmits}}, nil
}

// submit returns the seconds until all nodes have a transaction in a block.
func (l *latency) submit(ctx context.Context) (float64, error) {
	ctx, stop := context.WithTimeout(ctx, waitTime)
	defer stop()
	coin, err := l.coin(l.next)
	if err != nil {
		return 0, err
	}
	l.next++
	tx := l.payment(coin, 1, chain.Unit-10_000, 10_000)
	done := make(chan error, len(l.nodes))
	for _, n := range l.nodes {
		notices, end := n.Subscribe()
		go func() {
			defer end()
			done <- applied(ctx, notices, tx.ID())
		}()
	}
	start := time.Now()
	if err := l.nodes[2].Submit(ctx, tx.Tx, tx.Witness); err != nil {
		return 0, err
	}
	for range l.nodes {
		err = errors.Join(err, <-done)
	}
	return time.Since(start).Seconds(), err
}

// applied waits for a block with a transaction.
func applied(ctx context.Context, notices <-chan node.Notice, id chain.Hash) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case n, open := <-notices:
			if !open {
				return errors.New("too slow for the notices of a node")
			}
			for _, b := range n.Applied {
				for _, t := range b.Txs {
					if t.ID() == id {
						return nil
					}
				}
			}
		}
	}
}
