package trade

import (
	"crypto/sha256"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// story makes transactions of one job.
type story struct {
	escrow *chain.JobEscrow
	n      byte
}

func newStory() *story {
	return &story{escrow: &chain.JobEscrow{
		Job: chain.Hash{1}, Client: chaintest.NewWallet("client").Lock(), Operator: chaintest.NewWallet("operator").Lock(),
		Level: chain.LevelOptimistic, Kind: chain.JobInfer, Key: chain.VerifyingKey{Hash: chain.Hash{2}, Len: 1, Cost: 1}, Price: 1, Bond: 1,
		Start: 1, Due: 2, Late: 3,
	}}
}

func (s *story) fund(price uint64) Touch {
	s.n++
	e := *s.escrow
	e.Price = price
	return Touch{Tx: &chain.Tx{
		Inputs:  []chain.Outpoint{{Tx: chain.Hash{s.n}}},
		Outputs: []chain.Output{{Lock: chain.Open(), Value: chain.Native(1)}, {Lock: chain.Open(), Value: chain.Native(2), Body: e.State()}},
	}}
}

// spend moves an output by an exit, to outputs that begin with bodies.
func (s *story) spend(t Touch, index, exit uint32, bodies ...chain.Body) Touch {
	s.n++
	tx := &chain.Tx{Inputs: []chain.Outpoint{{Tx: chain.Hash{s.n}}, {Tx: t.Tx.ID(), Index: index}}}
	for _, b := range bodies {
		tx.Outputs = append(tx.Outputs, chain.Output{Lock: chain.Open(), Value: chain.Native(1), Body: b})
	}
	return Touch{Tx: tx, Witness: chain.Witness{{}, {Exit: exit}}}
}

func at(height uint64, t Touch) Touch {
	t.Height = height
	return t
}

func TestViewsOfAJob(t *testing.T) {
	s := newStory()
	fund, other := s.fund(1), s.fund(2)
	opt := &chain.OptClaim{Escrow: *s.escrow, Output: sha256.Sum256([]byte("output")), Final: 77}
	accept, release := s.spend(fund, 1, chain.EscrowAccept), s.spend(fund, 1, chain.EscrowRelease)
	claim := s.spend(fund, 1, chain.EscrowClaim, opt.State())
	final, refute := s.spend(claim, 0, chain.ClaimFinal), s.spend(claim, 0, chain.ClaimRefute)
	wrong, bare := s.spend(fund, 1, chain.EscrowClaim, s.escrow.State()), s.spend(fund, 1, chain.EscrowClaim)
	stranger := s.spend(fund, 0, chain.EscrowAccept)
	lame := Touch{Tx: accept.Tx, Witness: accept.Witness[:1]}
	ref := func(t Touch, i uint32) market.Ref { return market.Ref{Tx: t.Tx.ID(), Index: i} }
	claimed := []market.Claimed{{Output: opt.Output, Final: 77}}
	const mempool, block = market.InMempool, market.InBlock
	for name, c := range map[string]struct {
		all  []Touch
		want market.View
	}{
		"nothing":         {nil, market.View{}},
		"another escrow":  {[]Touch{at(3, other), at(4, s.spend(other, 1, chain.EscrowAccept))}, market.View{}},
		"waits":           {[]Touch{fund}, market.View{Escrow: mempool, Output: ref(fund, 1)}},
		"in a block":      {[]Touch{at(3, other), at(4, fund)}, market.View{Escrow: block, Output: ref(fund, 1), Depth: 7}},
		"another output":  {[]Touch{at(4, fund), at(5, stranger)}, market.View{Escrow: block, Output: ref(fund, 1), Depth: 7}},
		"lacks a witness": {[]Touch{at(4, fund), at(5, lame)}, market.View{Escrow: block, Output: ref(fund, 1), Depth: 7}},
		"both wait": {[]Touch{fund, accept}, market.View{
			Escrow: mempool, Output: ref(fund, 1), Exit: market.ExitAccept, Left: mempool, LeftTx: accept.Tx.ID(),
		}},
		"accepted": {[]Touch{at(4, fund), at(9, accept)}, market.View{
			Escrow: block, Output: ref(fund, 1), Depth: 7, Exit: market.ExitAccept, Left: block, LeftTx: accept.Tx.ID(), LeftDepth: 2,
		}},
		"a block has what the mempool has still": {[]Touch{at(4, fund), at(9, accept), accept}, market.View{
			Escrow: block, Output: ref(fund, 1), Depth: 7, Exit: market.ExitAccept, Left: block, LeftTx: accept.Tx.ID(), LeftDepth: 2,
		}},
		"what a block has made void waits still": {[]Touch{at(4, fund), at(9, accept), release}, market.View{
			Escrow: block, Output: ref(fund, 1), Depth: 7, Exit: market.ExitAccept, Left: block, LeftTx: accept.Tx.ID(), LeftDepth: 2,
		}},
		"claimed": {[]Touch{at(4, fund), at(9, claim)}, market.View{
			Escrow: block, Output: ref(claim, 0), Depth: 7, Claim: claimed, Exit: market.ExitClaim, Left: block, LeftTx: claim.Tx.ID(), LeftDepth: 2,
		}},
		"the claim is final": {[]Touch{at(4, fund), at(9, claim), at(10, final)}, market.View{
			Escrow: block, Output: ref(claim, 0), Depth: 7, Claim: claimed, Exit: market.ExitFinal, Left: block, LeftTx: final.Tx.ID(), LeftDepth: 1,
		}},
		"a refutation waits": {[]Touch{at(4, fund), at(9, claim), refute}, market.View{
			Escrow: block, Output: ref(claim, 0), Depth: 7, Claim: claimed, Exit: market.ExitRefute, Left: mempool, LeftTx: refute.Tx.ID(),
		}},
		"final before a refutation that waits": {[]Touch{at(4, fund), at(9, claim), at(10, final), refute}, market.View{
			Escrow: block, Output: ref(claim, 0), Depth: 7, Claim: claimed, Exit: market.ExitFinal, Left: block, LeftTx: final.Tx.ID(), LeftDepth: 1,
		}},
		"a claim that is none": {[]Touch{at(4, fund), at(9, wrong)}, market.View{
			Escrow: block, Output: ref(fund, 1), Depth: 7, Exit: market.ExitClaim, Left: block, LeftTx: wrong.Tx.ID(), LeftDepth: 2,
		}},
		"a claim without output": {[]Touch{at(4, fund), at(9, bare)}, market.View{
			Escrow: block, Output: ref(fund, 1), Depth: 7, Exit: market.ExitClaim, Left: block, LeftTx: bare.Tx.ID(), LeftDepth: 2,
		}},
	} {
		c.want.Now, c.want.Height = 1000, 10
		if got := viewOf(s.escrow.State().Data, Tip{10, 1000}, c.all); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%+v, want\n%+v", name, got, c.want)
		}
	}
	if got := viewOf(nil, Tip{10, 1000}, []Touch{at(4, fund)}); got.Escrow != market.Nowhere {
		t.Errorf("nothing was agreed on, and it is there: %+v", got)
	}
}

func TestInvalidClaimsAreSeen(t *testing.T) {
	s := newStory()
	s.escrow.Kind, s.escrow.Level = chain.JobProve, chain.LevelZK
	fund := s.fund(1)
	claim := s.spend(fund, 1, chain.EscrowInvalid, (&chain.InvalidClaim{Escrow: *s.escrow, Final: 9}).State())
	v := viewOf(s.escrow.State().Data, Tip{10, 1000}, []Touch{at(1, fund), at(2, claim)})
	if v.Exit != market.ExitInvalid || len(v.Claim) != 1 || !v.Claim[0].Invalid || v.Claim[0].Final != 9 {
		t.Errorf("%+v", v)
	}
}

// TestParentsComeFirst: whatever order the mempool is read in.
func TestParentsComeFirst(t *testing.T) {
	s := newStory()
	chained := []Touch{s.fund(1)}
	for range 4 {
		chained = append(chained, s.spend(chained[len(chained)-1], 0, 0, s.escrow.State()))
	}
	all := append(slices.Clone(chained), s.fund(2), s.fund(3))
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		sorted := parentsFirst(all)
		last := -1
		for _, want := range chained {
			i := slices.IndexFunc(sorted, func(x Touch) bool { return x.Tx == want.Tx })
			if i <= last || len(sorted) != len(all) {
				t.Fatalf("a transaction is at %d, what it spends at %d", i, last)
			}
			last = i
		}
	}
}
