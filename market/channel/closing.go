package channel

import (
	"crypto/ed25519"

	"github.com/weisyn/wes/chain"
)

// MaxClosing bounds the closing transaction with its witness, in bytes, which is what its weight
// comes from. Who sets the fee of a channel starts from chain.Weight(MaxClosing, 0, 0).
const MaxClosing = 3 << 10

// Sign signs a digest with one's own Ed25519 key.
type Sign func(digest chain.Hash) []byte

// closing returns the transaction that closes the channel with these totals. It follows from its
// arguments alone, so both sides make the same one.
func (a *Announce) closing(t *totals) *chain.Tx {
	terms := &a.Terms
	fee := min(terms.Fee, t.Paid)
	tx := &chain.Tx{Chain: terms.Chain, Inputs: []chain.Outpoint{a.Funding()}, Fee: chain.Tokens(terms.Token, fee)}
	pay := func(l chain.Lock, n uint64) {
		if n > 0 {
			tx.Outputs = append(tx.Outputs, chain.Output{Lock: l, Value: chain.Tokens(terms.Token, n)})
		}
	}
	pay(chain.Key{Key: terms.Operator}, t.Paid-fee)
	for i := range t.Owners {
		lock, err := chain.DecodeLock(t.Owners[i].Owner)
		if err != nil {
			panic("BUG: totals with a lock that does not decode")
		}
		pay(lock, t.Owners[i].Amount)
	}
	pay(chain.Key{Key: terms.Client}, terms.Cap-t.cost())
	state := &chain.State{Type: chain.StateData, Data: t.Receipt[:]}
	tx.Outputs = append(tx.Outputs, chain.Output{Lock: chain.Key{Key: terms.Client}, Body: state})
	return tx
}

// digest returns what signatures of the transaction that spends the funding output sign.
func (a *Announce) digest(tx *chain.Tx) chain.Hash {
	spent := a.Terms.Output()
	return chain.SigHash(a.Terms.Chain, tx.ID(), 0, &spent)
}

// sign signs the only input of tx. A signature that is not of the key, which is one's own, is
// [ErrSignature].
func (a *Announce) sign(tx *chain.Tx, key chain.PublicKey, sign Sign) (s [ed25519.SignatureSize]byte, err error) {
	digest := a.digest(tx)
	made := sign(digest)
	if len(made) != len(s) || !ed25519.Verify(key[:], digest[:], made) {
		return s, refuse(ErrSignature, "the key that signs is not %x", key)
	}
	return [ed25519.SignatureSize]byte(made), nil
}

// signedByClient reports whether s is the client's signature of the closing transaction. What
// verifies here verifies by ZIP-215 too, which is what the ledger goes by.
func (a *Announce) signedByClient(t *totals, s [ed25519.SignatureSize]byte) bool {
	digest := a.digest(a.closing(t))
	return ed25519.Verify(a.Terms.Client[:], digest[:], s[:])
}

// both is the witness of a closing transaction.
func (t *Terms) both(client, operator [ed25519.SignatureSize]byte) chain.Witness {
	first, second := client, operator
	if !t.clientFirst() {
		first, second = operator, client
	}
	return chain.Witness{{Choices: []uint64{branchBoth, 0b11}, Data: [][]byte{first[:], second[:]}}}
}

// reclaim returns the transaction that takes all back to the client.
func (a *Announce) reclaim() *chain.Tx {
	t := &a.Terms
	rest := chain.Output{Lock: chain.Key{Key: t.Client}, Value: chain.Tokens(t.Token, t.Limit())}
	return &chain.Tx{
		Chain: t.Chain, Inputs: []chain.Outpoint{a.Funding()},
		Outputs: []chain.Output{rest}, Fee: chain.Tokens(t.Token, t.Fee),
	}
}
