package trade

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/node/wallet"
)

// testLedger is a validated chain with a mempool. Blocks are made on demand.
type testLedger struct {
	mu     sync.Mutex
	net    *chaintest.Network
	blocks [][]chaintest.Signed // by height - 1
	pool   []chaintest.Signed
	ears   []chan Change
}

var _ Ledger = (*testLedger)(nil)

const (
	coins     = 20
	coinValue = 5_000_000
	feeRate   = 1000
)

// newTestLedger pays coins to the parties and announces a program, whose reference it returns.
func newTestLedger(parties ...string) (*testLedger, chain.Outpoint, chain.VerifyingKey, error) {
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	if err != nil {
		return nil, chain.Outpoint{}, chain.VerifyingKey{}, err
	}
	var outputs []chain.Output
	for _, name := range append([]string{"publisher"}, parties...) {
		for range coins {
			outputs = append(outputs, chain.Output{Lock: chaintest.NewWallet(name).Lock(), Value: chain.Native(coinValue)})
		}
	}
	net, utxos, err := chaintest.NewNetwork(v, outputs...)
	if err != nil {
		return nil, chain.Outpoint{}, chain.VerifyingKey{}, err
	}
	l := &testLedger{net: net}
	raw, key := chaintest.Key(10, 1)
	owner := chaintest.NewWallet("publisher")
	r := &chain.Resource{CID: []byte("model"), Kind: chain.ResourceModel, Size: 1, Name: "model", Owner: owner.Lock(), Key: &key}
	d := net.Draft().Spend(utxos[0], chaintest.With{Data: []any{owner}}).Pay(
		chain.Output{Lock: owner.Lock(), Body: r}, chain.Output{Lock: owner.Lock(), Value: utxos[0].Entry.Output.Value},
	)
	d.Attachments = []chain.Attachment{net.Store.Attach(chain.AttachKey, raw)}
	s := d.Sign()
	l.pool = append(l.pool, s)
	return l, chain.Outpoint{Tx: s.ID()}, key, l.mine(1000)
}

// mine makes a block of all that waits, some ms after the one before.
func (l *testLedger) mine(after uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	block := l.pool
	if err := l.net.MineAfter(after, block...); err != nil {
		return err
	}
	l.blocks, l.pool = append(l.blocks, block), nil
	l.tell(Change{Moved: true})
	return nil
}

func (l *testLedger) tell(c Change) {
	for _, e := range l.ears {
		e <- c // has room
	}
}

// transactions counts those of blocks, from a height on.
func (l *testLedger) transactions(from int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.blocks[from:] {
		n += len(b)
	}
	return n
}

func (l *testLedger) balance(lock chain.Lock) (sum uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.net.Store.Unspent {
		if e.Output.Body == nil && chain.LockHash(e.Output.Lock) == chain.LockHash(lock) {
			sum += e.Output.Value.Of(chain.TokenID{})
		}
	}
	return sum
}

func (l *testLedger) Env(context.Context) (wallet.Env, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return wallet.Env{Env: l.net.Env(), FeeRate: feeRate}, nil
}

func (l *testLedger) Unspent(_ context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for o, e := range l.net.Store.Unspent {
		if chain.LockHash(e.Output.Lock) == lock && !visit(chain.UTXO{Outpoint: o, Entry: e}) {
			return nil
		}
	}
	return nil
}

func (l *testLedger) Output(_ context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, found := l.net.Store.Unspent[o]
	return chain.UTXO{Outpoint: o, Entry: e}, found, nil
}

func (l *testLedger) Tip() Tip {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tip()
}

func (l *testLedger) tip() Tip { return Tip{Height: l.net.Ledger.Height, Time: l.net.Now()} }

func (l *testLedger) Touches(_ context.Context, job chain.Hash) (Tip, []Touch, error) {
	return l.history(func(o *chain.Output) bool {
		e, ok := escrowIn(o)
		return ok && e.Job == job
	})
}

func (l *testLedger) Held(_ context.Context, lock chain.Hash) (Tip, []Touch, error) {
	return l.history(func(o *chain.Output) bool { return chain.LockHash(o.Lock) == lock })
}

// history lists the transactions that make or spend outputs of interest.
func (l *testLedger) history(of func(*chain.Output) bool) (Tip, []Touch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []Touch
	made := map[chain.Outpoint]bool{}
	for i, b := range l.blocks {
		for _, s := range b {
			touches := slices.ContainsFunc(s.Tx.Inputs, func(o chain.Outpoint) bool { return made[o] })
			for j := range s.Tx.Outputs {
				if of(&s.Tx.Outputs[j]) {
					made[chain.Outpoint{Tx: s.ID(), Index: uint32(j)}], touches = true, true
				}
			}
			if touches {
				all = append(all, Touch{Height: uint64(i) + 1, Tx: s.Tx, Witness: s.Witness})
			}
		}
	}
	return l.tip(), all, nil
}

func (l *testLedger) Pending(_ context.Context, id chain.Hash) (*chain.Tx, chain.Witness, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.pool {
		if s.ID() == id {
			return s.Tx, s.Witness, true, nil
		}
	}
	return nil, nil, false, nil
}

// afterPool is the unspent outputs after the mempool.
type afterPool struct {
	*chaintest.Memory
	pool []chaintest.Signed
}

func (a *afterPool) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	for _, s := range a.pool {
		if slices.Contains(s.Tx.Inputs, o) {
			return chain.Entry{}, false, nil
		}
	}
	for _, s := range a.pool {
		if s.ID() == o.Tx && int(o.Index) < len(s.Tx.Outputs) {
			return chain.Entry{Output: s.Tx.Outputs[o.Index]}, true, nil
		}
	}
	return a.Memory.Entry(o)
}

var errSpent = errors.New("it is in a block already")

func (l *testLedger) Submit(_ context.Context, t *chain.Tx, w chain.Witness, attachments [][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.pool {
		if s.ID() == t.ID() {
			return nil
		}
	}
	for i, a := range t.Attachments {
		l.net.Store.Attach(a.Kind, attachments[i])
	}
	if _, err := l.net.CheckTx(l.net.Env(), &afterPool{l.net.Store, l.pool}, l.net.Store, t, w); err != nil {
		return errors.Join(errSpent, err)
	}
	l.pool = append(l.pool, chaintest.Signed{Tx: t, Witness: w})
	l.tell(Change{Entered: t})
	return nil
}

func (l *testLedger) Key(_ context.Context, h chain.Hash) ([]byte, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.net.Store.VerifyingKey(h)
}

func (l *testLedger) Changes() (<-chan Change, func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan Change, 1<<12)
	l.ears = append(l.ears, c)
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ears = slices.DeleteFunc(l.ears, func(e chan Change) bool { return e == c })
	}
}
