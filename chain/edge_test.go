package chain_test

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

func TestStatesDecodeToWhatTheyWereMadeOf(t *testing.T) {
	j := mustJob(t, chain.LevelOptimistic, chain.JobInfer)
	p := pool(j.harness)
	for _, want := range []interface{ State() *chain.State }{
		&chain.TokenPolicy{ID: chain.Hash{1}, Lock: alice.Lock(), Max: 1}, &p, &j.JobEscrow, &chain.OptClaim{Escrow: j.JobEscrow},
		&chain.InvalidClaim{Escrow: j.JobEscrow}, &chain.OperatorBond{Operator: operator.Lock()}, &chain.Receipt{Job: chain.Hash{1}},
	} {
		if got, err := chain.DecodeState(want.State()); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %#v, %v", got, err)
		}
	}
	if got, err := chain.DecodeState(&chain.State{Type: chain.StateData, Data: []byte("x")}); err != nil || string(got.([]byte)) != "x" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := chain.DecodeState(&chain.State{Type: chain.StateBond}); !errors.As(err, new(*chain.EncodingError)) {
		t.Error(err)
	}
}

// TestExitsThatDoNotExist tries every state with an exit that no state has, and exits without
// what they take.
func TestExitsThatDoNotExist(t *testing.T) {
	j, bond := bonded(t)
	d, _ := policy(j.harness, func(*chain.TokenPolicy) {})
	issue := d.Sign()
	p := pool(j.harness)
	sponsor := j.transfer(state(coin, p.State())).Sign()
	data := j.transfer(chain.Output{Lock: chain.Open(), Value: chain.Native(coin), Body: &chain.State{Type: chain.StateData}}).Sign()
	j.mine(0, issue, sponsor, data)
	opt := mustJob(t, chain.LevelOptimistic, chain.JobInfer)
	inv := mustJob(t, chain.LevelZK, chain.JobProve)
	optClaim, invClaim := opt.claimed("claim"), inv.claimed("invalid")
	for _, c := range []struct {
		h      *harness
		u      chain.UTXO
		signer chaintest.Wallet
	}{
		{j.harness, bond, operator},
		{j.harness, sponsor.Out(0), alice},
		{j.harness, data.Out(0), alice},
		{opt.harness, optClaim, operator},
		{inv.harness, invClaim, operator},
		{j.harness, j.utxo, client},
	} {
		expect(t, c.h.check(c.h.Draft().Spend(c.u, chaintest.With{Exit: 77, Data: []any{c.signer}}).Sign()), chain.CodeExit)
	}
	mint := chaintest.With{Exit: chain.PolicyMint, Data: []any{carol}}
	expect(t, j.check(j.Draft().Spend(issue.Out(1), mint).Sign()), chain.CodeWitness)
	for _, with := range []chaintest.With{
		{Exit: chain.BondSlash}, {Exit: chain.BondSlash, Data: []any{[]byte{1}}}, {Exit: chain.BondUnbond, Data: []any{operator}},
	} {
		expect(t, j.check(j.Draft().Spend(bond, with).Sign()), chain.CodeWitness)
	}
	for _, with := range []chaintest.With{{Exit: chain.SponsorPay}, {Exit: chain.SponsorPay, Choices: []uint64{1}, Data: []any{bob}}} {
		expect(t, j.check(j.Draft().Spend(sponsor.Out(0), with).Sign()), chain.CodeWitness)
	}
}

func TestClaimsNeedTheirOperatorAndAChallengersLock(t *testing.T) {
	j := mustJob(t, chain.LevelZK, chain.JobProve)
	c := j.claimed("invalid")
	d := j.refute(c, carol.Lock(), "output")
	tx := d.Sign()
	tx.Witness[0].Data = nil
	expect(t, j.check(tx), chain.CodeWitness)
	tx.Witness[0].Data = [][]byte{{1}}
	expect(t, j.check(tx), chain.CodeWitness)
	covenant := chain.Delegate{Owner: carol.Lock(), Delegate: carol.Lock()}
	tx.Witness[0].Data = [][]byte{chain.EncodeLock(covenant)}
	expect(t, j.check(tx), chain.CodeWitness)
	j.at(promised + 10*minute)
	forged := exit{chain.ClaimFinal, carol, []uint64{0}, false, 0, []chain.Output{
		pay(operator, bondZK+price/10), pay(client, price-price/10+royalty+reserve-4),
	}}
	expect(t, j.check(j.take(c, forged).Sign()), chain.CodeSignature)
}

func TestOperationsOfResourcesAndStates(t *testing.T) {
	l := delegated(math.MaxUint64)
	l.Operations = chain.OpResource
	h := newHarness(t, chain.Output{Lock: l, Value: chain.Native(1000)})
	rest := l
	u := h.special()
	spend := func(pays ...chain.Output) error {
		d := h.Draft().Spend(u, chaintest.With{Choices: []uint64{1, 0}, Data: []any{bob}})
		return h.check(d.Pay(chain.Output{Lock: rest, Value: chain.Native(1000)}).Pay(pays...).Sign())
	}
	expect(t, spend(resource(chain.ResourceFile, nil)), 0)
	expect(t, spend(chain.Output{Lock: bob.Lock()}), chain.CodeDelegate)
	for kind := chain.StatePolicy; kind <= chain.StateData; kind++ {
		if chain.OpState(kind)&(chain.OpAsset|chain.OpResource) != 0 || chain.OpState(kind) > chain.AllOperations {
			t.Errorf("bit %b of states of type %d", chain.OpState(kind), kind)
		}
	}
}

// TestStoredAmountsThatOverflowAreSeen has a store that holds more than can exist.
func TestStoredAmountsThatOverflowAreSeen(t *testing.T) {
	h := newHarness(t)
	d := h.Draft()
	for i := range byte(2) {
		u := chain.UTXO{Outpoint: chain.Outpoint{Tx: chain.Hash{i}}, Entry: chain.Entry{Output: pay(alice, math.MaxUint64)}}
		h.Store.Unspent[u.Outpoint] = u.Entry
		d.Spend(u, signedBy(alice))
	}
	expect(t, h.check(d.Pay(pay(bob, math.MaxUint64-1)).Sign()), chain.CodeOverflow)
}

func TestBlocksWithoutTheirWitnessesAreRefused(t *testing.T) {
	h := newHarness(t)
	b := h.Block(1, h.transfer(pay(bob, coin)).Sign())
	b.Witnesses = b.Witnesses[:1]
	_, err := h.Connect(b)
	expect(t, err, chain.CodeWitnessRoot)
	b = h.Block(1)
	b.Seal = make([]byte, 63)
	if _, err := chain.DecodeBlock(b.Encode()); !errors.As(err, new(*chain.EncodingError)) {
		t.Errorf("a seal of 63 bytes: %v", err)
	}
	if _, err := chain.DecodeBlock(make([]byte, chain.MaxBlockSize+1)); !errors.As(err, new(*chain.EncodingError)) {
		t.Errorf("a block above the limit: %v", err)
	}
}

func TestBlocksThatAreNoGenesisAreRefused(t *testing.T) {
	h := newHarness(t)
	b := h.Block(1, h.transfer(pay(bob, coin)).Sign())
	_, err := h.Genesis(b)
	expect(t, err, chain.CodeParent)
	spending := &chain.Block{Txs: []*chain.Tx{h.transfer(pay(bob, coin)).Sign().Tx}, Witnesses: []chain.Witness{nil}}
	_, err = h.Genesis(spending)
	expect(t, err, chain.CodeTxRoot)
	spending.Header.TxRoot, spending.Header.WitnessRoot = spending.Roots()
	_, err = h.Genesis(spending)
	expect(t, err, chain.CodeCoinbaseForm)
}

func TestEscrowLeavesRoomForItsClaim(t *testing.T) {
	keys, _ := sorted(alice, bob, carol, client, operator)
	var wide []chain.Lock
	for range 60 {
		wide = append(wide, chain.Multi{Need: 1, Keys: keys})
	}
	_, err := newJob(t, chain.LevelZK, chain.JobInfer, func(e *chain.JobEscrow) { e.Client = chain.Any{Locks: wide} })
	expect(t, err, 0)
	_, err = newJob(t, chain.LevelZK, chain.JobInfer, func(e *chain.JobEscrow) {
		e.Client, e.Operator = chain.Any{Locks: wide}, chain.Any{Locks: wide[:32]}
	})
	expect(t, err, chain.CodeState)
}

func TestAFaultOfTheVerifierOnAKeyIsAFault(t *testing.T) {
	h := newHarness(t)
	h.Verifier = brokenVerifier{h.verifier}
	raw, key := chaintest.Key(5, 1)
	d := h.transfer(pay(bob, coin), resource(chain.ResourceModel, &key))
	d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachKey, raw)}
	var rule *chain.RuleError
	if err := h.check(d.Sign()); !errors.Is(err, errDisk) || errors.As(err, &rule) {
		t.Error(err)
	}
}

type brokenVerifier struct{ chain.ProofVerifier }

func (brokenVerifier) KeyCost(chain.ResourceKind, []byte) (uint64, bool, error) {
	return 0, false, errDisk
}
