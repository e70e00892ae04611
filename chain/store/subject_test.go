package store

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
)

func TestOutputsAreFoundByEveryParty(t *testing.T) {
	a, b, c := alice.Lock(), bob.Lock(), client.Lock()
	by := func(r Role, l chain.Lock) Subject { return OfLock(r, l) }
	escrow := chain.JobEscrow{
		Job: chain.Hash{7}, Client: c, Operator: b, Level: chain.LevelZK, Kind: chain.JobInfer, Price: 1, Due: 1, Late: 2,
	}
	states := func(s *chain.State) chain.Output { return chain.Output{Lock: chain.Open(), Body: s} }
	token := chain.Hash{9}
	delegate := chain.Delegate{Owner: a, Delegate: b}
	proof := chain.Proof{Payee: c}
	for name, k := range map[string]struct {
		out  chain.Output
		want []Subject
	}{
		"coin":    {pay(alice, 1), []Subject{by(RoleLock, a)}},
		"address": {chain.Output{Lock: chain.Address{Hash: chain.LockHash(a)}}, []Subject{by(RoleLock, a)}},
		"open":    {chain.Output{Lock: chain.Open()}, nil},
		"token": {
			chain.Output{Lock: a, Value: chain.Value{{Amount: 1}, {Token: token, Amount: 1}}},
			[]Subject{by(RoleLock, a), {RoleToken, token}},
		},
		"delegate": {chain.Output{Lock: delegate}, []Subject{by(RoleOwner, a), by(RoleUser, b), by(RoleLock, delegate)}},
		"proof":    {chain.Output{Lock: proof}, []Subject{by(RoleUser, c), by(RoleLock, proof)}},
		"resource": {
			chain.Output{Lock: a, Body: &chain.Resource{CID: []byte("cid"), Owner: b}},
			[]Subject{by(RoleLock, a), by(RoleOwner, b), OfContent([]byte("cid"))},
		},
		"policy": {
			states((&chain.TokenPolicy{ID: token, Lock: a, Max: 1}).State()),
			[]Subject{OfState(chain.StatePolicy), {RoleToken, token}, by(RoleOwner, a)},
		},
		"pool": {
			states((&chain.SponsorPool{Owner: a, Users: []chain.Lock{b, c, b}, Rate: 1, MaxPerTx: 1}).State()),
			[]Subject{OfState(chain.StateSponsor), by(RoleOwner, a), by(RoleUser, b), by(RoleUser, c)},
		},
		"bond": {
			states((&chain.OperatorBond{Operator: b}).State()),
			[]Subject{OfState(chain.StateBond), by(RoleOperator, b)},
		},
		"escrow": {
			states(escrow.State()),
			[]Subject{OfState(chain.StateEscrow), {RoleJob, escrow.Job}, by(RoleClient, c), by(RoleOperator, b)},
		},
		"claim": {
			states((&chain.OptClaim{Escrow: escrow}).State()),
			[]Subject{OfState(chain.StateClaim), {RoleJob, escrow.Job}, by(RoleClient, c), by(RoleOperator, b)},
		},
		"invalid witness": {
			states((&chain.InvalidClaim{Escrow: escrow}).State()),
			[]Subject{OfState(chain.StateInvalid), {RoleJob, escrow.Job}, by(RoleClient, c), by(RoleOperator, b)},
		},
		"receipt": {
			chain.Output{Lock: c, Body: (&chain.Receipt{Job: escrow.Job, Operator: chain.LockHash(b)}).State()},
			[]Subject{by(RoleLock, c), OfState(chain.StateReceipt), {RoleJob, escrow.Job}, by(RoleOperator, b)},
		},
		"data": {
			chain.Output{Lock: a, Body: &chain.State{Type: chain.StateData, Data: []byte("x")}},
			[]Subject{by(RoleLock, a), OfState(chain.StateData)},
		},
		"damaged state": {states(&chain.State{Type: chain.StateBond, Data: []byte("x")}), []Subject{OfState(chain.StateBond)}},
	} {
		if got := subjects(&k.out); !slices.Equal(got, k.want) {
			t.Errorf("%s: %v, want %v", name, got, k.want)
		}
	}
}

func TestCursorsOfOtherQueriesAreRefused(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	r := w.s.Reader()
	defer r.Close()
	s := OfLock(RoleLock, alice.Lock())
	_, _, outputs := r.Outputs(s, Cursor("x"), 1)
	_, _, history := r.History(s, Cursor("x"), 1)
	_, _, keys := r.MissingKeys(Cursor("x"), 1)
	if outputs == nil || history == nil || keys == nil {
		t.Fatalf("%v, %v, %v", outputs, history, keys)
	}
}

// FuzzDecoders gives every decoder of values the same bytes.
func FuzzDecoders(f *testing.F) {
	w := newMaps(f, small(), pay(alice, 10), pay(bob, 10))
	c := newChange(w.o.Genesis, w.o.Applied)
	r := record{w.o.Applied.After, true, []chain.KeyChange{{Added: 300, Removed: 1}}}
	m := move{start: chain.Hash{1}, undo: []chain.Hash{{1}, {2}}, apply: []chain.Hash{{3}}}
	h := chain.StoredHeader{Header: w.o.Genesis.Header, Seal: make([]byte, sealSize), Stored: true}
	for prefix, raw := range map[byte][]byte{
		keyGroup: appendOutputs(nil, c.added), keyRecord: r.encode(), keyJournal: m.encode(), keyRedo: c.index().encode(),
		keyHeader: encodeHeader(&h), keyBody: w.o.Genesis.Encode(), keySpent: spent{1, 2}.encode(),
	} {
		f.Add(prefix, raw)
	}
	keys := map[byte][]byte{
		keyGroup: group{}.key(keyGroup), keyHeader: heightHashKey(keyHeader, 0, w.Ledger.Tip), keyBody: hashKey(keyBody, w.Ledger.Tip),
	}
	f.Fuzz(func(t *testing.T, prefix byte, raw []byte) {
		if len(raw) == 0 {
			return
		}
		decodeMove(raw)
		if w, ok := decodeWrites(raw); ok {
			again, ok := decodeWrites(w.encode())
			if !ok || len(again) != len(w) {
				t.Fatalf("%d writes of %d", len(again), len(w))
			}
		}
		key := keys[prefix]
		if key == nil {
			key = hashKey(prefix, chain.Hash{})
		}
		if err := checkValue(&item{key, raw}); err != nil && err.Error() == "" {
			t.Fatal("an error without a word")
		}
	})
}
