package replica

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

// Due reports whether a miner of this profile makes a block at the local time now.
func (r *Replica) Due(now uint64) bool { return r.core.Due(now, r.pool.Len() > 0) }

// Template returns a block on the tip that lacks nothing but a nonce and, in a consortium, a
// seal: the transactions of the mempool that pay most, and a coinbase that pays their fees to a
// lock. It fails with consensus.ErrBusy. Take a new one at least every second.
func (r *Replica) Template(now uint64, miner chain.PublicKey, payee chain.Lock) (*chain.Block, error) {
	t, err := r.core.Template(now)
	if err != nil {
		return nil, err
	}
	selected := r.pool.Template()
	b := &chain.Block{Header: t.Header()}
	b.Txs = append(b.Txs, &chain.Tx{Chain: t.Chain, Height: t.Height, Outputs: coinbase(selected.Fees, payee)})
	b.Witnesses = append(b.Witnesses, nil)
	for _, e := range selected.Entries {
		b.Txs, b.Witnesses = append(b.Txs, e.Tx), append(b.Witnesses, e.Witness)
	}
	l := r.store.Ledger()
	b.Header.UTXOHash, b.Header.Miner = l.Set.Sum(), miner
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	return b, nil
}

// coinbase splits fees into outputs of as many tokens as one holds.
func coinbase(fees chain.Value, payee chain.Lock) []chain.Output {
	var all []chain.Output
	for len(fees) > 0 {
		n := min(len(fees), chain.MaxTokens)
		all, fees = append(all, chain.Output{Lock: payee, Value: fees[:n]}), fees[n:]
	}
	return all
}

// ErrStale is returned by Mined for a block that is not on the tip.
var ErrStale = errors.New("the block is not on the tip")

// Mined takes a block of this node's own, with its nonce and seal. It returns a *Refusal for a
// block that breaks a rule or is stale; other errors are faults.
func (r *Replica) Mined(now uint64, b *chain.Block) error {
	l := r.store.Ledger()
	if b.Header.Parent != l.Tip {
		return &Refusal{ErrStale}
	}
	missing, err := r.stage(b)
	if err != nil {
		return err
	}
	applied, err := r.cfg.Validator.Apply(&l, r.store, b, r.held)
	var broken *chain.RuleError
	var lacks *chain.UnavailableError
	switch {
	case errors.As(err, &broken) || errors.As(err, &lacks):
		return &Refusal{err}
	case err != nil:
		return fmt.Errorf("validate a mined block: %w", err)
	case len(missing) > 0:
		return &Refusal{&chain.UnavailableError{Missing: missing}}
	}
	if err := r.store.PutBody(b); err != nil {
		return fmt.Errorf("stage a block: %w", err)
	}
	hash := b.Header.Hash()
	r.ready = &validated{hash, l.Tip, applied}
	if err := r.core.Step(now, consensus.Mined{Header: consensus.SealedHeader{Header: b.Header, Seal: b.Seal}}); err != nil {
		var header *consensus.HeaderError
		if errors.As(err, &header) {
			return &Refusal{err}
		}
		return fmt.Errorf("consensus: %w", err)
	}
	r.stored = append(r.stored, hash)
	err = r.follow(now)
	r.ready = nil
	return err
}
