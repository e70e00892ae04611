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
				size := either(i < 2 || !bad, chain.MaxTxAttachments-2, 10)
				d := h.transfer(pay(bob, coin))
				d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachData, bytes.Repeat([]byte{i}, either(i == 2 && !bad, 3, size)))}
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

// witnessCase changes the witness of an input beyond what can be encoded.
func witnessCase(name string, change func(w *chain.InputWitness)) ruleCase {
	return ruleCase{chain.CodeLimit, name, 1, -1, func(h *harness, bad bool) *chain.Block {
		tx := h.transfer(pay(bob, coin)).Sign()
		if bad {
			change(&tx.Witness[0])
		}
		return h.Block(1, tx)
	}}
}

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

func txRules() []ruleCase {
	transfer := func(h *harness, change func(d *chaintest.Draft)) *chaintest.Draft {
		d := h.transfer(pay(bob, coin))
		change(d)
		return d
	}
	changed := func(code chain.Code, name string, input int, change func(d *chaintest.Draft)) ruleCase {
		return single(code, name, input, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, either(bad, change, func(*chaintest.Draft) {}))
		})
	}
	many := func(n int) []chain.Attachment {
		var all []chain.Attachment
		for range n {
			all = append(all, chaintest.NewMemory().Attach(chain.AttachData, nil))
		}
		return all
	}
	return []ruleCase{
		changed(chain.CodeCoinbaseForm, "height in a transaction", -1, func(d *chaintest.Draft) { d.Height = 1 }),
		single(chain.CodeNoInputs, "no inputs", -1, func(h *harness, bad bool) *chaintest.Draft {
			return either(bad, h.Draft(), h.transfer(pay(bob, coin)))
		}),
		changed(chain.CodeChain, "another chain", -1, func(d *chaintest.Draft) { d.Chain[0]++ }),
		single(chain.CodeWindow, "before the window", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) { d.From = h.Now() + either[uint64](bad, 1, 0) })
		}),
		single(chain.CodeWindow, "after the window", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) { d.Until = h.Now() - either[uint64](bad, 1, 0) })
		}),
		single(chain.CodeLimit, "bytes", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) {
				for range either(bad, 9, 7) {
					d.Pay(chain.Output{Lock: chain.Open(), Body: &chain.State{Type: chain.StateData, Data: make([]byte, chain.MaxStateData)}})
				}
			})
		}),
		single(chain.CodeLimit, "outputs", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) {
				for range chain.MaxOutputs - either(bad, 0, 1) {
					d.Pay(chain.Output{Lock: chain.Open()})
				}
			})
		}),
		single(chain.CodeLimit, "references", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) {
				for range chain.MaxInputs - either(bad, 0, 1) {
					d.Refer(h.coins[0])
				}
			})
		}),
		single(chain.CodeLimit, "attachments", -1, func(h *harness, bad bool) *chaintest.Draft {
			h.Store.Attach(chain.AttachData, nil)
			return transfer(h, func(d *chaintest.Draft) { d.Attachments = many(chain.MaxAttachments + either(bad, 1, 0)) })
		}),
		single(chain.CodeLimit, "bytes of attachments", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) {
				d.Attachments = []chain.Attachment{
					h.Store.Attach(chain.AttachData, make([]byte, chain.MaxTxAttachments-1)),
					h.Store.Attach(chain.AttachData, make([]byte, either(bad, 2, 1))),
				}
			})
		}),
		single(chain.CodeLimit, "bytes of a proof", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) {
				d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachProof, make([]byte, chain.MaxProofSize+either(bad, 1, 0)))}
			})
		}),
		single(chain.CodeLimit, "bytes of a key", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) {
				d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachKey, make([]byte, chain.MaxKeySize+either(bad, 1, 0)))}
			})
		}),
		single(chain.CodeLimit, "kind of an attachment", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) {
				d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachProof+either[chain.AttachmentKind](bad, 1, 0), nil)}
			})
		}),
		witnessCase("choices", func(w *chain.InputWitness) { w.Choices = make([]uint64, 257) }),
		witnessCase("items of data", func(w *chain.InputWitness) { w.Data = make([][]byte, 257) }),
		witnessCase("bytes of an item", func(w *chain.InputWitness) { w.Data = [][]byte{make([]byte, 4097)} }),
		witnessCase("segment beyond all outputs", func(w *chain.InputWitness) { w.OutBase = chain.MaxOutputs + 1 }),
		changed(chain.CodeResource, "name that is not text", -1, func(d *chaintest.Draft) {
			o := resource(chain.ResourceFile, nil)
			o.Body.(*chain.Resource).Name = "\xff"
			d.Pay(o)
		}),
		{chain.CodeWitnessCount, "a witness too many", 1, -1, func(h *harness, bad bool) *chain.Block {
			tx := h.transfer(pay(bob, coin)).Sign()
			if bad {
				tx.Witness = append(tx.Witness, chain.InputWitness{})
			}
			return h.Block(1, tx)
		}},
		changed(chain.CodeValue, "amount of zero", -1, func(d *chaintest.Draft) {
			d.Pay(chain.Output{Lock: bob.Lock(), Value: chain.Value{{}}})
		}),
		changed(chain.CodeValue, "unsorted tokens in a fee", -1, func(d *chaintest.Draft) {
			d.Fee = chain.Value{{Token: chain.Hash{2}, Amount: 1}, {Token: chain.Hash{1}, Amount: 1}}
		}),
		changed(chain.CodeValue, "nine tokens", -1, func(d *chaintest.Draft) {
			for i := range byte(9) {
				d.Outputs[0].Value = append(d.Outputs[0].Value, chain.Coin{Token: chain.Hash{i + 1}, Amount: 1})
			}
		}),
		changed(chain.CodeLock, "lock out of limits", -1, func(d *chaintest.Draft) { d.Outputs[0].Lock = chain.Threshold{} }),
		changed(chain.CodeLock, "delegate on data", -1, func(d *chaintest.Draft) {
			d.Pay(chain.Output{Lock: chain.Delegate{Owner: bob.Lock(), Delegate: bob.Lock()}, Body: &chain.State{Type: chain.StateData}})
		}),
		changed(chain.CodeResource, "model without a key", -1, func(d *chaintest.Draft) { d.Pay(resource(chain.ResourceModel, nil)) }),
		changed(chain.CodeResource, "file with a key", -1, func(d *chaintest.Draft) {
			_, key := chaintest.Key(1, 1)
			d.Pay(resource(chain.ResourceFile, &key))
		}),
		changed(chain.CodeState, "unknown type of state", -1, func(d *chaintest.Draft) {
			d.Pay(chain.Output{Lock: chain.Open(), Body: &chain.State{Type: 99}})
		}),
		changed(chain.CodeState, "data that does not decode", -1, func(d *chaintest.Draft) {
			d.Pay(chain.Output{Lock: chain.Open(), Body: &chain.State{Type: chain.StatePolicy, Data: []byte{1}}})
		}),
		single(chain.CodeKeyAttached, "key not attached", -1, func(h *harness, bad bool) *chaintest.Draft {
			raw, key := chaintest.Key(5, 1)
			d := h.transfer(pay(bob, coin), resource(chain.ResourceModel, &key))
			d.Attachments = []chain.Attachment{h.Store.Attach(either(bad, chain.AttachData, chain.AttachKey), raw)}
			return d
		}),
		single(chain.CodeKeyCost, "key of another cost", -1, func(h *harness, bad bool) *chaintest.Draft {
			raw, key := chaintest.Key(5, 1)
			key.Cost += either[uint64](bad, 1, 0)
			d := h.transfer(pay(bob, coin), resource(chain.ResourceModel, &key))
			d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachKey, raw)}
			return d
		}),
		single(chain.CodeKeyUnknown, "key that nothing names", -1, func(h *harness, bad bool) *chaintest.Draft {
			raw, key := chaintest.Key(5, 1)
			other := key
			other.Cost += either[uint64](bad, 1, 0)
			d := h.transfer(pay(bob, coin), resource(chain.ResourceModel, &key))
			d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachKey, raw)}
			return d.Pay(chain.Output{Lock: chain.Proof{Kind: chain.JobInfer, Key: other, Payee: bob.Lock()}})
		}),
		{chain.CodePredecessor, "predecessor that is not spent", 2, -1, func(h *harness, bad bool) *chain.Block {
			first := h.transfer(pay(bob, coin), resource(chain.ResourceFile, nil)).Sign()
			next := resource(chain.ResourceFile, nil)
			next.Body.(*chain.Resource).Predecessor = &chain.Outpoint{Tx: first.ID(), Index: 1}
			d := h.transfer(pay(bob, coin), next)
			if !bad {
				d.Spend(first.Out(1), signedBy(alice))
			}
			return h.Block(1, first, d.Sign())
		}},
		{chain.CodePredecessor, "two successors", 2, -1, func(h *harness, bad bool) *chain.Block {
			first := h.transfer(pay(bob, coin), resource(chain.ResourceFile, nil)).Sign()
			next := resource(chain.ResourceFile, nil)
			next.Body.(*chain.Resource).Predecessor = &chain.Outpoint{Tx: first.ID(), Index: 1}
			d := h.transfer(pay(bob, coin), next).Spend(first.Out(1), signedBy(alice))
			if bad {
				d.Pay(next)
			}
			return h.Block(1, first, d.Sign())
		}},
		single(chain.CodePredecessor, "predecessor that is a coin", -1, func(h *harness, bad bool) *chaintest.Draft {
			d, next := h.transfer(pay(bob, coin)), resource(chain.ResourceFile, nil)
			if bad {
				next.Body.(*chain.Resource).Predecessor = &d.Inputs[0]
			}
			return d.Pay(next)
		}),
		single(chain.CodeOverflow, "outputs", -1, func(h *harness, bad bool) *chaintest.Draft {
			return either(bad, h.transfer(pay(bob, coin), pay(bob, math.MaxUint64)), h.transfer(pay(bob, coin)))
		}),
		single(chain.CodeOverflow, "outputs and fee", -1, func(h *harness, bad bool) *chaintest.Draft {
			return transfer(h, func(d *chaintest.Draft) {
				if bad {
					d.Fee = chain.Native(math.MaxUint64)
				}
			})
		}),
		single(chain.CodeBalance, "more out than in", -1, func(h *harness, bad bool) *chaintest.Draft {
			return h.transfer(pay(bob, coin+either[uint64](bad, 1, 0)))
		}),
		single(chain.CodeBalance, "less out than in", -1, func(h *harness, bad bool) *chaintest.Draft {
			return h.transfer(pay(bob, coin-either[uint64](bad, 1, 0)))
		}),
		changed(chain.CodeBalance, "a token from nowhere", -1, func(d *chaintest.Draft) {
			d.Pay(chain.Output{Lock: bob.Lock(), Value: chain.Tokens(chain.Hash{1}, 1)})
		}),
		{chain.CodeAttachment, "another length than said", 1, -1, func(h *harness, bad bool) *chain.Block {
			d := h.transfer(pay(bob, coin))
			a := h.Store.Attach(chain.AttachData, []byte("12345"))
			a.Len += either[uint32](bad, 1, 0)
			d.Attachments = []chain.Attachment{a}
			return h.Block(1, d.Sign())
		}},
		single(chain.CodeMissing, "input", 1, func(h *harness, bad bool) *chaintest.Draft {
			u := h.coin()
			if bad {
				u.Outpoint.Tx[0]++
			}
			return h.transfer(pay(bob, 2*coin)).Spend(u, signedBy(alice))
		}),
		single(chain.CodeMissing, "reference", 1, func(h *harness, bad bool) *chaintest.Draft {
			u := h.coin()
			if bad {
				u.Outpoint.Index += 1000
			}
			return h.transfer(pay(bob, coin)).Refer(u)
		}),
		single(chain.CodeDoubleSpend, "one output twice", 1, func(h *harness, bad bool) *chaintest.Draft {
			a, b := h.coin(), h.coin()
			return h.Draft().Spend(a, signedBy(alice)).Spend(either(bad, a, b), signedBy(alice)).Pay(pay(bob, 2*coin))
		}),
		single(chain.CodeSignature, "forged signature", 1, func(h *harness, bad bool) *chaintest.Draft {
			return h.transfer(pay(bob, 2*coin)).Spend(h.coin(), signedBy(either(bad, bob, alice)))
		}),
		single(chain.CodeProof, "forged proof", 0, func(h *harness, bad bool) *chaintest.Draft {
			f := h.proofLock(10)
			d := f.open(0)
			if bad {
				d.Attachments[2] = h.Store.Attach(chain.AttachProof, make([]byte, 32))
			}
			return d
		}),
		single(chain.CodeStatement, "another input attached", 0, func(h *harness, bad bool) *chaintest.Draft {
			d := h.proofLock(10).open(0)
			if bad {
				d.Attachments[0] = h.Store.Attach(chain.AttachInput, []byte("other"))
			}
			return d
		}),
		single(chain.CodeStatement, "proof attached as data", 0, func(h *harness, bad bool) *chaintest.Draft {
			d := h.proofLock(10).open(0)
			if bad {
				d.Attachments[2].Kind = chain.AttachData
			}
			return d
		}),
		single(chain.CodeSignature, "proof without the payee", 0, func(h *harness, bad bool) *chaintest.Draft {
			f := h.proofLock(10)
			f.payee = either(bad, alice, bob)
			return f.open(0)
		}),
	}
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
