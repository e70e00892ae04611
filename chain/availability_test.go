package chain_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// TestMissingAttachmentIsNotAnInvalidBlock withholds each attachment of a proof, then supplies
// it.
func TestMissingAttachmentIsNotAnInvalidBlock(t *testing.T) {
	h := newHarness(t)
	f := h.proofLock(10)
	b := h.Block(1, f.open(0).Sign())
	for _, a := range b.Txs[1].Attachments {
		raw := h.Store.Withhold(a.SHA256)
		_, err := h.Connect(b)
		var missing *chain.UnavailableError
		if !errors.As(err, &missing) || !reflect.DeepEqual(missing.Missing, []chain.Hash{a.SHA256}) {
			t.Fatalf("withheld: %v", err)
		}
		h.Store.Attach(a.Kind, raw)
	}
	if _, err := h.Connect(b); err != nil {
		t.Fatalf("supplied: %v", err)
	}
}

// swapped answers for every attachment with other bytes.
type swapped struct{}

func (swapped) Attachment(chain.Hash) ([]byte, bool, error) { return []byte("swapped"), true, nil }

// TestSwappedBytesAreAMissingAttachment: a peer that sends other bytes must not make a good
// block invalid, nor poison the cache of proofs.
func TestSwappedBytesAreAMissingAttachment(t *testing.T) {
	h := newHarness(t)
	h.Verifier = chain.NewProofCache(h.verifier, 10)
	b := h.Block(1, h.proofLock(10).open(0).Sign())
	if _, err := h.Apply(&h.Ledger, h.Store, b, swapped{}); !errors.As(err, new(*chain.UnavailableError)) {
		t.Fatal(err)
	}
	b = h.Block(1, only(b))
	if _, err := h.Connect(b); err != nil || h.verifier.Verified() != 1 {
		t.Fatalf("%d proofs verified: %v", h.verifier.Verified(), err)
	}
}

// only returns the one transaction of a block.
func only(b *chain.Block) chaintest.Signed {
	return chaintest.Signed{Tx: b.Txs[1], Witness: b.Witnesses[1]}
}

func TestProofCacheRemembersSuccessesOnly(t *testing.T) {
	h := newHarness(t)
	h.Verifier = chain.NewProofCache(h.verifier, 1)
	f := h.proofLock(10)
	good, bad := f.open(0).Sign(), f.open(1)
	bad.Attachments[2] = h.Store.Attach(chain.AttachProof, make([]byte, 32))
	for i, want := range []struct {
		tx       chaintest.Signed
		code     chain.Code
		verified int
	}{
		{good, 0, 1},
		{good, 0, 1},
		{bad.Sign(), chain.CodeProof, 2},
		{bad.Sign(), chain.CodeProof, 3},
		{good, 0, 3},
		{f.open(1).Sign(), 0, 3},
	} {
		expect(t, h.check(want.tx), want.code)
		if got := h.verifier.Verified(); got != want.verified {
			t.Fatalf("step %d: %d proofs verified, want %d", i, got, want.verified)
		}
	}
	other := newHarness(t).proofLock(10)
	expect(t, other.h.check(other.open(0).Sign()), 0)
}

func TestProofCacheForgetsTheOldest(t *testing.T) {
	v := &chaintest.Verifier{}
	cache := chain.NewProofCache(v, 2)
	for i, verified := range []int{1, 2, 2, 3, 4, 4} {
		c := chain.Claim{Job: chain.Hash{byte([]int{1, 2, 1, 3, 1, 3}[i])}}
		if ok, err := cache.Verify(&c, &chain.Evidence{Proof: chaintest.Prove(&c)}); !ok || err != nil || v.Verified() != verified {
			t.Fatalf("step %d: %v, %v, %d verified", i, ok, err, v.Verified())
		}
	}
}

// TestCheapChecksComeFirst: a transaction that breaks another rule costs no verification of
// proofs, and a block above its budget none at all.
func TestCheapChecksComeFirst(t *testing.T) {
	for name, build := range map[string]func(h *harness) *chain.Block{
		"signature": func(h *harness) *chain.Block {
			f := h.proofLock(10)
			f.payee = alice
			return h.Block(1, f.open(0).Sign())
		},
		"balance": func(h *harness) *chain.Block { return h.Block(1, h.proofLock(10).open(0).Pay(pay(bob, 1)).Sign()) },
		"cost":    func(h *harness) *chain.Block { return h.Block(1, h.proofLock(3_000_001).open(0).Sign()) },
	} {
		h := newHarness(t)
		b := build(h)
		if _, err := h.Connect(b); err == nil || h.verifier.Verified() > 0 {
			t.Errorf("%s: %d proofs verified, %v", name, h.verifier.Verified(), err)
		}
	}
}

var errDisk = errors.New("disk")

// failing is a view whose disk fails.
type failing struct{ chain.View }

func (failing) Entry(chain.Outpoint) (chain.Entry, bool, error) { return chain.Entry{}, false, errDisk }

// keyless is a view whose disk fails on verifying keys.
type keyless struct{ chain.View }

func (keyless) VerifyingKey(chain.Hash) ([]byte, bool, error) { return nil, false, errDisk }

// lossy is a view that has lost its verifying keys.
type lossy struct{ chain.View }

func (lossy) VerifyingKey(chain.Hash) ([]byte, bool, error) { return nil, false, nil }

type failingAttachments struct{}

func (failingAttachments) Attachment(chain.Hash) ([]byte, bool, error) { return nil, false, errDisk }

// TestKeyThatIsNotAtHandIsUnavailable: it was published in a block that was connected without
// attachments.
func TestKeyThatIsNotAtHandIsUnavailable(t *testing.T) {
	h := newHarness(t)
	b := h.Block(1, h.proofLock(10).open(0).Sign())
	_, err := h.Apply(&h.Ledger, lossy{h.Store}, h.Block(1, only(b)), h.Store)
	var missing *chain.UnavailableError
	if !errors.As(err, &missing) || len(missing.Missing) != 1 {
		t.Fatal(err)
	}
	if _, ok, _ := h.Store.VerifyingKey(missing.Missing[0]); !ok {
		t.Errorf("%v is not the key", missing.Missing[0])
	}
}

// TestSignatureCacheSparesBlocks: what CheckTx has verified is not verified again, and a spoilt
// signature of the same transaction still breaks its rule.
func TestSignatureCacheSparesBlocks(t *testing.T) {
	h := newHarness(t)
	h.Signatures = chain.NewSignatureCache(8)
	c := h.coin()
	tx := h.Draft().Spend(c, signedBy(alice)).Pay(pay(bob, coin)).Sign()
	for range 2 {
		if _, err := h.CheckTx(h.Env(), h.Store, h.Store, tx.Tx, tx.Witness); err != nil {
			t.Fatal(err)
		}
	}
	spoilt := chaintest.Signed{Tx: tx.Tx, Witness: chain.Witness{{Data: [][]byte{bytes.Clone(tx.Witness[0].Data[0])}}}}
	spoilt.Witness[0].Data[0][3] ^= 1
	expect(t, h.MineAfter(1, spoilt), chain.CodeSignature)
	h.mine(1, tx)
}

func TestFaultsAreNotBrokenRules(t *testing.T) {
	h := newHarness(t)
	b := h.Block(1, h.proofLock(10).open(0).Sign())
	b = h.Block(1, only(b))
	var rule *chain.RuleError
	var missing *chain.UnavailableError
	for name, run := range map[string]func() error{
		"view": func() error { _, err := h.Apply(&h.Ledger, failing{h.Store}, b, h.Store); return err },
		"keys": func() error { _, err := h.Apply(&h.Ledger, keyless{h.Store}, b, h.Store); return err },
		"attachments": func() error {
			_, err := h.Apply(&h.Ledger, h.Store, b, failingAttachments{})
			return err
		},
		"verifier": func() error {
			h.verifier.Fault = b.Txs[1].Attachments[2].SHA256
			defer func() { h.verifier.Fault = chain.Hash{} }()
			_, err := h.Apply(&h.Ledger, h.Store, b, h.Store)
			return err
		},
	} {
		err := run()
		if err == nil || errors.As(err, &rule) || errors.As(err, &missing) {
			t.Errorf("%s: %v", name, err)
		}
		if name != "verifier" && name != "lost" && !errors.Is(err, errDisk) {
			t.Errorf("%s: the cause is gone: %v", name, err)
		}
	}
}

// TestDeepBlocksConnectWithoutAttachments takes what is attached for granted, and nothing else.
func TestDeepBlocksConnectWithoutAttachments(t *testing.T) {
	h := newHarness(t)
	f := h.proofLock(10)
	good := h.Block(1, f.open(0).Sign())
	with, err := h.Apply(&h.Ledger, h.Store, good, h.Store)
	if err != nil {
		t.Fatal(err)
	}
	without, err := h.Apply(&h.Ledger, h.Store, good, nil)
	if err != nil || !reflect.DeepEqual(with, without) || h.verifier.Verified() != 1 {
		t.Fatalf("without attachments: %v", err)
	}
	f.payee = alice
	_, err = h.Apply(&h.Ledger, h.Store, h.Block(1, f.open(0).Sign()), nil)
	expect(t, err, chain.CodeSignature)
}

func TestGenesisCreatesOnlyTheNativeToken(t *testing.T) {
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		output chain.Output
		want   chain.Code
	}{
		"coins":          {pay(alice, 5), 0},
		"another token":  {chain.Output{Lock: alice.Lock(), Value: chain.Tokens(chain.Hash{1}, 1)}, chain.CodeBalance},
		"a state":        {state(0, &chain.State{Type: chain.StateData}), chain.CodeCoinbaseForm},
		"a bad lock":     {chain.Output{Lock: chain.Threshold{}}, chain.CodeLock},
		"a resource":     {resource(chain.ResourceFile, nil), chain.CodeCoinbaseForm},
		"too much of it": {pay(alice, 1<<64-1), chain.CodeOverflow},
	} {
		_, _, err := chaintest.NewNetwork(v, pay(alice, 1), c.output)
		if got := code(t, err); got != c.want {
			t.Errorf("%s: rule %d, want %d", name, got, c.want)
		}
	}
}

func TestVerdictMeasuresATransaction(t *testing.T) {
	h := newHarness(t)
	d := h.proofLock(1000).open(0)
	tx := d.Sign()
	v, err := h.CheckTx(h.Env(), h.Store, h.Store, tx.Tx, tx.Witness)
	if err != nil {
		t.Fatal(err)
	}
	want := chain.Verdict{
		ID: tx.ID(), WitnessHash: tx.Witness.Hash(), Base: uint64(len(tx.Tx.Encode()) + len(tx.Witness.Encode())),
		Attached: 5 + 6 + 32, Cost: 3*3 + 1000 + 2 + 40,
	}
	want.Weight = (want.Cost*chain.MaxWeight + chain.MaxBlockCost - 1) / chain.MaxBlockCost
	want.Weight = max(want.Weight, want.Base*4)
	if *v != want {
		t.Errorf("got %+v\nwant %+v", *v, want)
	}
	if full := chain.Weight(chain.MaxBlockBase, 0, 0); full != chain.MaxWeight || full != chain.Weight(0, 0, chain.MaxBlockCost) {
		t.Errorf("a full block weighs %d", full)
	}
	if w := chain.Weight(0, 0, 1<<64-1); w != 1<<64-1 {
		t.Errorf("a cost beyond all bounds weighs %d", w)
	}
}

func TestParametersOutOfRangeAreRefused(t *testing.T) {
	for name, change := range map[string]func(p *chain.Params){
		"share above the whole":      func(p *chain.Params) { p.Missed = 10_001 },
		"two shares above it":        func(p *chain.Params) { p.FraudClient, p.FraudProver = 6000, 6000 },
		"price above the price":      func(p *chain.Params) { p.InvalidFee = 10_001 },
		"timely and late together":   func(p *chain.Params) { p.MinLate = 0 },
		"bond beyond all bounds":     func(p *chain.Params) { p.BondZK = 1 << 40 },
		"duration beyond all bounds": func(p *chain.Params) { p.ClaimWindow = 1 << 60 },
	} {
		p := chain.DefaultParams()
		change(&p)
		if _, err := chain.NewValidator(p, &chaintest.Verifier{}, 1); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestDocumentListsEveryRule holds the reference against the code; -update writes it.
func TestDocumentListsEveryRule(t *testing.T) {
	const path = "../docs/rules.md"
	var text strings.Builder
	text.WriteString("# Rules of a block\n\nA broken rule is reported with its code, the transaction and the input. Codes from 101 are of the\n" +
		"block, from 201 of a transaction, from 301 of an input or reference. Written by `go test ./chain -update`.\n\n| code | what must hold | what stays broken |\n|---|---|---|\n")
	scopes := map[chain.Scope]string{
		chain.ScopeBlock: "this block", chain.ScopeBody: "the transaction", chain.ScopeWitness: "the transaction with this witness",
		chain.ScopeLedger: "the transaction, here and now",
	}
	for _, c := range chain.Codes() {
		fmt.Fprintf(&text, "| %d | %s | %s |\n", c, c.Rule(), scopes[c.Scope()])
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != text.String() {
		t.Errorf("%s is not what the code says", path)
	}
}

// TestScopesSayWhatToRememberARefusalBy changes what a refusal may depend on, and looks whether
// the scope allows for it.
func TestScopesSayWhatToRememberARefusalBy(t *testing.T) {
	h := newHarness(t)
	forged := h.transfer(pay(bob, coin)).Sign()
	forged.Witness[0].Data[0][0]++
	expectScope(t, h.check(forged), chain.ScopeWitness)
	forged.Witness[0].Data[0][0]--
	expect(t, h.check(forged), 0)

	early := h.transfer(pay(bob, coin))
	early.From = h.Now() + 5
	tx := early.Sign()
	expectScope(t, h.check(tx), chain.ScopeLedger)
	h.mine(5)
	expect(t, h.check(tx), 0)

	d, _ := policy(h, func(*chain.TokenPolicy) {})
	issue := d.Sign()
	h.mine(1, issue)
	mint := h.Draft().Spend(issue.Out(1), chaintest.With{Exit: chain.PolicyClose, Data: []any{carol}})
	mint.Pay(issue.Tx.Outputs[1])
	expectScope(t, h.check(mint.Sign()), chain.ScopeWitness)
}

func expectScope(t *testing.T, err error, want chain.Scope) {
	t.Helper()
	if got := code(t, err).Scope(); err == nil || got != want {
		t.Errorf("scope %d, want %d: %v", got, want, err)
	}
}
