package chaintest

import (
	"crypto/ed25519"
	"crypto/sha256"

	"github.com/weisyn/wes/chain"
)

// Wallet is one key pair.
type Wallet struct{ private ed25519.PrivateKey }

// NewWallet derives a wallet from its name.
func NewWallet(name string) Wallet {
	seed := sha256.Sum256([]byte(name))
	return Wallet{ed25519.NewKeyFromSeed(seed[:])}
}

// Public returns the public key.
func (w Wallet) Public() chain.PublicKey {
	return chain.PublicKey(w.private.Public().(ed25519.PublicKey))
}

// Lock returns the lock that this wallet alone opens.
func (w Wallet) Lock() chain.Lock { return chain.Key{Key: w.Public()} }

// Sign signs a digest.
func (w Wallet) Sign(h chain.Hash) []byte { return ed25519.Sign(w.private, h[:]) }

// Signed is a transaction with its witness.
type Signed struct {
	Tx      *chain.Tx
	Witness chain.Witness
}

// ID returns the id of the transaction.
func (s Signed) ID() chain.Hash { return s.Tx.ID() }

// Out names an output of the transaction.
func (s Signed) Out(i int) chain.UTXO {
	return chain.UTXO{Outpoint: chain.Outpoint{Tx: s.ID(), Index: uint32(i)}, Entry: chain.Entry{Output: s.Tx.Outputs[i]}}
}

// Draft is a transaction in the making.
type Draft struct {
	chain.Tx
	inputs []draftInput
}

type draftInput struct {
	spent chain.UTXO
	with  With
}

// With is the witness of an input. A Wallet among Data stands for its signature.
type With struct {
	OutBase uint32
	Exit    uint32
	Choices []uint64
	Data    []any // []byte or Wallet
}

// Spend adds an input.
func (d *Draft) Spend(u chain.UTXO, with With) *Draft {
	d.Inputs = append(d.Inputs, u.Outpoint)
	d.inputs = append(d.inputs, draftInput{u, with})
	return d
}

// Refer adds a reference.
func (d *Draft) Refer(u chain.UTXO) *Draft {
	d.References = append(d.References, u.Outpoint)
	return d
}

// Pay adds an output.
func (d *Draft) Pay(o ...chain.Output) *Draft {
	d.Outputs = append(d.Outputs, o...)
	return d
}

// Sign makes the witness.
func (d *Draft) Sign() Signed {
	tx := d.Tx
	id := tx.ID()
	var w chain.Witness
	for i, in := range d.inputs {
		iw := chain.InputWitness{OutBase: in.with.OutBase, Exit: in.with.Exit, Choices: in.with.Choices}
		for _, item := range in.with.Data {
			switch item := item.(type) {
			case []byte:
				iw.Data = append(iw.Data, item)
			case Wallet:
				iw.Data = append(iw.Data, item.Sign(chain.SigHash(tx.Chain, id, uint32(i), &in.spent.Entry.Output)))
			}
		}
		w = append(w, iw)
	}
	return Signed{&tx, w}
}
