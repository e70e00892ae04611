package chain_test

import (
	"math"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

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
		single(chain.CodeKeyAttached, "known key of another cost", -1, func(h *harness, bad bool) *chaintest.Draft {
			f := h.proofLock(10)
			key := f.lock.Key
			key.Cost += either[uint64](bad, 1, 0)
			return h.transfer(pay(bob, coin), resource(chain.ResourceModel, &key)).Refer(f.locked[0])
		}),
		single(chain.CodeKeyAttached, "known key of another kind", -1, func(h *harness, bad bool) *chaintest.Draft {
			f := h.proofLock(10)
			kind := either(bad, chain.ResourcePlonk, chain.ResourceModel)
			return h.transfer(pay(bob, coin), resource(kind, &f.lock.Key)).Refer(f.locked[0])
		}),
		single(chain.CodeKeyAttached, "key attached that is longer", -1, func(h *harness, bad bool) *chaintest.Draft {
			raw, key := chaintest.Key(5, 1)
			d := h.transfer(pay(bob, coin), resource(chain.ResourceModel, &key))
			a := h.Store.Attach(chain.AttachKey, raw)
			key.Len += either[uint32](bad, 1, 0)
			d.Attachments = []chain.Attachment{a}
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
