package chaintest

import (
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Network is a ledger of one node that connects blocks without work.
type Network struct {
	*chain.Validator
	Ledger chain.Ledger
	Store  *Memory
	Miner  Wallet
	First  *chain.Block // the genesis block
	undo   []*chain.Undo
}

// GenesisTime is the timestamp of every genesis block here, in ms since 1970.
const GenesisTime = 1_700_000_000_000

// NewNetwork starts a ledger with a genesis block that pays outputs.
func NewNetwork(v *chain.Validator, outputs ...chain.Output) (*Network, []chain.UTXO, error) {
	tx := &chain.Tx{Outputs: outputs}
	b := &chain.Block{Header: chain.Header{Time: GenesisTime}, Txs: []*chain.Tx{tx}, Witnesses: []chain.Witness{nil}}
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	a, err := v.Genesis(b)
	if err != nil {
		return nil, nil, fmt.Errorf("genesis: %w", err)
	}
	n := &Network{Validator: v, Ledger: a.After, Store: NewMemory(), Miner: NewWallet("miner"), First: b}
	return n, a.Changes.Added, n.Store.Write(&a.Changes)
}

// Now returns the time that rules of the next block compare with.
func (n *Network) Now() uint64 { return n.Ledger.Time }

// Env returns what rules of the next block compare with.
func (n *Network) Env() chain.Env {
	return chain.Env{Chain: n.Ledger.Chain, Height: n.Ledger.Height + 1, Now: n.Ledger.Time}
}

// Draft starts a transaction for this network.
func (n *Network) Draft() *Draft {
	d := &Draft{}
	d.Chain = n.Ledger.Chain
	return d
}

// Block makes the next block, of a time after its parent's in ms. The coinbase pays the fees
// to the miner.
func (n *Network) Block(after uint64, txs ...Signed) *chain.Block {
	env := n.Env()
	b := &chain.Block{Header: chain.Header{
		Chain: env.Chain, Parent: n.Ledger.Tip, Height: env.Height, Time: n.Ledger.Time + after,
		UTXOHash: n.Ledger.Set.Sum(), Miner: n.Miner.Public(),
	}}
	coinbase := &chain.Tx{Chain: env.Chain, Height: env.Height}
	for _, s := range txs {
		for _, c := range s.Tx.Fee {
			coinbase.Outputs = append(coinbase.Outputs, chain.Output{Lock: n.Miner.Lock(), Value: chain.Tokens(c.Token, c.Amount)})
		}
	}
	b.Txs, b.Witnesses = []*chain.Tx{coinbase}, []chain.Witness{nil}
	for _, s := range txs {
		b.Txs, b.Witnesses = append(b.Txs, s.Tx), append(b.Witnesses, s.Witness)
	}
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	return b
}

// Connect validates a block and makes its changes.
func (n *Network) Connect(b *chain.Block) (*chain.Applied, error) {
	a, err := n.Apply(&n.Ledger, n.Store, b, n.Store)
	if err != nil {
		return nil, err
	}
	if err := n.Store.Write(&a.Changes); err != nil {
		return nil, err
	}
	n.Ledger, n.undo = a.After, append(n.undo, &a.Undo)
	return a, nil
}

// Mine connects a block of transactions, 10 s after its parent.
func (n *Network) Mine(txs ...Signed) error { return n.MineAfter(10_000, txs...) }

// MineAfter connects a block of transactions some ms after its parent.
func (n *Network) MineAfter(after uint64, txs ...Signed) error {
	_, err := n.Connect(n.Block(after, txs...))
	return err
}

// Disconnect undoes the last block.
func (n *Network) Disconnect() error {
	last := len(n.undo) - 1
	l, c := chain.Undone(n.undo[last])
	if err := n.Store.Write(c); err != nil {
		return err
	}
	n.Ledger, n.undo = l, n.undo[:last]
	return nil
}

// Unspent returns an output that must be unspent.
func (n *Network) Unspent(o chain.Outpoint) (chain.UTXO, error) {
	e, ok := n.Store.Unspent[o]
	if !ok {
		return chain.UTXO{}, fmt.Errorf("%v:%d is not unspent", o.Tx, o.Index)
	}
	return chain.UTXO{Outpoint: o, Entry: e}, nil
}
