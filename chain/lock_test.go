package chain_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// lockCase spends an output of 1,000 under a lock.
type lockCase struct {
	name string
	lock chain.Lock
	with chaintest.With
	want chain.Code // 0: spends
}

func sorted(wallets ...chaintest.Wallet) ([]chain.PublicKey, []chaintest.Wallet) {
	for i := range wallets {
		for k := i; k > 0; k-- {
			a, b := wallets[k-1].Public(), wallets[k].Public()
			if bytes.Compare(a[:], b[:]) > 0 {
				wallets[k-1], wallets[k] = wallets[k], wallets[k-1]
			}
		}
	}
	var keys []chain.PublicKey
	for _, w := range wallets {
		keys = append(keys, w.Public())
	}
	return keys, wallets
}

func lockCases() []lockCase {
	preimage := bytes.Repeat([]byte{7}, 32)
	keys, w := sorted(alice, bob, carol)
	multi := chain.Multi{Need: 2, Keys: keys}
	hash := chain.HashLock{Digest: sha256.Sum256(preimage)}
	short := chain.HashLock{Digest: sha256.Sum256(preimage[:31])}
	either := chain.Any{Locks: []chain.Lock{alice.Lock(), bob.Lock()}}
	both := chain.All{Locks: []chain.Lock{alice.Lock(), hash}}
	wrapped := chain.All{Locks: []chain.Lock{chain.Address{Hash: chain.LockHash(alice.Lock())}}}
	revealed := chain.Address{Hash: chain.LockHash(either)}
	now := uint64(chaintest.GenesisTime)
	at := func(clock chain.Clock, t uint64) (chain.Lock, chain.Lock) {
		return chain.After{Clock: clock, At: t}, chain.Before{Clock: clock, At: t}
	}
	afterNow, beforeNow := at(chain.ClockTime, now)
	afterNext, beforeNext := at(chain.ClockTime, now+1)
	after1, before1 := at(chain.ClockHeight, 1)
	after2, before2 := at(chain.ClockHeight, 2)
	nested := chain.LockHash(wrapped)
	wide := chain.All{}
	for range 40 {
		wide.Locks = append(wide.Locks, chain.All{})
	}
	twice := chain.All{Locks: []chain.Lock{chain.Address{Hash: chain.LockHash(wide)}, chain.Address{Hash: chain.LockHash(wide)}}}
	none := chaintest.With{}
	return []lockCase{
		{"key, its signature", alice.Lock(), signedBy(alice), 0},
		{"key, another's signature", alice.Lock(), signedBy(bob), chain.CodeSignature},
		{"key, no signature", alice.Lock(), none, chain.CodeWitness},
		{"key, two signatures", alice.Lock(), signedBy(alice, alice), chain.CodeWitness},
		{"key, a signature and a choice", alice.Lock(), chaintest.With{Choices: []uint64{0}, Data: []any{alice}}, chain.CodeWitness},
		{"key, short signature", alice.Lock(), signedBy(make([]byte, 63)), chain.CodeWitness},
		{"threshold", chain.Threshold{Key: alice.Public(), T: 2, N: 3}, signedBy(alice), 0},
		{"threshold, another's signature", chain.Threshold{Key: alice.Public(), T: 2, N: 3}, signedBy(bob), chain.CodeSignature},
		{"multi, first and last", multi, chaintest.With{Choices: []uint64{0b101}, Data: []any{w[0], w[2]}}, 0},
		{"multi, in another order", multi, chaintest.With{Choices: []uint64{0b101}, Data: []any{w[2], w[0]}}, chain.CodeSignature},
		{"multi, one signature", multi, chaintest.With{Choices: []uint64{0b001}, Data: []any{w[0]}}, chain.CodeWitness},
		{"multi, three signatures", multi, chaintest.With{Choices: []uint64{0b111}, Data: []any{w[0], w[1], w[2]}}, chain.CodeWitness},
		{"multi, a key that is not there", multi, chaintest.With{Choices: []uint64{0b1001}, Data: []any{w[0], w[1]}}, chain.CodeWitness},
		{"multi, one key twice", multi, chaintest.With{Choices: []uint64{0b011}, Data: []any{w[0], w[0]}}, chain.CodeSignature},
		{"hash, preimage", hash, signedBy(preimage), 0},
		{"hash, another preimage", hash, signedBy(make([]byte, 32)), chain.CodeUnsatisfied},
		{"hash, preimage of 31 bytes", short, signedBy(preimage[:31]), chain.CodeUnsatisfied},
		{"after, at the instant", afterNow, none, 0},
		{"after, too early", afterNext, none, chain.CodeLockTime},
		{"before, in time", beforeNext, none, 0},
		{"before, at the instant", beforeNow, none, chain.CodeLockTime},
		{"after a height, at it", after1, none, 0},
		{"after a height, too early", after2, none, chain.CodeLockTime},
		{"before a height, in time", before2, none, 0},
		{"before a height, at it", before1, none, chain.CodeLockTime},
		{"all", both, signedBy(alice, preimage), 0},
		{"all, in another order", both, signedBy(preimage, alice), chain.CodeWitness},
		{"all, one missing", both, signedBy(alice), chain.CodeWitness},
		{"all of none", chain.Open(), none, 0},
		{"any, first", either, chaintest.With{Choices: []uint64{0}, Data: []any{alice}}, 0},
		{"any, second", either, chaintest.With{Choices: []uint64{1}, Data: []any{bob}}, 0},
		{"any, the other's signature", either, chaintest.With{Choices: []uint64{1}, Data: []any{alice}}, chain.CodeSignature},
		{"any, a branch that is not there", either, chaintest.With{Choices: []uint64{2}, Data: []any{alice}}, chain.CodeWitness},
		{"any, no branch named", either, signedBy(alice), chain.CodeWitness},
		{"address", revealed, chaintest.With{Choices: []uint64{1}, Data: []any{chain.EncodeLock(either), bob}}, 0},
		{"address, another lock", revealed, signedBy(chain.EncodeLock(bob.Lock()), bob), chain.CodeUnsatisfied},
		{"address, bytes that are no lock", chain.Address{Hash: sha256.Sum256([]byte{1})}, signedBy([]byte{1}), chain.CodeUnsatisfied},
		{"address of an address", chain.Address{Hash: sha256.Sum256(chain.EncodeLock(revealed))}, signedBy(chain.EncodeLock(revealed)), chain.CodeUnsatisfied},
		{
			"address in a revealed lock",
			chain.Address{Hash: nested},
			signedBy(chain.EncodeLock(wrapped), chain.EncodeLock(alice.Lock()), alice), 0,
		},
		{"more nodes than a lock has, with those revealed", twice, signedBy(chain.EncodeLock(wide), chain.EncodeLock(wide)), chain.CodeUnsatisfied},
		{"an exit, where there is none", alice.Lock(), chaintest.With{Exit: 1, Data: []any{alice}}, chain.CodeExit},
		{"a segment, where there is none", alice.Lock(), chaintest.With{OutBase: 1, Data: []any{alice}}, chain.CodeWitness},
	}
}

func TestLocksOpenForTheirWitnessOnly(t *testing.T) {
	for _, c := range lockCases() {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, chain.Output{Lock: c.lock, Value: chain.Native(1000)})
			tx := h.Draft().Spend(h.special(), c.with).Pay(pay(bob, 1000)).Sign()
			expect(t, h.check(tx), c.want)
		})
	}
}

func TestBurnedAssetsNeverBecomeUnspent(t *testing.T) {
	h := newHarness(t)
	tx := h.transfer(chain.Output{Lock: chain.Burn(), Value: chain.Native(coin)}).Sign()
	h.mine(1, tx)
	if _, err := h.Unspent(tx.Out(0).Outpoint); err == nil {
		t.Error("a burned asset is kept")
	}
	h = newHarness(t)
	tx = h.transfer(chain.Output{Lock: chain.Burn(), Value: chain.Native(coin), Body: &chain.State{Type: chain.StateData}}).Sign()
	h.mine(1, tx)
	u, err := h.Unspent(tx.Out(0).Outpoint)
	if err != nil {
		t.Fatal("data that nobody can spend can't be referenced")
	}
	expect(t, h.check(h.Draft().Spend(u, chaintest.With{}).Pay(pay(bob, coin)).Sign()), chain.CodeUnsatisfied)
	expect(t, h.check(h.transfer(pay(bob, coin)).Refer(u).Sign()), 0)
}

// TestSignaturesBindEverythingButWitnesses signs one thing and says another.
func TestSignaturesBindEverythingButWitnesses(t *testing.T) {
	for name, change := range map[string]func(tx *chain.Tx){
		"output": func(tx *chain.Tx) { tx.Outputs[0].Lock = bob.Lock() },
		"window": func(tx *chain.Tx) { tx.Until = 1 << 60 },
		"attachments": func(tx *chain.Tx) {
			tx.Attachments = []chain.Attachment{{Kind: chain.AttachData, SHA256: sha256.Sum256(nil)}}
		},
	} {
		h := newHarness(t)
		tx := h.transfer(pay(carol, coin)).Sign()
		h.Store.Attach(chain.AttachData, []byte{})
		expect(t, h.check(tx), 0)
		change(tx.Tx)
		if err := h.check(tx); code(t, err) != chain.CodeSignature {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignatureIsOfOneInputOnly(t *testing.T) {
	h := newHarness(t)
	tx := h.Draft().Spend(h.coin(), signedBy(alice)).Spend(h.coin(), signedBy(alice)).Pay(pay(bob, 2*coin)).Sign()
	expect(t, h.check(tx), 0)
	tx.Witness[0], tx.Witness[1] = tx.Witness[1], tx.Witness[0]
	expect(t, h.check(tx), chain.CodeSignature)
}

// TestSignaturesFollowZIP215 has a key and a commitment that are the identity, encoded in a way
// that RFC 8032 refuses: y = p + 1. See ZIP 215, which fixes that both are to be accepted.
func TestSignaturesFollowZIP215(t *testing.T) {
	identity := bytes.Repeat([]byte{0xff}, 32)
	identity[0], identity[31] = 0xee, 0x7f
	sig := append(bytes.Clone(identity), make([]byte, 32)...)
	h := newHarness(t, chain.Output{Lock: chain.Key{Key: chain.PublicKey(identity)}, Value: chain.Native(5)})
	u := h.special()
	expect(t, h.check(h.Draft().Spend(u, signedBy(sig)).Pay(pay(bob, 5)).Sign()), 0)
	sig[32] = 1
	expect(t, h.check(h.Draft().Spend(u, signedBy(sig)).Pay(pay(bob, 5)).Sign()), chain.CodeSignature)
}

func TestLocksOutsideTheirLimitsAreNotCreated(t *testing.T) {
	deep := chain.Lock(alice.Lock())
	for range chain.MaxLockDepth - 1 {
		deep = chain.All{Locks: []chain.Lock{deep}}
	}
	wide := chain.All{Locks: make([]chain.Lock, chain.MaxLockNodes-1)}
	for i := range wide.Locks {
		wide.Locks[i] = alice.Lock()
	}
	keys, _ := sorted(alice, bob)
	delegate := func(l chain.Lock) chain.Lock { return chain.Delegate{Owner: alice.Lock(), Delegate: l} }
	for name, c := range map[string]struct {
		lock chain.Lock
		ok   bool
	}{
		"deepest":               {deep, true},
		"too deep":              {chain.All{Locks: []chain.Lock{deep}}, false},
		"widest":                {wide, true},
		"too wide":              {chain.All{Locks: append(wide.Locks, alice.Lock())}, false},
		"multi of none":         {chain.Multi{Need: 0, Keys: keys}, false},
		"multi of too many":     {chain.Multi{Need: 3, Keys: keys}, false},
		"multi unsorted":        {chain.Multi{Need: 1, Keys: []chain.PublicKey{keys[1], keys[0]}}, false},
		"multi with one twice":  {chain.Multi{Need: 1, Keys: []chain.PublicKey{keys[0], keys[0]}}, false},
		"unknown clock":         {chain.After{Clock: 2}, false},
		"threshold of nothing":  {chain.Threshold{}, false},
		"threshold above n":     {chain.Threshold{T: 3, N: 2}, false},
		"delegate":              {delegate(bob.Lock()), true},
		"delegate of delegates": {delegate(delegate(bob.Lock())), false},
		"delegate of a proof":   {delegate(chain.All{Locks: []chain.Lock{chain.Proof{Payee: bob.Lock()}}}), false},
		"unknown operation":     {chain.Delegate{Owner: alice.Lock(), Delegate: bob.Lock(), Operations: chain.AllOperations + 1}, false},
		"missing":               {chain.All{Locks: []chain.Lock{nil}}, false},
		"proof of nothing":      {chain.Proof{Payee: bob.Lock()}, false},
	} {
		if err := chain.CheckLock(c.lock); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := chain.LockHash(chain.Address{Hash: chain.LockHash(deep)}); got != chain.LockHash(deep) {
		t.Error("a lock and its address have two identities")
	}
}
