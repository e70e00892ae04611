package proofs

import (
	"bytes"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// sold is a circuit on the ledger, with a proof of one public witness.
type sold struct {
	*market
	evidence *chain.Evidence
}

func newSold(t *testing.T, scheme string) *sold {
	t.Helper()
	v := New(Config{})
	m := newMarket(t, v)
	_, e := circuitClaim(t, scheme, "bn254")
	kind := chain.ResourceGroth16
	if scheme == schemePLONK {
		kind = chain.ResourcePlonk
	}
	units, ok, err := v.KeyCost(kind, e.Key)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	attachment := m.Store.Attach(chain.AttachKey, e.Key)
	m.key = chain.VerifyingKey{Hash: attachment.SHA256, Len: attachment.Len, Cost: units}
	d := m.spend(m.coin())
	d.Attachments = []chain.Attachment{attachment}
	d.Pay(chain.Output{Lock: m.client.Lock(), Value: chain.Native(100_000), Body: &chain.Resource{
		CID: []byte{2}, Kind: kind, Size: 1, Owner: m.client.Lock(), Key: &m.key,
	}})
	published := d.Sign()
	m.must(m.Mine(published))
	m.resource = published.Out(0)
	return &sold{m, e}
}

// open opens an escrow for the public witness.
func (s *sold) open(nonce byte) (chain.JobEscrow, chain.UTXO) {
	e := chain.JobEscrow{
		Job: chain.JobID(s.Ledger.Chain, s.client.Lock(), [16]byte{nonce}, chain.Hash{}), Client: s.client.Lock(), Operator: s.operator.Lock(),
		Level: chain.LevelZK, Kind: chain.JobProve, Key: s.key, Model: s.key.Hash, Input: s.Store.Attach(chain.AttachInput, s.evidence.Input).SHA256,
		Price: 1000, FeeReserve: 2000, Bond: 97_000, Start: s.Now(), Due: s.Now() + 200_000, Late: s.Now() + 900_000,
	}
	tx := s.spend(s.coin()).Refer(s.resource).Pay(chain.Output{Lock: chain.Open(), Value: chain.Native(100_000), Body: e.State()}).Sign()
	s.must(s.Mine(tx))
	return e, tx.Out(0)
}

// show attaches a proof of the public witness, with no output.
func (s *sold) show(d *chaintest.Draft, proof []byte) []uint64 {
	d.Attachments = append(d.Attachments,
		s.Store.Attach(chain.AttachInput, s.evidence.Input), s.Store.Attach(chain.AttachOutput, nil), s.Store.Attach(chain.AttachProof, proof))
	return []uint64{0, 1, 2}
}

// settle takes the exit prove, which one signs and one is paid for.
func (s *sold) settle(e *chain.JobEscrow, u chain.UTXO, signs, paid chaintest.Wallet, proof []byte) chaintest.Signed {
	d := s.Draft()
	choices := s.show(d, proof)
	d.Spend(u, chaintest.With{Exit: chain.EscrowProve, Choices: append(choices, 0), Data: []any{signs}})
	d.Pay(chain.Output{Lock: paid.Lock(), Value: chain.Native(e.Price + e.Bond)}, chain.Output{Lock: s.client.Lock(), Value: chain.Native(e.FeeReserve)})
	r := chain.Receipt{
		Job: e.Job, Kind: e.Kind, Level: e.Level, Model: e.Model, Input: e.Input, Output: d.Attachments[1].SHA256,
		Operator: chain.LockHash(paid.Lock()), Paid: chain.Coin{Amount: e.Price},
	}
	return d.Pay(chain.Output{Lock: s.client.Lock(), Body: r.State()}).Sign()
}

func TestCircuitEscrowPaysItsOperatorForAProofOnly(t *testing.T) {
	for _, scheme := range schemes() {
		s := newSold(t, scheme)
		e, u := s.open(1)
		thief := chaintest.NewWallet("thief")
		broken(t, "a stolen proof", s.Mine(s.settle(&e, u, thief, thief, s.evidence.Proof)), chain.CodeSegmentOutput)
		broken(t, "a stolen proof for its operator", s.Mine(s.settle(&e, u, thief, s.operator, s.evidence.Proof)), chain.CodeSignature)
		_, other := circuitClaim(t, scheme, "bn254")
		broken(t, "a proof under another key", s.Mine(s.settle(&e, u, s.operator, s.operator, other.Proof)), chain.CodeProof)
		spoilt := bytes.Clone(s.evidence.Proof)
		spoilt[len(spoilt)/2] ^= 1
		broken(t, "a spoilt proof", s.Mine(s.settle(&e, u, s.operator, s.operator, spoilt)), chain.CodeProof)
		s.must(s.Mine(s.settle(&e, u, s.operator, s.operator, s.evidence.Proof)))
	}
}

// claimed lets the operator say that the witness is invalid.
func (s *sold) claimed(e *chain.JobEscrow, u chain.UTXO) (chain.UTXO, uint64) {
	final := s.Now() + s.Params.InvalidWindow + 1000
	c := chain.InvalidClaim{Escrow: *e, Final: final}
	tx := s.Draft().Spend(u, chaintest.With{Exit: chain.EscrowInvalid, Choices: []uint64{final, 0}, Data: []any{s.operator}}).
		Pay(chain.Output{Lock: chain.Open(), Value: chain.Native(100_000), Body: c.State()}).Sign()
	s.must(s.Mine(tx))
	return tx.Out(0), final
}

func TestInvalidWitnessCostsItsClientUnlessAProofIsShown(t *testing.T) {
	s := newSold(t, schemeGroth16)
	challenger := chaintest.NewWallet("challenger")
	e, u := s.open(1)
	claim, _ := s.claimed(&e, u)
	d := s.Draft()
	choices := s.show(d, s.evidence.Proof)
	d.Spend(claim, chaintest.With{Exit: chain.ClaimRefute, Choices: choices, Data: []any{chain.EncodeLock(challenger.Lock())}})
	quarter := e.Bond * s.Params.FraudClient / 10_000
	refuted := d.Pay(
		chain.Output{Lock: s.client.Lock(), Value: chain.Native(e.Price + e.FeeReserve + quarter)},
		chain.Output{Lock: challenger.Lock(), Value: chain.Native(quarter)},
		chain.Output{Lock: chain.Burn(), Value: chain.Native(e.Bond - 2*quarter)},
	).Sign()
	s.must(s.Mine(refuted))

	e, u = s.open(2)
	claim, final := s.claimed(&e, u)
	last := func() chaintest.Signed {
		fee := e.Price * s.Params.InvalidFee / 10_000
		return s.Draft().Spend(claim, chaintest.With{Exit: chain.ClaimFinal, Choices: []uint64{0}, Data: []any{s.operator}}).Pay(
			chain.Output{Lock: s.operator.Lock(), Value: chain.Native(fee + e.Bond)},
			chain.Output{Lock: s.client.Lock(), Value: chain.Native(e.Price - fee + e.FeeReserve)},
		).Sign()
	}
	broken(t, "before its time", s.Mine(last()), chain.CodeExitTime)
	s.must(s.MineAfter(final - s.Now()))
	s.must(s.Mine(last()))
}
