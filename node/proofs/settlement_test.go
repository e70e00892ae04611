package proofs

import (
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// market is a ledger with a published model and two parties.
type market struct {
	*chaintest.Network
	t                *testing.T
	model            *shipped
	coins            []chain.UTXO
	resource         chain.UTXO
	key              chain.VerifyingKey
	client, operator chaintest.Wallet
}

func newMarket(t *testing.T, v *Verifier) *market {
	t.Helper()
	m := &market{t: t, model: prepare(t, "iris_mlp"), client: chaintest.NewWallet("client"), operator: chaintest.NewWallet("operator")}
	rules, err := chain.NewValidator(chain.DefaultParams(), chain.NewProofCache(v, 100), 2)
	if err != nil {
		t.Fatal(err)
	}
	var outputs []chain.Output
	for range 8 {
		outputs = append(outputs, chain.Output{Lock: m.client.Lock(), Value: chain.Native(100_000)})
	}
	if m.Network, m.coins, err = chaintest.NewNetwork(rules, outputs...); err != nil {
		t.Fatal(err)
	}
	raw := EncodeModel(m.model.model())
	attachment := m.Store.Attach(chain.AttachKey, raw)
	units, ok, err := v.KeyCost(chain.ResourceModel, raw)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	m.key = chain.VerifyingKey{Hash: attachment.SHA256, Len: attachment.Len, Cost: units}
	d := m.spend(m.coin())
	d.Attachments = []chain.Attachment{attachment}
	d.Pay(chain.Output{Lock: m.client.Lock(), Value: chain.Native(100_000), Body: &chain.Resource{
		CID: []byte{1}, Kind: chain.ResourceModel, Size: 1, Owner: m.client.Lock(), Key: &m.key,
	}})
	published := d.Sign()
	m.must(m.Mine(published))
	m.resource = published.Out(0)
	return m
}

func (m *market) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *market) coin() chain.UTXO {
	c := m.coins[0]
	m.coins = m.coins[1:]
	return c
}

func (m *market) spend(u chain.UTXO) *chaintest.Draft {
	return m.Draft().Spend(u, chaintest.With{Data: []any{m.client}})
}

// escrow opens an escrow for the sample input.
func (m *market) escrow(level chain.Level, nonce byte) (chain.JobEscrow, chain.UTXO) {
	e := chain.JobEscrow{
		Job: chain.JobID(m.Ledger.Chain, m.client.Lock(), [16]byte{nonce}, chain.Hash{}), Client: m.client.Lock(), Operator: m.operator.Lock(),
		Level: level, Kind: chain.JobInfer, Key: m.key, Model: m.model.model().Digest(),
		Input: m.Store.Attach(chain.AttachInput, EncodeInput(m.model.cells)).SHA256,
		Price: 1000, FeeReserve: 2000, Bond: 97_000, Start: m.Now(), Due: m.Now() + 200_000, Late: m.Now() + 900_000,
	}
	tx := m.spend(m.coin()).Refer(m.resource).Pay(chain.Output{Lock: chain.Open(), Value: chain.Native(100_000), Body: e.State()}).Sign()
	m.must(m.Mine(tx))
	return e, tx.Out(0)
}

// attach lists input, output and proof of a run beside a draft.
func (m *market) attach(d *chaintest.Draft, output, proof []byte) []uint64 {
	d.Attachments = append(d.Attachments,
		m.Store.Attach(chain.AttachInput, EncodeInput(m.model.cells)), m.Store.Attach(chain.AttachOutput, output), m.Store.Attach(chain.AttachProof, proof))
	return []uint64{0, 1, 2}
}

// settle takes the exit prove with an output and a proof, and a fee of zero.
func (m *market) settle(e *chain.JobEscrow, u chain.UTXO, output, proof []byte) chaintest.Signed {
	d := m.Draft()
	choices := m.attach(d, output, proof)
	d.Spend(u, chaintest.With{Exit: chain.EscrowProve, Choices: append(choices, 0), Data: []any{m.operator}})
	d.Pay(chain.Output{Lock: m.operator.Lock(), Value: chain.Native(e.Price + e.Bond)}, chain.Output{Lock: m.client.Lock(), Value: chain.Native(e.FeeReserve)})
	r := chain.Receipt{
		Job: e.Job, Kind: e.Kind, Level: e.Level, Model: e.Model, Input: e.Input, Output: d.Attachments[1].SHA256,
		Operator: chain.LockHash(m.operator.Lock()), Paid: chain.Coin{Amount: e.Price},
	}
	return d.Pay(chain.Output{Lock: m.client.Lock(), Body: r.State()}).Sign()
}

func (m *market) proofFor(e *chain.JobEscrow, payee chain.Lock) (output, proof []byte) {
	return m.model.prove(m.t, JobOf(m.Ledger.Chain, e.Job, chain.LockHash(payee)))
}

func broken(t *testing.T, name string, err error, want chain.Code) {
	t.Helper()
	r, ok := err.(*chain.RuleError)
	if !ok || r.Code != want {
		t.Errorf("%s: %v, want rule %d", name, err, want)
	}
}

func TestEscrowPaysForARealProofOfItsJobOnly(t *testing.T) {
	m := newMarket(t, New(Config{}))
	e, u := m.escrow(chain.LevelZK, 1)
	output, proof := m.proofFor(&e, m.operator.Lock())
	broken(t, "wrong output", m.Mine(m.settle(&e, u, anotherOutput(t, output), proof)), chain.CodeProof)
	other := e
	other.Job[0]++
	_, replayed := m.proofFor(&other, m.operator.Lock())
	broken(t, "proof of another job", m.Mine(m.settle(&e, u, output, replayed)), chain.CodeProof)
	_, stolen := m.proofFor(&e, m.client.Lock())
	broken(t, "proof made for another", m.Mine(m.settle(&e, u, output, stolen)), chain.CodeProof)
	_, foreign := m.model.prove(t, JobOf(chain.Hash{9}, e.Job, chain.LockHash(m.operator.Lock())))
	broken(t, "proof for another chain", m.Mine(m.settle(&e, u, output, foreign)), chain.CodeProof)
	m.must(m.Mine(m.settle(&e, u, output, proof)))
}

// claim lets the operator say an output of an optimistic job.
func (m *market) claim(e *chain.JobEscrow, u chain.UTXO, output []byte) chain.UTXO {
	final := m.Now() + m.Params.ClaimWindow + 1000
	d := m.Draft()
	d.Attachments = []chain.Attachment{m.Store.Attach(chain.AttachInput, EncodeInput(m.model.cells)), m.Store.Attach(chain.AttachOutput, output)}
	d.Spend(u, chaintest.With{Exit: chain.EscrowClaim, Choices: []uint64{0, 1, final, 0}, Data: []any{m.operator}})
	claim := chain.OptClaim{Escrow: *e, Output: d.Attachments[1].SHA256, Final: final}
	tx := d.Pay(chain.Output{Lock: chain.Open(), Value: chain.Native(100_000), Body: claim.State()}).Sign()
	m.must(m.Mine(tx))
	return tx.Out(0)
}

// refute shows a proof that a challenger has made.
func (m *market) refute(e *chain.JobEscrow, u chain.UTXO, challenger chaintest.Wallet) chaintest.Signed {
	output, proof := m.proofFor(e, challenger.Lock())
	d := m.Draft()
	choices := m.attach(d, output, proof)
	d.Spend(u, chaintest.With{Exit: chain.ClaimRefute, Choices: choices, Data: []any{chain.EncodeLock(challenger.Lock())}})
	quarter := e.Bond * m.Params.FraudClient / 10_000
	d.Pay(
		chain.Output{Lock: m.client.Lock(), Value: chain.Native(e.Price + e.FeeReserve + quarter)},
		chain.Output{Lock: challenger.Lock(), Value: chain.Native(quarter)},
		chain.Output{Lock: chain.Burn(), Value: chain.Native(e.Bond - 2*quarter)},
	)
	return d.Sign()
}

func TestFraudProofSlashesALieAndNeverTheTruth(t *testing.T) {
	m := newMarket(t, New(Config{}))
	challenger := chaintest.NewWallet("challenger")
	e, u := m.escrow(chain.LevelOptimistic, 1)
	truth, _ := m.proofFor(&e, m.operator.Lock())
	broken(t, "an honest claim", m.Mine(m.refute(&e, m.claim(&e, u, truth), challenger)), chain.CodeStatement)
	e, u = m.escrow(chain.LevelOptimistic, 2)
	m.must(m.Mine(m.refute(&e, m.claim(&e, u, anotherOutput(t, truth)), challenger)))
}
