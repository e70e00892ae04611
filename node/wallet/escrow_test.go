package wallet

import (
	"crypto/sha256"
	"errors"
	"path/filepath"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

var (
	client, operator  = chaintest.NewWallet("client"), chaintest.NewWallet("operator")
	royal, challenger = chaintest.NewWallet("royal"), chaintest.NewWallet("challenger")

	jobInput, jobOutput = []byte("input"), []byte("output")
)

// job is an escrow that client and operator have made together.
type job struct {
	*world
	client, operator *Wallet
	e                chain.JobEscrow
	utxo             chain.UTXO
}

const promised, lateness = 600_000, 720_000

// terms publishes a program and returns an escrow for it.
func terms(t *testing.T, level chain.Level, kind chain.JobKind) (w *world, e chain.JobEscrow, program chain.UTXO) {
	t.Helper()
	w = newWorld(t, coin(client, 50_000_000), coin(operator, 50_000_000), coin(challenger, 1_000_000), coin(alice, 1_000_000))
	raw, key := chaintest.Key(5000, 1)
	resource := chain.Resource{CID: []byte{1}, Kind: chain.ResourceModel, Size: 1, Name: "model"}
	if kind == chain.JobProve {
		resource.Kind = chain.ResourcePlonk
	}
	b := w.must(w.wallet(alice).Publish(t.Context(), resource, raw, key.Cost))
	w.mine(b)
	bond := uint64(100_001)
	if level == chain.LevelOptimistic {
		bond = 2_000_010
	}
	return w, chain.JobEscrow{
		Job: chain.Hash{1}, Client: client.Lock(), Operator: operator.Lock(), Level: level, Kind: kind, Key: key,
		Model: chain.Hash{2}, Input: sha256.Sum256(jobInput), Price: 200_001, Royalty: chain.Royalty{Lock: royal.Lock(), Amount: 500},
		FeeReserve: 20_000, Bond: bond, Start: w.Now(), Due: w.Now() + promised, Late: w.Now() + promised + lateness,
	}, w.out(b, 0)
}

func newJob(t *testing.T, level chain.Level, kind chain.JobKind) *job {
	t.Helper()
	w, e, program := terms(t, level, kind)
	// Both on one machine, with one file.
	r := &File{Path: filepath.Join(t.TempDir(), "reserved.json")}
	j := &job{w, w.sharing(client, r), w.sharing(operator, r), e, chain.UTXO{}}
	offer, err := j.client.OfferEscrow(t.Context(), &e, program)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := DecodePartial(offer.Encode())
	if err != nil {
		t.Fatal(err)
	}
	joined, err := j.operator.JoinEscrow(t.Context(), sent, &e)
	if err != nil {
		t.Fatal(err)
	}
	if joined, err = DecodePartial(joined.Encode()); err != nil {
		t.Fatal(err)
	}
	b := w.must(j.client.SealEscrow(t.Context(), offer, joined))
	w.mine(b)
	j.utxo = w.out(b, 0)
	return j
}

// at advances the ledger so that now is an instant after the start.
func (j *job) at(instant uint64) {
	j.t.Helper()
	if err := j.MineAfter(j.e.Start + instant - j.Now()); err != nil {
		j.t.Fatal(err)
	}
}

// evidence has a proof that pays a payee.
func (j *job) evidence(payee chain.Lock, output []byte) Evidence {
	return Evidence{jobInput, output, chaintest.Prove(&chain.Claim{
		Kind: j.e.Kind, Key: j.e.Key, Chain: j.Network.Env().Chain, Job: j.e.Job, Payee: chain.LockHash(payee), Model: j.e.Model,
		Input: sha256.Sum256(jobInput), Output: sha256.Sum256(output),
	})}
}

// gained says what a party has, beyond what it had.
func (j *job) gained(k chaintest.Wallet, before uint64) int64 {
	return int64(j.holds(k, chain.TokenID{})) - int64(before)
}

func TestEscrowsEndAsTheMarketSays(t *testing.T) {
	const zk, optimistic, infer, prove = chain.LevelZK, chain.LevelOptimistic, chain.JobInfer, chain.JobProve
	type amounts struct{ client, operator int64 }
	price, royalty, reserve := int64(200_001), int64(500), int64(20_000)
	for name, c := range map[string]struct {
		level chain.Level
		kind  chain.JobKind
		at    uint64
		exit  func(j *job) (*Built, error)
		pays  func(bond, fee int64) amounts
	}{
		"accept": {
			zk, infer, 1, func(j *job) (*Built, error) { return j.client.Accept(t.Context(), j.utxo) },
			func(bond, fee int64) amounts { return amounts{reserve - fee, price + bond} },
		},
		"prove": {zk, prove, promised, func(j *job) (*Built, error) {
			return j.operator.Prove(t.Context(), j.utxo, j.evidence(operator.Lock(), jobOutput))
		}, func(bond, fee int64) amounts { return amounts{reserve - fee, price + bond} }},
		"late": {zk, infer, promised + 1, func(j *job) (*Built, error) {
			return j.operator.Prove(t.Context(), j.utxo, j.evidence(operator.Lock(), jobOutput))
		}, func(bond, fee int64) amounts { return amounts{price - price/2 + reserve - fee, price/2 + bond} }},
		"release early": {
			zk, infer, promised/2 - 1, func(j *job) (*Built, error) { return j.operator.Release(t.Context(), j.utxo) },
			func(bond, fee int64) amounts {
				return amounts{price + royalty + reserve + bond*5/100, bond - bond*5/100 - fee}
			},
		},
		"release": {
			zk, infer, promised / 2, func(j *job) (*Built, error) { return j.operator.Release(t.Context(), j.utxo) },
			func(bond, fee int64) amounts {
				return amounts{price + royalty + reserve + bond*20/100, bond - bond*20/100 - fee}
			},
		},
		"missed": {
			zk, infer, promised + lateness + 1, func(j *job) (*Built, error) { return j.client.Missed(t.Context(), j.utxo) },
			func(bond, fee int64) amounts { return amounts{price + royalty + reserve + bond/2 - fee, 0} },
		},
		"claim": {optimistic, infer, 1, func(j *job) (*Built, error) {
			b := j.must(j.operator.Claim(t.Context(), j.utxo, jobInput, jobOutput))
			j.mine(b)
			j.at(5_000_000)
			return j.operator.Final(t.Context(), j.out(b, 0))
		}, func(bond, fee int64) amounts { return amounts{reserve - fee, price + bond} }},
		"claim refuted": {optimistic, infer, 1, func(j *job) (*Built, error) {
			b := j.must(j.operator.Claim(t.Context(), j.utxo, jobInput, []byte("lie")))
			j.mine(b)
			x := j.wallet(challenger)
			return x.Refute(t.Context(), j.out(b, 0), j.evidence(challenger.Lock(), jobOutput))
		}, func(bond, fee int64) amounts { return amounts{price + royalty + reserve + bond/4 - fee, 0} }},
		"invalid": {zk, prove, 1, func(j *job) (*Built, error) {
			b := j.must(j.operator.ClaimInvalid(t.Context(), j.utxo))
			j.mine(b)
			j.at(5_000_000)
			return j.operator.Final(t.Context(), j.out(b, 0))
		}, func(bond, fee int64) amounts {
			return amounts{price - price/10 + royalty + reserve - fee, price/10 + bond}
		}},
		"invalid refuted": {zk, prove, 1, func(j *job) (*Built, error) {
			b := j.must(j.operator.ClaimInvalid(t.Context(), j.utxo))
			j.mine(b)
			return j.client.Refute(t.Context(), j.out(b, 0), j.evidence(client.Lock(), jobOutput))
		}, func(bond, fee int64) amounts { return amounts{price + royalty + reserve + bond/4 + bond/4 - fee, 0} }},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJob(t, c.level, c.kind)
			had := [2]uint64{j.holds(client, chain.TokenID{}), j.holds(operator, chain.TokenID{})}
			j.at(c.at)
			b, err := c.exit(j)
			j.mine(j.must(b, err))
			// A claim has drawn from the reserve too; all fees are what is missing at the end.
			got := amounts{j.gained(client, had[0]), j.gained(operator, had[1])}
			want := c.pays(int64(j.e.Bond), 0)
			fees := want.client - got.client + want.operator - got.operator
			if fees <= 0 || fees > reserve {
				t.Errorf("client and operator got %+v, want %+v less fees", got, want)
			}
			if other := c.pays(int64(j.e.Bond), fees); other != got {
				t.Errorf("client and operator got %+v, want %+v", got, other)
			}
			all, err := j.client.Balances(t.Context())
			if err != nil || all[0].InEscrows != 0 {
				t.Errorf("%+v, %v", all, err)
			}
		})
	}
}

func TestEscrowsCountInBalancesUntilTheyEnd(t *testing.T) {
	j := newJob(t, chain.LevelZK, chain.JobInfer)
	for k, want := range map[*Wallet]uint64{j.client: 220_501, j.operator: 100_001} {
		if all, err := k.Balances(t.Context()); err != nil || all[0].InEscrows != want || all[0].Reserved != 0 {
			t.Errorf("%+v, %v, want %d", all, err, want)
		}
	}
}

// TestExitsThatNobodyHasMakeRoom: a process that ended between building an exit and submitting it is
// followed by one that builds it again.
func TestExitsThatNobodyHasMakeRoom(t *testing.T) {
	j := newJob(t, chain.LevelZK, chain.JobInfer)
	if _, found, err := j.client.Spending(t.Context(), j.utxo.Outpoint); found || err != nil {
		t.Fatal(found, err)
	}
	lost := j.must(j.client.Accept(t.Context(), j.utxo))
	id, found, err := j.client.Spending(t.Context(), j.utxo.Outpoint)
	if id != lost.Tx.ID() || !found || err != nil {
		t.Errorf("%v, %v, %v, want %v", id, found, err, lost.Tx.ID())
	}
	if _, found, err := j.operator.Spending(t.Context(), j.utxo.Outpoint); found || err != nil {
		t.Errorf("another key's transaction is taken for one's own: %v", err)
	}
	if _, err := j.client.Accept(t.Context(), j.utxo); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
	if err := j.client.CancelID(id); err != nil {
		t.Fatal(err)
	}
	j.mine(j.must(j.client.Accept(t.Context(), j.utxo)))
}

func TestExitsAreNotBuiltOutOfTime(t *testing.T) {
	j := newJob(t, chain.LevelZK, chain.JobProve)
	ev := j.evidence(operator.Lock(), jobOutput)
	if _, err := j.client.Missed(t.Context(), j.utxo); !errors.Is(err, ErrTime) {
		t.Error(err)
	}
	j.at(promised + 1)
	if _, err := j.operator.ClaimInvalid(t.Context(), j.utxo); !errors.Is(err, ErrTime) {
		t.Error(err)
	}
	j.at(promised + lateness + 1)
	for _, err := range []error{
		second(j.operator.Prove(t.Context(), j.utxo, ev)), second(j.operator.Release(t.Context(), j.utxo)),
	} {
		if !errors.Is(err, ErrTime) {
			t.Error(err)
		}
	}
	var gaps *GapsError
	if _, err := j.operator.Accept(t.Context(), j.utxo); !errors.Is(err, ErrLock) || !errors.As(err, &gaps) || gaps.Gaps[0].Key != client.Public() {
		t.Errorf("the operator accepted: %v", err)
	}
	if _, err := j.client.Unbond(t.Context(), j.utxo); !errors.Is(err, ErrState) {
		t.Error(err)
	}
}

func second(_ *Built, err error) error { return err }

// TestEscrowsAreOnlyMadeAsAgreed changes what one party sends the other.
func TestEscrowsAreOnlyMadeAsAgreed(t *testing.T) {
	w, e, program := terms(t, chain.LevelZK, chain.JobInfer)
	c, o := w.wallet(client), w.wallet(operator)
	offer, err := c.OfferEscrow(t.Context(), &e, program)
	if err != nil {
		t.Fatal(err)
	}
	cheaper := e
	cheaper.Price--
	changed := func(p *Partial, change func(*Partial)) *Partial {
		p = p.extended()
		p.Tx.Outputs = append([]chain.Output(nil), p.Tx.Outputs...)
		change(p)
		return p
	}
	for name, p := range map[string]*Partial{
		"another chain":     changed(offer, func(p *Partial) { p.Tx.Chain[0]++ }),
		"for ever":          changed(offer, func(p *Partial) { p.Tx.Until = 0 }),
		"for long":          changed(offer, func(p *Partial) { p.Tx.Until += 10 * OfferTime }),
		"missing coins":     changed(offer, func(p *Partial) { p.Tx.Inputs[0].Index += 9 }),
		"other coins":       changed(offer, func(p *Partial) { p.inputs[0].spent.Value = chain.Native(1 << 40) }),
		"does not balance":  changed(offer, func(p *Partial) { p.Tx.Outputs = p.Tx.Outputs[:1] }),
		"inputs unknown":    changed(offer, func(p *Partial) { p.inputs = nil }),
		"nothing at all":    {Tx: &chain.Tx{Chain: offer.Tx.Chain}},
		"another agreement": changed(offer, func(p *Partial) { p.Tx.Outputs[0].Body = cheaper.State() }),
	} {
		if _, err := o.JoinEscrow(t.Context(), p, &e); !errors.Is(err, ErrOffer) {
			t.Errorf("joined %s: %v", name, err)
		}
	}
	joined, err := o.JoinEscrow(t.Context(), offer, &e)
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]*Partial{
		"less change": changed(joined, func(p *Partial) { p.Tx.Outputs[1].Value = chain.Native(1) }),
		"less fee":    changed(joined, func(p *Partial) { p.Tx.Fee = chain.Native(1) }),
		"more coins of the client": changed(joined, func(p *Partial) {
			p.inputs[len(p.inputs)-1].spent.Lock = client.Lock()
		}),
		"another window": changed(joined, func(p *Partial) { p.Tx.Until++ }),
		"fewer inputs":   changed(joined, func(p *Partial) { p.Tx.Inputs, p.inputs = nil, nil }),
		"the offer":      changed(joined, func(p *Partial) { p.inputs[0].exit = 3 }),
	} {
		if _, err := c.SealEscrow(t.Context(), offer, p); !errors.Is(err, ErrOffer) {
			t.Errorf("sealed %s: %v", name, err)
		}
	}
	var partial *PartialError
	bare := changed(joined, func(p *Partial) { p.inputs[len(p.inputs)-1].signatures = nil })
	if _, err := c.SealEscrow(t.Context(), offer, bare); !errors.As(err, &partial) {
		t.Error(err)
	}
	w.mine(w.must(c.SealEscrow(t.Context(), offer, joined)))
}

func TestBondsAreReleasedAfterTheDelay(t *testing.T) {
	w := newWorld(t, coin(operator, 10_000_000))
	o := w.wallet(operator)
	b := w.must(o.CreateBond(t.Context(), operator.Public(), chain.Native(5_000_000)))
	w.mine(b)
	if _, err := o.Withdraw(t.Context(), w.out(b, 0)); !errors.Is(err, ErrState) {
		t.Error(err)
	}
	b = w.must(o.Unbond(t.Context(), w.out(b, 0)))
	w.mine(b)
	bond := w.out(b, 0)
	if _, err := o.Unbond(t.Context(), bond); !errors.Is(err, ErrState) {
		t.Error(err)
	}
	if _, err := o.Withdraw(t.Context(), bond); !errors.Is(err, ErrTime) {
		t.Error(err)
	}
	if err := w.MineAfter(o.Params.UnbondDelay + o.Lifetime); err != nil {
		t.Fatal(err)
	}
	w.mine(w.must(o.Withdraw(t.Context(), bond)))
	if got := w.holds(operator, chain.TokenID{}); got < 9_900_000 {
		t.Errorf("%d are back", got)
	}
}

func TestReceiptsAreDropped(t *testing.T) {
	j := newJob(t, chain.LevelZK, chain.JobInfer)
	b := j.must(j.operator.Prove(t.Context(), j.utxo, j.evidence(operator.Lock(), jobOutput)))
	j.mine(b)
	var receipt chain.UTXO
	for i, o := range b.Tx.Outputs {
		if s, ok := o.Body.(*chain.State); ok && s.Type == chain.StateReceipt {
			receipt = j.out(b, uint32(i))
		}
	}
	if _, err := j.operator.Drop(t.Context(), receipt); !errors.Is(err, ErrState) {
		t.Error(err)
	}
	j.mine(j.must(j.client.Drop(t.Context(), receipt)))
}

func TestResourcesReplaceTheirPredecessors(t *testing.T) {
	w := newWorld(t, coin(alice, 10_000_000))
	a := w.wallet(alice)
	r := chain.Resource{CID: []byte{1}, Kind: chain.ResourceFile, Size: 1, Name: "file", Version: "1"}
	b := w.must(a.Publish(t.Context(), r, nil, 0))
	w.mine(b)
	old := chain.Outpoint{Tx: b.Tx.ID()}
	r.Version, r.Predecessor = "2", &old
	w.mine(w.must(a.Publish(t.Context(), r, nil, 0)))
	if _, err := a.Publish(t.Context(), r, nil, 0); !errors.Is(err, ErrState) {
		t.Errorf("replaced twice: %v", err)
	}
}
