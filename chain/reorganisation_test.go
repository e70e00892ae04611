package chain_test

import (
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

func TestConsumptionInABlockNeverInvalidatesAReference(t *testing.T) {
	h := newHarness(t)
	u := h.coin()
	spend := h.Draft().Spend(u, signedBy(alice)).Pay(pay(bob, coin)).Sign()
	refer := h.transfer(pay(carol, coin)).Refer(u).Refer(spend.Out(0)).Sign()
	again := h.Draft().Spend(spend.Out(0), signedBy(bob)).Pay(pay(carol, coin)).Sign()
	last := h.transfer(pay(carol, coin)).Refer(u).Refer(spend.Out(0)).Sign()
	h.mine(1, spend, refer, again, last)
	expect(t, h.check(h.transfer(pay(carol, coin)).Refer(u).Sign()), chain.CodeMissing)
	expect(t, h.check(h.transfer(pay(carol, coin)).Refer(spend.Out(0)).Sign()), chain.CodeMissing)
}

func TestDoubleSpendAcrossBlocksAndAcrossAReorganisation(t *testing.T) {
	h := newHarness(t)
	u := h.coin()
	to := func(w chaintest.Wallet) chaintest.Signed {
		return h.Draft().Spend(u, signedBy(alice)).Pay(pay(w, coin)).Sign()
	}
	child := h.Draft().Spend(to(bob).Out(0), signedBy(bob)).Pay(pay(carol, coin)).Sign()
	h.mine(1, to(bob))
	expect(t, h.MineAfter(1, to(carol)), chain.CodeMissing)
	h.mine(1, child)
	for range 2 {
		if err := h.Disconnect(); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, h.check(child), chain.CodeMissing)
	h.mine(2, to(carol))
	expect(t, h.MineAfter(1, to(bob)), chain.CodeMissing)
	expect(t, h.MineAfter(1, child), chain.CodeMissing)
}

// TestModelEscrowAndProofFitOneBlock finds the verifying key among the block's attachments.
func TestModelEscrowAndProofFitOneBlock(t *testing.T) {
	j := mustJob(t, chain.LevelZK, chain.JobInfer)
	raw, key := chaintest.Key(10, 2)
	d := j.transfer(pay(alice, coin), resource(chain.ResourceModel, &key))
	d.Attachments = []chain.Attachment{j.Store.Attach(chain.AttachKey, raw)}
	model := d.Sign()
	j.Key = key
	total, _ := j.Total()
	fund := j.transfer(state(total, j.State()), pay(alice, coin-total)).Refer(model.Out(1)).Sign()
	j.utxo = fund.Out(0)
	proof := j.draft(j.exits()["prove"].exit).Sign()
	gone := j.transfer(pay(alice, coin)).Spend(model.Out(1), signedBy(alice)).Sign()
	before := j.Store.Snapshot()
	j.mine(0, model, fund, gone, proof)
	if j.verifier.Verified() != 1 {
		t.Fatalf("%d proofs verified", j.verifier.Verified())
	}
	if n := j.Store.Named[key.Hash]; n != 0 {
		t.Fatalf("%d outputs name a key that came and went", n)
	}
	if err := j.Disconnect(); err != nil {
		t.Fatal(err)
	}
	if len(j.Store.Unspent) != len(before.Unspent) {
		t.Error("undoing the block leads elsewhere")
	}
}
