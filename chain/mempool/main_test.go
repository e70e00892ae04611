package mempool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// start is the local time at which tests begin, in ms since 1970.
const start = chaintest.GenesisTime + 5_000

// world is a ledger with a pool on it. One wallet owns everything.
type world struct {
	t     failer
	net   *chaintest.Network
	pool  *Pool
	owner chaintest.Wallet
	coins []chain.UTXO // of the genesis block, 1,000,000 each
	src   *rand.Rand
	now   uint64
}

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func newWorld(t failer, cfg Config, coins int) *world {
	t.Helper()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	must(t, err)
	w := &world{t: t, owner: chaintest.NewWallet("owner"), src: rand.New(rand.NewPCG(1, 1)), now: start}
	var outputs []chain.Output
	for range coins {
		outputs = append(outputs, w.output(1_000_000))
	}
	w.net, w.coins, err = chaintest.NewNetwork(v, outputs...)
	must(t, err)
	w.pool, err = New(cfg, v, w.net.Store, w.net.Store, w.net.Env())
	must(t, err)
	return w
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) output(n uint64) chain.Output {
	return chain.Output{Lock: w.owner.Lock(), Value: chain.Native(n)}
}

func (w *world) signed() chaintest.With { return chaintest.With{Data: []any{w.owner}} }

// spend drafts a transaction of coins with a fee; the rest is paid in equal outputs.
func (w *world) spend(fee uint64, outputs int, coins ...chain.UTXO) *chaintest.Draft {
	d := w.net.Draft()
	var sum uint64
	for _, c := range coins {
		d.Spend(c, w.signed())
		sum += c.Entry.Output.Value.Of(chain.TokenID{})
	}
	d.Fee = chain.Native(fee)
	for i := range uint64(outputs) {
		part := (sum - fee) / uint64(outputs)
		if i == 0 {
			part = (sum - fee) - part*uint64(outputs-1)
		}
		d.Pay(w.output(part))
	}
	return d
}

// attach adds n bytes to a draft; they are at hand.
func (w *world) attach(d *chaintest.Draft, n int) *chaintest.Draft {
	b := make([]byte, n)
	for i := range min(n, 16) {
		b[i] = byte(w.src.Uint32())
	}
	d.Attachments = append(d.Attachments, w.net.Store.Attach(chain.AttachData, b))
	return d
}

func (w *world) add(s chaintest.Signed) (Result, error) { return w.pool.Add(w.now, 0, s.Tx, s.Witness) }

// accept adds a transaction that has to be taken.
func (w *world) accept(s chaintest.Signed) Result {
	w.t.Helper()
	r, err := w.add(s)
	must(w.t, err)
	w.check()
	return r
}

// refuse adds a transaction that has to be refused for a reason.
func (w *world) refuse(s chaintest.Signed, want error) {
	w.t.Helper()
	if _, err := w.add(s); !errors.Is(err, want) {
		w.t.Fatalf("got %v, want %v", err, want)
	}
	w.check()
}

// mine connects a block of transactions and tells the pool.
func (w *world) mine(txs ...chaintest.Signed) *chain.Block {
	w.t.Helper()
	b := w.net.Block(10_000, txs...)
	_, err := w.net.Connect(b)
	must(w.t, err)
	_, err = w.pool.Reorganise(w.now, w.net.Env(), nil, []*chain.Block{b})
	must(w.t, err)
	w.check()
	return b
}

func (w *world) has(s chaintest.Signed) bool { return w.pool.Get(s.ID()) != nil }

// check compares the pool with its invariants, from definitions.
func (w *world) check() {
	w.t.Helper()
	if err := invariants(w); err != nil {
		w.t.Fatal(err)
	}
}

func invariants(w *world) error {
	p := w.pool
	spent, bytes := map[chain.Outpoint]chain.Hash{}, uint64(0)
	seen := map[chain.Hash]bool{}
	for _, e := range p.inOrder() {
		for _, o := range e.Tx.Inputs {
			if other, twice := spent[o]; twice {
				return fmt.Errorf("%v and %v spend the same output", other, e.ID)
			}
			spent[o] = e.ID
			if p.spent[o] != e {
				return fmt.Errorf("%v is not found by what it spends", e.ID)
			}
		}
		for _, o := range slices.Concat(e.Tx.Inputs, e.Tx.References) {
			_, found, err := w.net.Store.Entry(o)
			if err != nil || !found && !seen[o.Tx] {
				return fmt.Errorf("%v needs %v, which is not there", e.ID, o)
			}
			if parent := p.entries[o.Tx]; parent != nil && !slices.Contains(e.parents, parent) {
				return fmt.Errorf("%v does not know its parent", e.ID)
			}
		}
		if repeats(e.parents) || repeats(e.children) {
			return fmt.Errorf("%v has a relative twice", e.ID)
		}
		for _, parent := range e.parents {
			if p.entries[parent.ID] != parent || !slices.Contains(parent.children, e) {
				return fmt.Errorf("%v has a parent that does not know it", e.ID)
			}
		}
		for _, c := range e.children {
			if p.entries[c.ID] != c || !slices.Contains(c.parents, e) {
				return fmt.Errorf("%v has a child that does not know it", e.ID)
			}
		}
		seen[e.ID] = true
		bytes += e.bytes()
	}
	if bytes != p.bytes || len(spent) != len(p.spent) || bytes > p.cfg.MaxBytes {
		return fmt.Errorf("%d bytes, counted %d; %d outputs spent, counted %d", p.bytes, bytes, len(p.spent), len(spent))
	}
	return nil
}

func repeats(all []*Entry) bool {
	for i, e := range all {
		if slices.Contains(all[:i], e) {
			return true
		}
	}
	return false
}
