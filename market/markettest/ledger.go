package markettest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// ledger is a node without work: a validated chain, and transactions that wait.
type ledger struct {
	net    *chaintest.Network
	blocks [][]chaintest.Signed // by height - 1, without coinbases
	pool   []chaintest.Signed   // each after those that it spends
}

func newLedger(parties []string) (*ledger, error) {
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	if err != nil {
		return nil, err
	}
	var outputs []chain.Output
	for _, p := range append([]string{publisher}, parties...) {
		lock := chaintest.NewWallet(p).Lock()
		for range coins {
			outputs = append(outputs, chain.Output{Lock: lock, Value: chain.Native(coinValue)})
		}
	}
	net, _, err := chaintest.NewNetwork(v, outputs...)
	if err != nil {
		return nil, err
	}
	return &ledger{net: net}, nil
}

// after is the unspent outputs after transactions that are in no block.
type after struct {
	*chaintest.Memory
	spent map[chain.Outpoint]bool
	made  map[chain.Outpoint]chain.Output
}

func (l *ledger) after(txs []chaintest.Signed) *after {
	a := &after{l.net.Store, map[chain.Outpoint]bool{}, map[chain.Outpoint]chain.Output{}}
	for _, s := range txs {
		a.add(s)
	}
	return a
}

func (a *after) add(s chaintest.Signed) {
	for _, o := range s.Tx.Inputs {
		a.spent[o] = true
	}
	id := s.ID()
	for i := range s.Tx.Outputs {
		a.made[chain.Outpoint{Tx: id, Index: uint32(i)}] = s.Tx.Outputs[i]
	}
}

// Entry implements chain.View.
func (a *after) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	if a.spent[o] {
		return chain.Entry{}, false, nil
	}
	if out, ok := a.made[o]; ok {
		return chain.Entry{Output: out}, true, nil
	}
	return a.Memory.Entry(o)
}

var _ chain.View = (*after)(nil)

// check validates a transaction as part of the next block.
func (l *ledger) check(a *after, s chaintest.Signed) error {
	_, err := l.net.CheckTx(l.net.Env(), a, l.net.Store, s.Tx, s.Witness)
	return err
}

// known reports whether a transaction waits or is in a block.
func (l *ledger) known(id chain.Hash) bool {
	is := func(s chaintest.Signed) bool { return s.ID() == id }
	return slices.ContainsFunc(l.pool, is) ||
		slices.ContainsFunc(l.blocks, func(b []chaintest.Signed) bool { return slices.ContainsFunc(b, is) })
}

// submit takes a transaction into the mempool; one that is known is no error.
func (l *ledger) submit(s chaintest.Signed) error {
	if l.known(s.ID()) {
		return nil
	}
	if err := l.check(l.after(l.pool), s); err != nil {
		return err
	}
	l.pool = append(l.pool, s)
	return nil
}

// output returns an unspent output, also one that waits.
func (l *ledger) output(o chain.Outpoint) (chain.UTXO, bool) {
	e, found, _ := l.after(l.pool).Entry(o)
	return chain.UTXO{Outpoint: o, Entry: e}, found
}

// mine connects a block of what waits, is valid and is chosen. What is not valid any more is
// forgotten. nil chooses all.
func (l *ledger) mine(now uint64, choose func(chaintest.Signed) bool) error {
	var block, left []chaintest.Signed
	a := l.after(nil)
	for _, s := range l.pool {
		if choose != nil && !choose(s) {
			left = append(left, s)
		} else if l.check(a, s) == nil {
			a.add(s)
			block = append(block, s)
		}
	}
	if err := l.net.MineAfter(max(now, l.net.Now())-l.net.Now(), block...); err != nil {
		return err
	}
	l.blocks, l.pool = append(l.blocks, block), nil
	l.refill(left)
	return nil
}

// refill takes into the mempool what is valid of it.
func (l *ledger) refill(txs []chaintest.Signed) {
	a := l.after(l.pool)
	for _, s := range txs {
		if l.check(a, s) == nil && !l.known(s.ID()) {
			a.add(s)
			l.pool = append(l.pool, s)
		}
	}
}

// undo takes blocks off. Their transactions wait again, but for those that are dropped.
func (l *ledger) undo(blocks int, drop func(chaintest.Signed) bool) error {
	var back []chaintest.Signed
	for range blocks {
		last := len(l.blocks) - 1
		if last <= 0 {
			return errors.New("nothing to undo")
		}
		if err := l.net.Disconnect(); err != nil {
			return err
		}
		back = append(slices.Clone(l.blocks[last]), back...)
		l.blocks = l.blocks[:last]
	}
	left := slices.DeleteFunc(append(back, l.pool...), drop)
	l.pool = nil
	l.refill(left)
	return nil
}

func (l *ledger) tip() []chaintest.Signed { return l.blocks[len(l.blocks)-1] }

// view computes what the ledger shows of the escrow with just this data. One that only says to be of
// the same job is another.
func (l *ledger) view(data []byte) market.View {
	v := sight{data: data, View: market.View{Now: l.net.Now(), Height: l.net.Ledger.Height}}
	for i, b := range l.blocks {
		for _, s := range b {
			v.take(s, market.InBlock, v.Height-uint64(i))
		}
	}
	for _, s := range l.pool {
		v.take(s, market.InMempool, 0)
	}
	return v.View
}

// sight is a view in the making.
type sight struct {
	market.View
	data []byte
}

func (v *sight) take(s chaintest.Signed, place market.Place, depth uint64) {
	if v.Escrow == market.Nowhere {
		for i := range s.Tx.Outputs {
			if state, ok := s.Tx.Outputs[i].Body.(*chain.State); ok && state.Type == chain.StateEscrow && bytes.Equal(state.Data, v.data) {
				v.Output, v.Escrow, v.Depth = market.Ref{Tx: s.ID(), Index: uint32(i)}, place, depth
				return
			}
		}
		return
	}
	i := slices.Index(s.Tx.Inputs, v.Output.Outpoint())
	if i < 0 {
		return
	}
	in := s.Witness[i]
	switch {
	case len(v.Claim) == 0:
		v.Exit = market.ExitOf(in.Exit)
	case in.Exit == chain.ClaimRefute:
		v.Exit = market.ExitRefute
	default:
		v.Exit = market.ExitFinal
	}
	v.Left, v.LeftTx, v.LeftDepth = place, s.ID(), depth
	if v.Exit == market.ExitClaim || v.Exit == market.ExitInvalid {
		v.Output = market.Ref{Tx: s.ID(), Index: in.OutBase}
		v.Claim = []market.Claimed{claimIn(&s.Tx.Outputs[in.OutBase])}
	}
}

// claimIn reads the claim of an output that is valid and has one.
func claimIn(o *chain.Output) market.Claimed {
	read, err := chain.DecodeState(o.Body.(*chain.State))
	if err != nil {
		panic("BUG: a claim on the ledger does not decode")
	}
	switch c := read.(type) {
	case *chain.OptClaim:
		return market.Claimed{Output: c.Output, Final: c.Final}
	case *chain.InvalidClaim:
		return market.Claimed{Invalid: true, Final: c.Final}
	}
	panic(fmt.Sprintf("BUG: a claim of type %T", read))
}
