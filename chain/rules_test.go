package chain_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// ruleCase makes a block that breaks one rule, or its twin that breaks none.
type ruleCase struct {
	code      chain.Code
	name      string
	tx, input int // where the rule is broken
	block     func(h *harness, bad bool) *chain.Block
}

// either returns a if bad, else b.
func either[T any](bad bool, a, b T) T {
	if bad {
		return a
	}
	return b
}

// header is a case of a header with one field changed.
func header(code chain.Code, name string, change func(h *chain.Header)) ruleCase {
	return ruleCase{code, name, -1, -1, func(h *harness, bad bool) *chain.Block {
		b := h.Block(1, h.transfer(pay(bob, coin)).Sign())
		if bad {
			change(&b.Header)
		}
		return b
	}}
}

// single is a case of one transaction, the only one beside the coinbase.
func single(code chain.Code, name string, input int, build func(h *harness, bad bool) *chaintest.Draft) ruleCase {
	return ruleCase{code, name, 1, input, func(h *harness, bad bool) *chain.Block {
		return h.Block(1, build(h, bad).Sign())
	}}
}

// coinbaseCase changes the coinbase of a block with a fee of 3.
func coinbaseCase(code chain.Code, name string, change func(tx *chain.Tx)) ruleCase {
	return ruleCase{code, name, 0, -1, func(h *harness, bad bool) *chain.Block {
		d := h.transfer(pay(bob, coin-3))
		d.Fee = chain.Native(3)
		b := h.Block(1, d.Sign())
		if bad {
			change(b.Txs[0])
			b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
		}
		return b
	}}
}

func blockRules() []ruleCase {
	return []ruleCase{
		header(chain.CodeParent, "parent", func(h *chain.Header) { h.Parent[0]++ }),
		header(chain.CodeParent, "height", func(h *chain.Header) { h.Height++ }),
		header(chain.CodeParent, "chain", func(h *chain.Header) { h.Chain[0]++ }),
		header(chain.CodeTxRoot, "transaction root", func(h *chain.Header) { h.TxRoot[0]++ }),
		header(chain.CodeWitnessRoot, "witness root", func(h *chain.Header) { h.WitnessRoot[0]++ }),
		header(chain.CodeUTXOHash, "hash of the unspent outputs", func(h *chain.Header) { h.UTXOHash[0]++ }),
		{chain.CodeBlockSize, "block of more than 2 MiB", -1, -1, func(h *harness, bad bool) *chain.Block {
			return h.Block(1, h.fill(either(bad, 17, 15))...)
		}},
		{chain.CodeNoCoinbase, "no coinbase", -1, -1, func(h *harness, bad bool) *chain.Block {
			b := h.Block(1, h.transfer(pay(bob, coin)).Sign())
			if bad {
				b.Txs, b.Witnesses = b.Txs[1:], b.Witnesses[1:]
				b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
			}
			return b
		}},
		coinbaseCase(chain.CodeCoinbaseForm, "coinbase of another height", func(tx *chain.Tx) { tx.Height++ }),
		coinbaseCase(chain.CodeCoinbaseForm, "coinbase with a fee", func(tx *chain.Tx) { tx.Fee = chain.Native(1) }),
		coinbaseCase(chain.CodeCoinbaseForm, "coinbase with a window", func(tx *chain.Tx) { tx.From = 1 }),
		coinbaseCase(chain.CodeCoinbaseForm, "coinbase with a state", func(tx *chain.Tx) { tx.Outputs[0].Body = &chain.State{Type: chain.StateData} }),
		coinbaseCase(chain.CodeChain, "coinbase of another chain", func(tx *chain.Tx) { tx.Chain[0]++ }),
		coinbaseCase(chain.CodeLock, "coinbase with a lock out of limits", func(tx *chain.Tx) { tx.Outputs[0].Lock = chain.Threshold{} }),
		coinbaseCase(chain.CodeKeyUnknown, "coinbase that names a key", func(tx *chain.Tx) {
			_, key := chaintest.Key(1, 1)
			tx.Outputs[0].Lock = chain.Proof{Kind: chain.JobInfer, Key: key, Payee: alice.Lock()}
		}),
		coinbaseCase(chain.CodeCoinbaseAmount, "coinbase that pays too much", func(tx *chain.Tx) { tx.Outputs[0].Value[0].Amount++ }),
		coinbaseCase(chain.CodeCoinbaseAmount, "coinbase that pays too little", func(tx *chain.Tx) { tx.Outputs[0].Value[0].Amount-- }),
		coinbaseCase(chain.CodeCoinbaseAmount, "coinbase that pays another token", func(tx *chain.Tx) {
			tx.Outputs[0].Value = append(tx.Outputs[0].Value, chain.Coin{Token: chain.Hash{1}, Amount: 1})
		}),
		coinbaseCase(chain.CodeCoinbaseAmount, "coinbase that overflows", func(tx *chain.Tx) {
			tx.Outputs = append(tx.Outputs, pay(h0, math.MaxUint64), pay(h0, 1))
		}),
		{chain.CodeCoinbaseForm, "second coinbase", 1, -1, func(h *harness, bad bool) *chain.Block {
			again := chaintest.Signed{Tx: &chain.Tx{Chain: h.Ledger.Chain, Height: 1}}
			return h.Block(1, either(bad, again, h.transfer(pay(bob, coin)).Sign()))
		}},
		{chain.CodeDoubleSpend, "two transactions spend one output", 2, 0, func(h *harness, bad bool) *chain.Block {
			a, b := h.coin(), h.coin()
			first := h.Draft().Spend(a, signedBy(alice)).Pay(pay(bob, coin)).Sign()
			second := h.Draft().Spend(either(bad, a, b), signedBy(alice)).Pay(pay(carol, coin)).Sign()
			return h.Block(1, first, second)
		}},
		{chain.CodeDoubleSpend, "one transaction twice", 2, 0, func(h *harness, bad bool) *chain.Block {
			tx := h.transfer(pay(bob, coin)).Sign()
			return h.Block(1, tx, either(bad, tx, h.transfer(pay(bob, coin)).Sign()))
		}},
		{chain.CodeDoubleSpend, "one transaction twice, with a child of the first between", 3, 0, func(h *harness, bad bool) *chain.Block {
			tx := h.transfer(pay(bob, coin)).Sign()
			child := h.Draft().Spend(tx.Out(0), signedBy(bob)).Pay(pay(carol, coin)).Sign()
			return h.Block(1, tx, child, either(bad, tx, h.transfer(pay(bob, coin)).Sign()))
		}},
		{chain.CodeMissing, "output of a higher transaction", 1, 0, func(h *harness, bad bool) *chain.Block {
			first := h.transfer(pay(bob, coin)).Sign()
			second := h.Draft().Spend(first.Out(0), signedBy(bob)).Pay(pay(carol, coin)).Sign()
			if bad {
				first, second = second, first
			}
			return h.Block(1, first, second)
		}},
		{chain.CodeMissing, "reference to a higher transaction", 1, 1, func(h *harness, bad bool) *chain.Block {
			first := h.transfer(pay(bob, coin)).Sign()
			second := h.transfer(pay(carol, coin)).Refer(first.Out(0)).Sign()
			if bad {
				first, second = second, first
			}
			return h.Block(1, first, second)
		}},
		{chain.CodeMissing, "burned in the block", 2, 0, func(h *harness, bad bool) *chain.Block {
			lock := either[chain.Lock](bad, chain.Burn(), chain.Open())
			first := h.transfer(chain.Output{Lock: lock, Value: chain.Native(coin)}).Sign()
			return h.Block(1, first, h.Draft().Spend(first.Out(0), chaintest.With{}).Pay(pay(bob, coin)).Sign())
		}},
		{chain.CodeBlockAttachments, "attachments of more than 8 MiB", 3, -1, func(h *harness, bad bool) *chain.Block {
			var txs []chaintest.Signed
			for i := range byte(3) {
				size := either(i < 2, chain.MaxTxAttachments-2, either(bad, 5, 4))
				d := h.transfer(pay(bob, coin))
				d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachData, bytes.Repeat([]byte{i}, size))}
				txs = append(txs, d.Sign())
			}
			return h.Block(1, txs...)
		}},
		{chain.CodeBlockCost, "proofs above the budget", 2, -1, func(h *harness, bad bool) *chain.Block {
			f := h.proofLock(either[uint64](bad, 1_499_990, 1_490_000))
			return h.Block(1, f.open(0).Sign(), f.open(1).Sign())
		}},
	}
}

var h0 = chaintest.NewWallet("nobody")

// fill returns transactions of a little more than 124 KiB each.
func (h *harness) fill(n int) []chaintest.Signed {
	var txs []chaintest.Signed
	first := h.transfer()
	for range n {
		first.Pay(pay(alice, coin/uint64(n)))
	}
	first.Fee = chain.Native(coin - coin/uint64(n)*uint64(n))
	signed := first.Sign()
	txs = append(txs, signed)
	for i := range n {
		d := h.Draft().Spend(signed.Out(i), signedBy(alice)).Pay(pay(bob, coin/uint64(n)))
		for range 8 {
			d.Pay(chain.Output{Lock: alice.Lock(), Body: &chain.State{Type: chain.StateData, Data: make([]byte, 15_900)}})
		}
		txs = append(txs, d.Sign())
	}
	return txs
}

func resource(kind chain.ResourceKind, key *chain.VerifyingKey) chain.Output {
	return chain.Output{Lock: alice.Lock(), Body: &chain.Resource{
		CID: []byte("cid"), Kind: kind, Name: "name", Owner: alice.Lock(), Key: key,
	}}
}

// proofLocks are two outputs of a published model, locked by a proof that pays bob.
type proofLocks struct {
	h      *harness
	locked [2]chain.UTXO
	lock   chain.Proof
	payee  chaintest.Wallet
}

// proofLock connects a block with a model of a cost and outputs locked by its proofs.
func (h *harness) proofLock(cost uint64) *proofLocks {
	raw, key := chaintest.Key(cost, 1)
	input := h.Store.Attach(chain.AttachInput, []byte("input"))
	lock := chain.Proof{
		Kind: chain.JobInfer, Key: key, Job: chain.Hash{1}, Model: chain.Hash{2}, Input: input.SHA256, Payee: bob.Lock(),
	}
	d := h.transfer(resource(chain.ResourceModel, &key))
	d.Pay(chain.Output{Lock: lock, Value: chain.Native(coin / 2)}, chain.Output{Lock: lock, Value: chain.Native(coin / 2)})
	d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachKey, raw)}
	tx := d.Sign()
	h.mine(1, tx)
	return &proofLocks{h, [2]chain.UTXO{tx.Out(1), tx.Out(2)}, lock, bob}
}

// open spends one of the outputs with a proof.
func (f *proofLocks) open(i int) *chaintest.Draft {
	d := f.h.Draft()
	d.Attachments = f.h.prove(chain.Claim{
		Kind: f.lock.Kind, Key: f.lock.Key, Chain: d.Chain, Job: f.lock.Job, Payee: chain.LockHash(f.lock.Payee), Model: f.lock.Model,
	}, "input", "output")
	return d.Spend(f.locked[i], chaintest.With{Choices: []uint64{0, 1, 2}, Data: []any{f.payee}}).Pay(pay(bob, coin/2))
}

// prove attaches input, output and a proof of a claim about them.
func (h *harness) prove(c chain.Claim, input, output string) []chain.Attachment {
	in := h.Store.Attach(chain.AttachInput, []byte(input))
	out := h.Store.Attach(chain.AttachOutput, []byte(output))
	c.Input, c.Output = in.SHA256, out.SHA256
	return []chain.Attachment{in, out, h.Store.Attach(chain.AttachProof, chaintest.Prove(&c))}
}

func allRules() []ruleCase { return append(blockRules(), txRules()...) }

// TestEachRuleIsBrokenAlone connects a block that breaks one rule and its twin that does not.
func TestEachRuleIsBrokenAlone(t *testing.T) {
	for _, c := range allRules() {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			twin := c.block(h, false)
			if _, err := h.Connect(twin); err != nil {
				t.Fatalf("the twin is refused: %v", err)
			}
			if _, err := chain.DecodeBlock(twin.Encode()); err != nil {
				t.Fatalf("the twin does not decode: %v", err)
			}
			h = newHarness(t)
			_, err := h.Connect(c.block(h, true))
			expect(t, err, c.code)
			rule := err.(*chain.RuleError)
			if rule.Tx != c.tx || rule.Input != c.input {
				t.Errorf("at transaction %d, input %d, want %d, %d: %v", rule.Tx, rule.Input, c.tx, c.input, err)
			}
		})
	}
}
