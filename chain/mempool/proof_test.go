package mempool

import (
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// model publishes a model whose proofs, of a cost, open an output, and opens it with one.
func (w *world) model(coin chain.UTXO, cost uint64, forged bool) (publish, open chaintest.Signed) {
	raw, key := chaintest.Key(cost, 1)
	input := w.net.Store.Attach(chain.AttachInput, []byte("input"))
	output := w.net.Store.Attach(chain.AttachOutput, []byte("output"))
	lock := chain.Proof{
		Kind: chain.JobInfer, Key: key, Job: chain.Hash{1}, Model: chain.Hash{2}, Input: input.SHA256, Payee: w.owner.Lock(),
	}
	d := w.spend(500_000, 0, coin)
	d.Pay(chain.Output{Lock: w.owner.Lock(), Body: &chain.Resource{
		CID: []byte("cid"), Kind: chain.ResourceModel, Name: "name", Owner: w.owner.Lock(), Key: &key,
	}}, chain.Output{Lock: lock, Value: chain.Native(500_000)})
	d.Attachments = []chain.Attachment{w.net.Store.Attach(chain.AttachKey, raw)}
	publish = d.Sign()

	claim := chain.Claim{
		Kind: chain.JobInfer, Key: key, Chain: d.Chain, Job: lock.Job, Payee: chain.LockHash(lock.Payee), Model: lock.Model,
		Input: input.SHA256, Output: output.SHA256,
	}
	proof := chaintest.Prove(&claim)
	if forged {
		proof[0] ^= 1
	}
	d = w.net.Draft().Spend(publish.Out(1), chaintest.With{Choices: []uint64{0, 1, 2}, Data: []any{w.owner}})
	d.Attachments = []chain.Attachment{input, output, w.net.Store.Attach(chain.AttachProof, proof)}
	d.Fee = chain.Native(100_000)
	return publish, d.Pay(w.output(400_000)).Sign()
}

// TestProofUnderAKeyOfThePool: the key is an attachment of a transaction in no block yet.
func TestProofUnderAKeyOfThePool(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	publish, open := w.model(w.coins[0], 2_000, false)
	w.accept(publish)
	w.accept(open)
	if e := w.pool.Get(open.ID()); e.Cost < 2_000 || e.Weight != chain.Weight(e.Base, e.Attached, e.Cost) {
		t.Errorf("cost %d, weight %d", e.Cost, e.Weight)
	}
	w.mine(signedOf(w.pool.Template())...)
}

func TestForgedProofIsRefusedAndRemembered(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	publish, open := w.model(w.coins[0], 2_000, true)
	w.accept(publish)
	if _, err := w.add(open); code(err) != chain.CodeProof {
		t.Fatalf("%v", err)
	}
	w.refuse(open, ErrRefused)
}

// TestUnpaidProofIsNotVerified: the fee counts the cost, and comes before the proof.
func TestUnpaidProofIsNotVerified(t *testing.T) {
	v := &chaintest.Verifier{}
	w := newWorld(t, Config{MinRate: 20_000}, 2)
	w.net.Verifier = v
	publish, open := w.model(w.coins[0], 2_000, false)
	w.mine(publish)
	w.refuse(open, ErrFee)
	if v.Verified() != 0 {
		t.Error("a proof was verified for nothing")
	}
}
