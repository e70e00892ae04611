package wallet

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

func multi(need int, all ...chaintest.Wallet) chain.Multi {
	m := chain.Multi{Need: need}
	for _, k := range all {
		m.Keys = append(m.Keys, k.Public())
	}
	slices.SortFunc(m.Keys, func(a, b chain.PublicKey) int { return bytes.Compare(a[:], b[:]) })
	return m
}

func hidden(l chain.Lock) chain.Lock { return chain.Address{Hash: chain.LockHash(l)} }

// locked returns a ledger with one output under a lock.
func locked(t *testing.T, l chain.Lock, n uint64) (*world, chain.UTXO) {
	t.Helper()
	w := newWorld(t, chain.Output{Lock: l, Value: chain.Native(n)}, coin(alice, 1_000_000))
	for o, e := range w.Store.Unspent {
		if e.Output.Value.Of(chain.TokenID{}) == n {
			return w, chain.UTXO{Outpoint: o, Entry: e}
		}
	}
	t.Fatal("no such output")
	return nil, chain.UTXO{}
}

func TestLocksThatAKeyOpens(t *testing.T) {
	secret := [32]byte{7}
	for name, c := range map[string]struct {
		lock chain.Lock
		gap  GapKind // -1: none
	}{
		"key":               {alice.Lock(), -1},
		"another key":       {bob.Lock(), GapSignature},
		"address":           {hidden(alice.Lock()), -1},
		"unknown address":   {hidden(bob.Lock()), GapLock},
		"known lock":        {hidden(multi(1, alice, bob)), -1},
		"one of three":      {multi(1, alice, bob, carol), -1},
		"two of three":      {multi(2, alice, bob, carol), GapSignature},
		"after":             {chain.All{Locks: []chain.Lock{chain.After{At: chaintest.GenesisTime}, alice.Lock()}}, -1},
		"too early":         {chain.All{Locks: []chain.Lock{chain.After{At: chaintest.GenesisTime + 1}, alice.Lock()}}, GapTime},
		"before a height":   {chain.All{Locks: []chain.Lock{alice.Lock(), chain.Before{Clock: chain.ClockHeight, At: 2}}}, -1},
		"too late":          {chain.All{Locks: []chain.Lock{alice.Lock(), chain.Before{Clock: chain.ClockHeight, At: 1}}}, GapTime},
		"second branch":     {chain.Any{Locks: []chain.Lock{multi(2, alice, bob), alice.Lock()}}, -1},
		"no branch":         {chain.Any{Locks: []chain.Lock{multi(2, alice, bob), bob.Lock(), chain.Burn()}}, GapSignature},
		"preimage":          {chain.All{Locks: []chain.Lock{chain.HashLock{Digest: sha256.Sum256(secret[:])}, alice.Lock()}}, -1},
		"no preimage":       {chain.All{Locks: []chain.Lock{chain.HashLock{}, alice.Lock()}}, GapPreimage},
		"owner":             {chain.Delegate{Owner: alice.Lock(), Delegate: bob.Lock(), Operations: chain.OpAsset}, -1},
		"delegate as owner": {chain.Delegate{Owner: bob.Lock(), Delegate: alice.Lock(), Operations: chain.OpAsset}, GapSignature},
		"burned":            {chain.All{Locks: []chain.Lock{chain.Burn()}}, GapNever},
		"threshold":         {chain.Threshold{Key: alice.Public(), T: 1, N: 1}, GapNever},
		"channel":           {chain.Any{Locks: []chain.Lock{multi(2, alice, bob), chain.All{Locks: []chain.Lock{chain.After{At: 1 << 62}, alice.Lock()}}}}, GapSignature},
	} {
		t.Run(name, func(t *testing.T) {
			w, u := locked(t, c.lock, 777_777)
			a := w.wallet(alice)
			a.Locks, a.Preimages = []chain.Lock{multi(1, alice, bob)}, [][32]byte{secret}
			needs, err := a.Needs(w.Network.Env(), c.lock)
			if worst, _ := rank(needs.Gaps); err != nil || worst != c.gap {
				t.Fatalf("%+v, %v", needs, err)
			}
			b, err := a.SendFrom(t.Context(), []chain.UTXO{u}, to(bob, 100_000))
			var partial *PartialError
			switch {
			case c.gap < 0:
				w.mine(w.must(b, err))
				if got := w.out(b, 1).Entry.Output; !bytes.Equal(chain.EncodeLock(got.Lock), chain.EncodeLock(c.lock)) {
					t.Error("change is under another lock")
				}
			case errors.As(err, &partial):
				if c.gap != GapSignature || len(partial.Gaps) == 0 || name == "another key" {
					t.Error(err)
				}
			case c.gap == GapSignature && name != "another key", !errors.Is(err, ErrLock):
				t.Error(err)
			}
		})
	}
}

// TestRandomLocksOpenWhenNothingIsMissing compares with validation: without gaps it must take the
// transaction, whatever the lock.
func TestRandomLocksOpenWhenNothingIsMissing(t *testing.T) {
	opened, shut := 0, 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		l := randomLock(r, 3)
		if chain.CheckLock(l) != nil {
			continue
		}
		w, u := locked(t, l, 777_777)
		a := w.wallet(alice)
		b, err := a.SendFrom(t.Context(), []chain.UTXO{u}, to(bob, 100_000))
		if err != nil {
			shut++
			continue
		}
		opened++
		w.mine(b)
	}
	if opened < 60 || shut < 60 {
		t.Errorf("%d locks open, %d do not", opened, shut)
	}
}

func randomLock(r *rand.Rand, depth int) chain.Lock {
	list := func() (all []chain.Lock) {
		for range 1 + r.IntN(3) {
			all = append(all, randomLock(r, depth-1))
		}
		return all
	}
	kinds := 8
	if depth == 0 {
		kinds = 5
	}
	switch r.IntN(kinds) {
	case 0:
		return []chain.Lock{alice.Lock(), bob.Lock(), hidden(alice.Lock())}[r.IntN(3)]
	case 1:
		return multi(1+r.IntN(2), alice, bob)
	case 2:
		return chain.After{Clock: chain.Clock(r.IntN(2)), At: r.Uint64N(3)}
	case 3:
		return chain.Before{Clock: chain.ClockHeight, At: r.Uint64N(4)}
	case 4:
		return alice.Lock()
	case 5:
		return chain.All{Locks: list()}
	case 6:
		return chain.Any{Locks: list()}
	}
	return chain.Any{Locks: append(list(), alice.Lock())}
}

func TestDelegatesMoveWhatTheyMay(t *testing.T) {
	d := chain.Delegate{
		Owner: bob.Lock(), Delegate: alice.Lock(), Operations: chain.OpAsset, Remaining: 500_000, Expiry: chaintest.GenesisTime + 60_000,
	}
	for name, l := range map[string]chain.Lock{
		"alone": d, "in a branch": chain.Any{Locks: []chain.Lock{bob.Lock(), d}}, "with others": chain.All{Locks: []chain.Lock{chain.After{}, d}},
	} {
		t.Run(name, func(t *testing.T) {
			w, u := locked(t, l, 777_777)
			a := w.wallet(alice)
			for _, bad := range []uint64{500_001, 777_778} {
				if _, err := a.Move(t.Context(), u, to(carol, bad)); !errors.Is(err, ErrLock) {
					t.Errorf("moves %d: %v", bad, err)
				}
			}
			b := w.must(a.Move(t.Context(), u, to(carol, 100_000), to(bob, 50_000)))
			w.mine(b)
			if got := w.holds(carol, chain.TokenID{}); got != 100_000 {
				t.Errorf("carol has %d", got)
			}
			w.mine(w.must(a.Move(t.Context(), w.out(b, 0), to(carol, 350_000))))
			if b.Tx.Until != d.Expiry {
				t.Errorf("the window ends at %d", b.Tx.Until)
			}
		})
	}
	w, u := locked(t, alice.Lock(), 777_777)
	if _, err := w.wallet(alice).Move(t.Context(), u, to(carol, 1)); !errors.Is(err, ErrLock) {
		t.Error(err)
	}
}

// TestHostileLocksDoNotTakeForever reveals locks that name one another many times.
func TestHostileLocksDoNotTakeForever(t *testing.T) {
	w, u := locked(t, alice.Lock(), 777_777)
	a := w.wallet(alice)
	l := chain.Lock(alice.Lock())
	for range 40 {
		a.Locks = append(a.Locks, l)
		var all []chain.Lock
		for range 60 {
			all = append(all, hidden(l))
		}
		l = chain.Any{Locks: all}
	}
	u.Entry.Output.Lock = l
	if _, err := a.SendFrom(t.Context(), []chain.UTXO{u}, to(bob, 1)); !errors.Is(err, ErrLock) {
		t.Error(err)
	}
}
