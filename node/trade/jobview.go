package trade

import (
	"bytes"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// Touch is a transaction that concerns a job.
type Touch struct {
	Height  uint64 // of its block; 0: it waits in the mempool
	Tx      *chain.Tx
	Witness chain.Witness
}

// Tip is where a ledger stands.
type Tip struct {
	Height uint64
	Time   uint64 // ms since 1970
}

// viewOf computes what a ledger shows of a job, whose agreed escrow has this data, from the transactions
// that concern it. Another escrow of the same job is none: anybody can make one. all are those of blocks
// in their order, then those that wait.
func viewOf(agreed []byte, tip Tip, all []Touch) market.View {
	v := market.View{Now: tip.Time, Height: tip.Height}
	for i := range all {
		t := &all[i]
		if v.Escrow != market.Nowhere {
			v = spent(v, t)
			continue
		}
		if index, ok := holdsEscrow(t.Tx, agreed); ok {
			v.Output = market.Ref{Tx: t.Tx.ID(), Index: index}
			v.Escrow, v.Depth = place(t, tip)
		}
	}
	return v
}

// place says where a transaction is and how deep.
func place(t *Touch, tip Tip) (market.Place, uint64) {
	if t.Height == 0 {
		return market.InMempool, 0
	}
	return market.InBlock, tip.Height - t.Height + 1
}

// gone reports whether nothing more can happen to the money.
func gone(v *market.View) bool {
	return v.Exit == market.ExitFinal || v.Exit == market.ExitRefute || v.Exit != market.ExitNone && len(v.Claim) == 0
}

// spent follows the money if a transaction moves it. The first that does so counts: the mempool may
// still have what a block has made void.
func spent(v market.View, t *Touch) market.View {
	if gone(&v) {
		return v
	}
	for i, o := range t.Tx.Inputs {
		if market.RefOf(o) != v.Output || i >= len(t.Witness) {
			continue
		}
		if len(v.Claim) == 0 {
			v.Exit = market.ExitOf(t.Witness[i].Exit)
		} else if t.Witness[i].Exit == chain.ClaimRefute {
			v.Exit = market.ExitRefute
		} else {
			v.Exit = market.ExitFinal
		}
		v.LeftTx = t.Tx.ID()
		v.Left, v.LeftDepth = place(t, Tip{Height: v.Height})
		if v.Exit == market.ExitClaim || v.Exit == market.ExitInvalid {
			v = claimed(v, t, t.Witness[i].OutBase)
		}
		return v
	}
	return v
}

// claimed reads the claim that an exit has made.
func claimed(v market.View, t *Touch, base uint32) market.View {
	if int(base) >= len(t.Tx.Outputs) {
		return v
	}
	s, ok := t.Tx.Outputs[base].Body.(*chain.State)
	if !ok {
		return v
	}
	read, err := chain.DecodeState(s)
	if err != nil {
		return v
	}
	switch c := read.(type) {
	case *chain.OptClaim:
		v.Claim = []market.Claimed{{Output: c.Output, Final: c.Final}}
	case *chain.InvalidClaim:
		v.Claim = []market.Claimed{{Invalid: true, Final: c.Final}}
	default:
		return v
	}
	v.Output = market.Ref{Tx: t.Tx.ID(), Index: base}
	return v
}

// escrowIn reads an output that holds an escrow.
func escrowIn(o *chain.Output) (*chain.JobEscrow, bool) {
	s, ok := o.Body.(*chain.State)
	if !ok || s.Type != chain.StateEscrow {
		return nil, false
	}
	read, err := chain.DecodeState(s)
	if err != nil {
		return nil, false
	}
	e, ok := read.(*chain.JobEscrow)
	return e, ok
}

// holdsEscrow returns the output of a transaction that has just this data of an escrow.
func holdsEscrow(t *chain.Tx, data []byte) (uint32, bool) {
	for i := range t.Outputs {
		if s, ok := t.Outputs[i].Body.(*chain.State); ok && len(data) > 0 && s.Type == chain.StateEscrow && bytes.Equal(s.Data, data) {
			return uint32(i), true
		}
	}
	return 0, false
}
