package chain

import (
	"bytes"
	"fmt"
	"slices"
)

// Applied is a block that holds: where the ledger stands after it, what to write, and what
// undoes it.
type Applied struct {
	After   Ledger
	Changes Changes
	Undo    Undo
	Fees    Value
	Cost    uint64 // units
}

// Apply validates a block on top of a ledger and a view of its unspent outputs. It changes
// neither. Work, bits and times of the header are not judged here. Errors are a RuleError, an
// UnavailableError or a fault.
//
// Without attachments (nil), what is attached and proved is taken for granted: for blocks
// below enough validated work. Published verifying keys must then be obtained by their hash.
func (v *Validator) Apply(l *Ledger, view View, b *Block, att Attachments) (*Applied, error) {
	p, err := v.begin(l, view, b, att)
	if err != nil {
		return nil, err
	}
	if err := p.evaluate(); err != nil {
		return nil, err
	}
	p.batch.claim()
	if err := p.batch.verify(); err != nil {
		return nil, err
	}
	fees, broken := p.fees()
	if broken != nil {
		return nil, broken
	}
	return p.applied(fees), nil
}

// pending is a block under validation.
type pending struct {
	batch
	ledger *Ledger
	block  *Block
	env    Env
	index  map[Hash]int // of a transaction id, the lowest
}

// begin computes ids and checks what concerns the block as a whole.
func (v *Validator) begin(l *Ledger, view View, b *Block, att Attachments) (*pending, error) {
	p := &pending{
		batch: batch{v: v, view: view, att: att, txs: make([]*checked, len(b.Txs))}, ledger: l, block: b,
		env: Env{Chain: l.Chain, Height: l.Height + 1, Now: l.Time}, index: make(map[Hash]int, len(b.Txs)),
	}
	h := &b.Header
	switch {
	case h.Chain != l.Chain || h.Parent != l.Tip || h.Height != p.env.Height:
		return nil, broken(CodeParent, "height %d on %v", h.Height, h.Parent)
	case len(b.Txs) == 0 || !b.Txs[0].Coinbase():
		return nil, broken(CodeNoCoinbase, "%d transactions", len(b.Txs))
	case len(b.Witnesses) != len(b.Txs):
		return nil, broken(CodeWitnessRoot, "%d witnesses of %d transactions", len(b.Witnesses), len(b.Txs))
	case h.UTXOHash != l.Set.Sum():
		return nil, broken(CodeUTXOHash, "%v", h.UTXOHash)
	}
	each(len(b.Txs), v.Workers, func(i int) { p.txs[i] = prepare(b.Txs[i], b.Witnesses[i]) })
	if err := p.checkRoots(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *pending) checkRoots() error {
	ids, hashes := make([]Hash, len(p.txs)), make([]Hash, len(p.txs))
	var base uint64
	for i, c := range p.txs {
		ids[i], hashes[i] = c.id, c.witnessHash
		base += c.base
		if _, seen := p.index[c.id]; !seen {
			p.index[c.id] = i
		}
	}
	switch {
	case MerkleRoot(ids) != p.block.Header.TxRoot:
		return broken(CodeTxRoot, "%v", p.block.Header.TxRoot)
	case MerkleRoot(hashes) != p.block.Header.WitnessRoot:
		return broken(CodeWitnessRoot, "%v", p.block.Header.WitnessRoot)
	case base > MaxBlockBase:
		return broken(CodeBlockSize, "%d bytes", base)
	}
	return nil
}

// evaluate checks all transactions, in parallel. Each sees the outputs of the view and those
// of lower transactions, spent or not; who spends them is settled afterwards, in order.
func (p *pending) evaluate() error {
	faults := make([]error, len(p.txs))
	each(len(p.txs), p.v.Workers, func(i int) {
		if i == 0 {
			p.txs[0].broken = p.v.checkCoinbase(p.txs[0], &p.env)
			return
		}
		faults[i] = p.v.check(p.txs[i], &p.env, p.below(i))
	})
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// below finds outputs as transaction i sees them.
func (p *pending) below(i int) lookup {
	return func(o Outpoint) (Entry, bool, error) {
		k, here := p.index[o.Tx]
		if !here {
			return p.view.Entry(o)
		}
		if k >= i || uint64(o.Index) >= uint64(len(p.txs[k].tx.Outputs)) {
			return Entry{}, false, nil
		}
		e := p.created(k, int(o.Index))
		return e, e.Output.Kept(), nil
	}
}

func (p *pending) created(tx, index int) Entry {
	return Entry{Output: p.txs[tx].tx.Outputs[index], Height: p.env.Height, Coinbase: tx == 0}
}

// fees sums the fees and compares them with what the coinbase pays. It is judged last: the
// sum is known only when every transaction holds.
func (p *pending) fees() (Value, *RuleError) {
	fees, paid := totals{}, totals{}
	ok := true
	for _, c := range p.txs {
		ok = ok && fees.addAll(c.tx.Fee)
	}
	for i := range p.txs[0].tx.Outputs {
		ok = ok && paid.addAll(p.txs[0].tx.Outputs[i].Value)
	}
	sum := fees.value()
	if !ok || len(sum) > MaxFeeTokens || !paid.value().Equal(sum) {
		return nil, broken(CodeCoinbaseAmount, "pays %v, fees are %v", paid.value(), sum).at(0, -1)
	}
	return sum, nil
}

// applied collects the net changes.
func (p *pending) applied(fees Value) *Applied {
	a := &Applied{Fees: fees}
	keys := map[Hash]*KeyChange{}
	spent := map[Outpoint]bool{}
	for _, c := range p.txs {
		a.Cost += c.cost
		for k, o := range c.tx.Inputs {
			spent[o] = true
			if _, here := p.index[o.Tx]; !here {
				a.Undo.Spent = append(a.Undo.Spent, UTXO{o, *c.entry(k)})
				a.Changes.Removed = append(a.Changes.Removed, o)
				countKeys(keys, &c.entry(k).Output, func(k *KeyChange) { k.Removed++ })
			}
		}
	}
	for i, c := range p.txs {
		for k := range c.tx.Outputs {
			o := Outpoint{c.id, uint32(k)}
			e := p.created(i, k)
			if spent[o] || !e.Output.Kept() {
				continue
			}
			a.Changes.Added = append(a.Changes.Added, UTXO{o, e})
			a.Undo.Created = append(a.Undo.Created, o)
			countKeys(keys, &e.Output, func(k *KeyChange) { k.Added++ })
		}
	}
	a.Changes.Keys = sortedKeys(keys)
	a.Undo.Keys, a.Undo.Before = a.Changes.Keys, *p.ledger
	a.After = p.after(a)
	return a
}

// after returns the ledger with the changes of a.
func (p *pending) after(a *Applied) Ledger {
	added := ltSum(len(a.Changes.Added), func(i int) *UTXO { return &a.Changes.Added[i] }, p.v.Workers)
	removed := ltSum(len(a.Undo.Spent), func(i int) *UTXO { return &a.Undo.Spent[i] }, p.v.Workers)
	l := *p.ledger
	l.Set.Add(&added)
	l.Set.sub(&removed)
	l.Tip, l.Height, l.Time = p.block.Header.Hash(), p.env.Height, p.block.Header.Time
	return l
}

func countKeys(all map[Hash]*KeyChange, o *Output, count func(*KeyChange)) {
	for _, k := range o.Keys() {
		c := all[k.Key.Hash]
		if c == nil {
			c = &KeyChange{Key: k.Key.Hash}
			all[k.Key.Hash] = c
		}
		count(c)
	}
}

func sortedKeys(all map[Hash]*KeyChange) []KeyChange {
	var list []KeyChange
	for _, c := range all {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b KeyChange) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return list
}

// Genesis returns the ledger after a genesis block: height 0, no parent, and one transaction
// that creates assets in the native token out of nothing. They are spendable at once.
func (v *Validator) Genesis(b *Block) (*Applied, error) {
	h := &b.Header
	if h.Chain != (Hash{}) || h.Parent != (Hash{}) || h.Height != 0 || h.UTXOHash != (Hash{}) || len(b.Txs) != 1 || len(b.Witnesses) != 1 {
		return nil, broken(CodeParent, "not the form of a genesis block")
	}
	p := &pending{
		batch: batch{v: v, txs: []*checked{prepare(b.Txs[0], b.Witnesses[0])}}, ledger: &Ledger{}, block: b,
		index: map[Hash]int{},
	}
	if err := p.checkRoots(); err != nil {
		return nil, err
	}
	c := p.txs[0]
	if len(c.tx.Inputs) > 0 {
		return nil, broken(CodeCoinbaseForm, "genesis spends").at(0, -1)
	}
	if err := v.checkCoinbase(c, &p.env); err != nil {
		return nil, err.at(0, -1)
	}
	supply := totals{}
	for i := range c.tx.Outputs {
		if v := c.tx.Outputs[i].Value; len(v) > 0 && v[len(v)-1].Token != (TokenID{}) {
			return nil, broken(CodeBalance, "genesis issues a token").at(0, -1)
		}
		if !supply.addAll(c.tx.Outputs[i].Value) {
			return nil, broken(CodeOverflow, "supply").at(0, -1)
		}
	}
	a := p.applied(nil)
	for i := range a.Changes.Added {
		a.Changes.Added[i].Entry.Coinbase = false
	}
	a.After = p.after(a)
	a.After.Height, a.After.Chain = 0, a.After.Tip
	return a, nil
}

// String names the height and tip, for messages.
func (l *Ledger) String() string { return fmt.Sprintf("height %d, tip %v", l.Height, l.Tip) }
