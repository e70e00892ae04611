package chain_test

import (
	"math"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// delegated is a lock by which bob moves up to 600 of alice's coins, to assets only.
func delegated(expiry uint64) chain.Delegate {
	return chain.Delegate{
		Owner: alice.Lock(), Delegate: bob.Lock(), Operations: chain.OpAsset, Remaining: 600, Expiry: expiry,
	}
}

func TestDelegateMovesWhatRemainsAndNoMore(t *testing.T) {
	now := uint64(chaintest.GenesisTime)
	left := func(n uint64, remaining uint64) chain.Output {
		l := delegated(now + 1)
		l.Remaining = remaining
		return chain.Output{Lock: l, Value: chain.Native(n)}
	}
	data := chain.Output{Lock: carol.Lock(), Body: &chain.State{Type: chain.StateData}}
	type with = chaintest.With
	moves := func(n uint64) with { return with{Choices: []uint64{1, n}, Data: []any{bob}} }
	for name, c := range map[string]struct {
		with with
		at   uint64
		pays []chain.Output
		want chain.Code
	}{
		"moves some":                {moves(250), 0, []chain.Output{left(750, 350), pay(carol, 250)}, 0},
		"moves all that remains":    {moves(600), 1, []chain.Output{left(400, 0), pay(carol, 600)}, 0},
		"moves too much":            {moves(601), 0, []chain.Output{left(399, 0), pay(carol, 601)}, chain.CodeDelegate},
		"expired":                   {moves(250), 2, []chain.Output{left(750, 350), pay(carol, 250)}, chain.CodeDelegate},
		"keeps the remainder":       {moves(250), 0, []chain.Output{left(750, 600), pay(carol, 250)}, chain.CodeSegmentOutput},
		"moves more than it says":   {moves(250), 0, []chain.Output{left(749, 350), pay(carol, 251)}, chain.CodeSegmentOutput},
		"no rest":                   {moves(250), 0, nil, chain.CodeSegmentRange},
		"an operation not allowed":  {moves(250), 0, []chain.Output{left(750, 350), pay(carol, 250), data}, chain.CodeDelegate},
		"signed by another":         {with{Choices: []uint64{1, 250}, Data: []any{carol}}, 0, []chain.Output{left(750, 350), pay(carol, 250)}, chain.CodeSignature},
		"owner moves all":           {with{Choices: []uint64{0}, Data: []any{alice}}, 2, []chain.Output{pay(carol, 1000), data}, 0},
		"delegate poses as owner":   {with{Choices: []uint64{0}, Data: []any{bob}}, 0, []chain.Output{pay(carol, 1000)}, chain.CodeSignature},
		"neither":                   {with{Choices: []uint64{2, 1}, Data: []any{bob}}, 0, []chain.Output{left(999, 599), pay(carol, 1)}, chain.CodeWitness},
		"owner claims a segment":    {with{OutBase: 1, Choices: []uint64{0}, Data: []any{alice}}, 0, []chain.Output{pay(carol, 500), pay(carol, 500)}, chain.CodeWitness},
		"segment is another output": {with{OutBase: 1, Choices: []uint64{1, 250}, Data: []any{bob}}, 0, []chain.Output{left(750, 350), pay(carol, 250)}, chain.CodeSegmentOutput},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, chain.Output{Lock: delegated(now + 1), Value: chain.Native(1000)})
			h.mine(c.at)
			expect(t, h.check(h.Draft().Spend(h.special(), c.with).Pay(c.pays...).Sign()), c.want)
		})
	}
}

func TestDelegateMovesNoMoreThanTheOutputHolds(t *testing.T) {
	l := delegated(math.MaxUint64)
	h := newHarness(t, chain.Output{Lock: l, Value: chain.Native(100)})
	rest := l
	rest.Remaining -= 101
	d := h.Draft().Spend(h.special(), chaintest.With{Choices: []uint64{1, 101}, Data: []any{bob}})
	expect(t, h.check(d.Pay(chain.Output{Lock: rest}, pay(carol, 101)).Sign()), chain.CodeDelegate)
}

// TestDelegateInsideALockReducesThatNode has the delegate below Any and All: the rest stays
// under the whole lock.
func TestDelegateInsideALockReducesThatNode(t *testing.T) {
	l := delegated(math.MaxUint64)
	whole := func(l chain.Delegate) chain.Lock {
		return chain.Any{Locks: []chain.Lock{carol.Lock(), chain.All{Locks: []chain.Lock{chain.Open(), l, carol.Lock()}}}}
	}
	reduced := l
	reduced.Remaining = 350
	h := newHarness(t, chain.Output{Lock: whole(l), Value: chain.Native(1000)})
	u := h.special()
	spend := func(rest chain.Lock) *chaintest.Draft {
		return h.Draft().Spend(u, chaintest.With{Choices: []uint64{1, 1, 250}, Data: []any{bob, carol}}).
			Pay(chain.Output{Lock: rest, Value: chain.Native(750)}, pay(bob, 250))
	}
	expect(t, h.check(spend(whole(reduced)).Sign()), 0)
	expect(t, h.check(spend(whole(l)).Sign()), chain.CodeSegmentOutput)
	expect(t, h.check(spend(reduced).Sign()), chain.CodeSegmentOutput)
	expect(t, h.check(h.Draft().Spend(u, chaintest.With{Choices: []uint64{0}, Data: []any{carol}}).Pay(pay(bob, 1000)).Sign()), 0)
}

func TestOneDelegateAnInput(t *testing.T) {
	l := delegated(math.MaxUint64)
	h := newHarness(t, chain.Output{Lock: chain.All{Locks: []chain.Lock{l, l}}, Value: chain.Native(1000)})
	d := h.Draft().Spend(h.special(), chaintest.With{Choices: []uint64{1, 1, 1, 1}, Data: []any{bob, bob}})
	expect(t, h.check(d.Pay(pay(bob, 1000)).Sign()), chain.CodeDelegate)
}

// TestTwoDelegatesDoNotShareARest has two outputs under one lock and one output that could be
// the rest of both.
func TestTwoDelegatesDoNotShareARest(t *testing.T) {
	o := chain.Output{Lock: delegated(math.MaxUint64), Value: chain.Native(1000)}
	rest := delegated(math.MaxUint64)
	rest.Remaining = 500
	h := newHarness(t, o, o)
	d := h.Draft()
	for range 2 {
		d.Spend(h.special(), chaintest.With{Choices: []uint64{1, 100}, Data: []any{bob}})
	}
	d.Pay(chain.Output{Lock: rest, Value: chain.Native(900)}, pay(bob, 1100))
	expect(t, h.check(d.Sign()), chain.CodeSegmentOverlap)
}

// policy issues a token with 40 of 100 minted, and returns the policy's output.
func policy(h *harness, change func(p *chain.TokenPolicy)) (*chaintest.Draft, chain.TokenPolicy) {
	d := h.transfer(pay(alice, coin))
	p := chain.TokenPolicy{ID: chain.NewTokenID(d.Inputs[0], 1), Lock: carol.Lock(), Max: 100, Minted: 40}
	change(&p)
	return d.Pay(state(0, p.State()), chain.Output{Lock: bob.Lock(), Value: chain.Tokens(p.ID, 40)}), p
}

func TestPolicyIssuesItsOwnTokenOnly(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *chain.TokenPolicy)
		want   chain.Code
	}{
		"as it is":        {func(*chain.TokenPolicy) {}, 0},
		"mints less":      {func(p *chain.TokenPolicy) { p.Minted = 39 }, chain.CodeBalance},
		"mints more":      {func(p *chain.TokenPolicy) { p.Minted = 41 }, chain.CodeBalance},
		"above its limit": {func(p *chain.TokenPolicy) { p.Max = 39 }, chain.CodeState},
		"another token":   {func(p *chain.TokenPolicy) { p.ID[0]++ }, chain.CodeState},
		"without limit":   {func(p *chain.TokenPolicy) { p.Max, p.Minted = 0, 0 }, chain.CodeState},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			d, _ := policy(h, c.change)
			expect(t, h.check(d.Sign()), c.want)
		})
	}
}

func TestPolicyMintsUpToItsMaximum(t *testing.T) {
	h := newHarness(t)
	d, p := policy(h, func(*chain.TokenPolicy) {})
	issue := d.Sign()
	h.mine(1, issue)
	mint := func(said, minted, paid uint64, signer chaintest.Wallet) error {
		next := p
		next.Minted += minted
		with := chaintest.With{Exit: chain.PolicyMint, Choices: []uint64{said}, Data: []any{signer}}
		d := h.Draft().Spend(issue.Out(1), with).Pay(state(0, next.State()))
		return h.check(d.Pay(chain.Output{Lock: bob.Lock(), Value: chain.Tokens(p.ID, paid)}).Sign())
	}
	expect(t, mint(60, 60, 60, carol), 0)
	expect(t, mint(60, 60, 60, bob), chain.CodeSignature)
	expect(t, mint(61, 61, 61, carol), chain.CodeState)
	expect(t, mint(61, 60, 61, carol), chain.CodeMint)
	expect(t, mint(0, 0, 1, carol), chain.CodeMint)
	expect(t, mint(60, 59, 60, carol), chain.CodeSegmentOutput)
	expect(t, mint(60, 60, 61, carol), chain.CodeBalance)
	closing := h.Draft().Spend(issue.Out(1), chaintest.With{Exit: chain.PolicyClose, Data: []any{carol}})
	expect(t, h.check(closing.Sign()), 0)
	expect(t, h.check(h.Draft().Spend(issue.Out(1), chaintest.With{Data: []any{carol}}).Sign()), chain.CodeExit)
}

// pool is a sponsor pool of alice for bob.
func pool(h *harness) chain.SponsorPool {
	return chain.SponsorPool{
		Owner: alice.Lock(), Users: []chain.Lock{carol.Lock(), bob.Lock()}, Operations: chain.OpAsset,
		Rate: 2, MaxPerTx: 100_000, PeriodLen: 1000, PeriodStart: h.Now(), PeriodLeft: 9000, PeriodCap: 9000, Expiry: h.Now() + 5000,
	}
}

// sponsored drafts a transaction of bob whose fee a pool pays in full.
func sponsored(h *harness, u chain.UTXO, p chain.SponsorPool, paid uint64, next chain.SponsorPool, pays ...chain.Output) *chaintest.Draft {
	value, _ := u.Entry.Output.Value.Less(chain.TokenID{}, paid)
	with := chaintest.With{Exit: chain.SponsorPay, Choices: []uint64{1, paid}, Data: []any{bob}}
	if len(p.Users) == 0 {
		with = chaintest.With{Exit: chain.SponsorPay, Choices: []uint64{paid}}
	}
	d := h.Draft().Spend(u, with).Pay(chain.Output{Lock: chain.Open(), Value: value, Body: next.State()}).Pay(pays...)
	d.Fee = chain.Native(paid)
	return d
}

// pays finds the fixed point of a pool's payment and of the weight that depends on it.
func pays(h *harness, u chain.UTXO, p chain.SponsorPool, after func(paid uint64) chain.SponsorPool, others ...chain.Output) uint64 {
	var paid uint64
	for range 5 {
		tx := sponsored(h, u, p, paid, after(paid), others...).Sign()
		cost := uint64(1 + len(p.Users)/2*41)
		paid = p.Rate * chain.Weight(uint64(len(tx.Tx.Encode())+len(tx.Witness.Encode())), 0, cost)
	}
	return paid
}

func TestSponsorPaysExactlyItsRateWithinItsCaps(t *testing.T) {
	data := []chain.Output{{Lock: bob.Lock(), Body: &chain.State{Type: chain.StateData}}}
	for name, c := range map[string]struct {
		change func(p *chain.SponsorPool)
		at     uint64
		off    uint64 // added to what is paid
		next   func(p *chain.SponsorPool)
		pays   []chain.Output
		want   chain.Code
	}{
		"pays":                     {want: 0},
		"one unit more":            {off: 1, want: chain.CodeSponsor},
		"one unit less":            {off: math.MaxUint64, want: chain.CodeSponsor},
		"at expiry":                {at: 5000, next: func(p *chain.SponsorPool) { p.PeriodStart += 5000 }},
		"expired":                  {at: 5001, next: func(p *chain.SponsorPool) { p.PeriodStart += 5000 }, want: chain.CodeSponsor},
		"cap reached":              {change: func(p *chain.SponsorPool) { p.PeriodLeft = 100 }, next: func(p *chain.SponsorPool) { p.PeriodLeft = 0 }, want: chain.CodeSponsor},
		"cap of a new period":      {change: func(p *chain.SponsorPool) { p.PeriodLeft = 100 }, at: 2500, next: func(p *chain.SponsorPool) { p.PeriodStart, p.PeriodLeft = p.PeriodStart+2000, p.PeriodLeft+8900 }},
		"period starts late":       {at: 2500, next: func(p *chain.SponsorPool) { p.PeriodStart += 2500 }, want: chain.CodeSegmentOutput},
		"left not reduced":         {next: func(p *chain.SponsorPool) { p.PeriodLeft++ }, want: chain.CodeSegmentOutput},
		"rate changed":             {next: func(p *chain.SponsorPool) { p.Rate++ }, want: chain.CodeSegmentOutput},
		"open to everybody":        {change: func(p *chain.SponsorPool) { p.Users = nil }},
		"no cap":                   {change: func(p *chain.SponsorPool) { p.PeriodCap, p.PeriodLeft = 0, 0 }, next: func(p *chain.SponsorPool) { p.PeriodLeft = 0 }},
		"an operation not allowed": {pays: data, want: chain.CodeSponsor},
		"another allowed":          {change: func(p *chain.SponsorPool) { p.Operations = chain.OpState(chain.StateData) }, pays: data},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			p := pool(h)
			if c.change != nil {
				c.change(&p)
			}
			fund := h.transfer(state(coin, p.State())).Sign()
			h.mine(0, fund)
			h.mine(c.at)
			u := fund.Out(0)
			after := func(paid uint64) chain.SponsorPool {
				next := p
				next.PeriodLeft -= paid
				if c.next != nil {
					c.next(&next)
				}
				return next
			}
			paid := pays(h, u, p, after, c.pays...) + c.off
			expect(t, h.check(sponsored(h, u, p, paid, after(paid), c.pays...).Sign()), c.want)
		})
	}
}

func TestSponsorNeverPaysItsUsersInstead(t *testing.T) {
	h := newHarness(t)
	p := pool(h)
	fund := h.transfer(state(coin, p.State())).Sign()
	h.mine(0, fund)
	after := func(paid uint64) chain.SponsorPool { n := p; n.PeriodLeft -= paid; return n }
	paid := pays(h, fund.Out(0), p, after)
	d := sponsored(h, fund.Out(0), p, paid, after(paid), pay(bob, 1))
	d.Fee = chain.Native(paid - 1)
	expect(t, h.check(d.Sign()), chain.CodeFeeDrawn)
	owner := chaintest.With{Exit: chain.SponsorOwner, Data: []any{alice}}
	expect(t, h.check(h.Draft().Spend(fund.Out(0), owner).Pay(pay(carol, coin)).Sign()), 0)
	owner.Data = []any{bob}
	expect(t, h.check(h.Draft().Spend(fund.Out(0), owner).Pay(pay(carol, coin)).Sign()), chain.CodeSignature)
	stranger := chaintest.With{Exit: chain.SponsorPay, Choices: []uint64{2, 1}, Data: []any{carol}}
	expect(t, h.check(h.Draft().Spend(fund.Out(0), stranger).Pay(pay(carol, coin)).Sign()), chain.CodeSponsor)
}

// TestTwoPoolsDoNotPayOneFee spends two shards for one transaction.
func TestTwoPoolsDoNotPayOneFee(t *testing.T) {
	h := newHarness(t)
	p := pool(h)
	p.MaxPerTx, p.Operations = 50, chain.OpAsset|chain.OpState(chain.StateSponsor)
	fund := h.transfer(state(coin/2, p.State()), state(coin/2, p.State())).Sign()
	h.mine(0, fund)
	next := p
	next.PeriodLeft -= 50
	d := h.Draft()
	for i := range 2 {
		d.Spend(fund.Out(i), chaintest.With{OutBase: uint32(i), Exit: chain.SponsorPay, Choices: []uint64{1, 50}, Data: []any{bob}})
		d.Pay(state(coin/2-50, next.State()))
	}
	d.Fee = chain.Native(50)
	d.Pay(pay(bob, 50))
	expect(t, h.check(d.Sign()), chain.CodeFeeDrawn)
}

// TestOpenPoolLosesAtMostItsCapAPeriod drains a pool as a miner would that pays itself.
func TestOpenPoolLosesAtMostItsCapAPeriod(t *testing.T) {
	h := newHarness(t)
	p := pool(h)
	p.Users, p.Rate, p.MaxPerTx, p.PeriodCap, p.PeriodLeft = nil, 1000, 400, 1000, 1000
	fund := h.transfer(state(coin, p.State())).Sign()
	h.mine(0, fund)
	u := fund.Out(0)
	for _, want := range []chain.Code{0, 0, chain.CodeSponsor} {
		next := p
		next.PeriodLeft -= min(400, p.PeriodLeft)
		tx := sponsored(h, u, p, 400, next).Sign()
		expect(t, h.MineAfter(0, tx), want)
		p, u = next, tx.Out(0)
	}
}

func TestPoolsThatCouldBeDrainedAreNotCreated(t *testing.T) {
	for name, change := range map[string]func(p *chain.SponsorPool){
		"open without a cap":   func(p *chain.SponsorPool) { p.Users, p.PeriodCap, p.PeriodLeft = nil, 0, 0 },
		"more left than a cap": func(p *chain.SponsorPool) { p.PeriodLeft++ },
		"period of no length":  func(p *chain.SponsorPool) { p.PeriodLen = 0 },
		"no rate":              func(p *chain.SponsorPool) { p.Rate = 0 },
		"no payment":           func(p *chain.SponsorPool) { p.MaxPerTx = 0 },
		"covenant for a user":  func(p *chain.SponsorPool) { p.Users[0] = delegated(0) },
	} {
		h := newHarness(t)
		p := pool(h)
		change(&p)
		if got := code(t, h.check(h.transfer(state(coin, p.State())).Sign())); got != chain.CodeState {
			t.Errorf("%s: rule %d", name, got)
		}
	}
}

// bonded puts up a bond of 1,000 for the operator, and a model.
func bonded(t *testing.T) (*job, chain.UTXO) {
	j := mustJob(t, chain.LevelZK, chain.JobInfer)
	b := chain.OperatorBond{Operator: operator.Lock(), Key: operator.Public()}
	tx := j.transfer(state(1001, b.State()), pay(alice, coin-1001)).Sign()
	j.mine(0, tx)
	return j, tx.Out(0)
}

func TestBondIsWithdrawnAfterItsDelay(t *testing.T) {
	j, u := bonded(t)
	const day = 24 * 60 * minute
	now := j.Now()
	b := chain.OperatorBond{Operator: operator.Lock(), Key: operator.Public()}
	released := func(at uint64) chain.Output { r := b; r.Release = at; return state(1001, r.State()) }
	unbond := func(at uint64, signer chaintest.Wallet) *chaintest.Draft {
		with := chaintest.With{Exit: chain.BondUnbond, Choices: []uint64{at}, Data: []any{signer}}
		return j.Draft().Spend(u, with).Pay(released(at))
	}
	withdraw := func(u chain.UTXO) error {
		with := chaintest.With{Exit: chain.BondWithdraw, Data: []any{operator}}
		return j.check(j.Draft().Spend(u, with).Pay(pay(operator, 1001)).Sign())
	}
	expect(t, withdraw(u), chain.CodeExit)
	expect(t, j.check(unbond(now+day-1, operator).Sign()), chain.CodeExitTime)
	expect(t, j.check(unbond(now+day, carol).Sign()), chain.CodeSignature)
	tx := unbond(now+day, operator).Sign()
	j.mine(day-1, tx)
	u = tx.Out(0)
	expect(t, withdraw(u), chain.CodeExitTime)
	expect(t, j.check(unbond(now+3*day, operator).Sign()), chain.CodeExit)
	j.mine(1)
	expect(t, withdraw(u), 0)
	early := chain.OperatorBond{Operator: operator.Lock(), Release: 1}
	expect(t, j.check(j.transfer(state(coin, early.State())).Sign()), chain.CodeState)
}

func TestBondIsSlashedByAResultThatAProofContradicts(t *testing.T) {
	for name, c := range map[string]struct {
		signer chaintest.Wallet
		payee  chaintest.Wallet
		output string
		model  bool // referenced
		change func(r *chain.Result)
		want   chain.Code
	}{
		"contradicted":        {operator, carol, "other", true, nil, 0},
		"not signed by it":    {carol, carol, "other", true, nil, chain.CodeSignature},
		"the same output":     {operator, carol, "output", true, nil, chain.CodeStatement},
		"proof for another":   {operator, operator, "other", true, nil, chain.CodeProof},
		"key unknown":         {operator, carol, "other", false, nil, chain.CodeStatement},
		"of another job":      {operator, carol, "other", true, func(r *chain.Result) { r.Job[0]++ }, chain.CodeProof},
		"of another input":    {operator, carol, "other", true, func(r *chain.Result) { r.Input[0]++ }, chain.CodeStatement},
		"of another kind":     {operator, carol, "other", true, func(r *chain.Result) { r.Kind = chain.JobProve }, chain.CodeStatement},
		"of no kind":          {operator, carol, "other", true, func(r *chain.Result) { r.Kind = 0 }, chain.CodeWitness},
		"under an unused key": {operator, carol, "other", true, func(r *chain.Result) { r.Key[0]++ }, chain.CodeStatement},
	} {
		t.Run(name, func(t *testing.T) {
			j, u := bonded(t)
			out := j.Store.Attach(chain.AttachOutput, []byte("output"))
			r := chain.Result{Kind: j.Kind, Key: j.Key.Hash, Job: j.Job, Model: j.Model, Input: j.Input, Output: out.SHA256}
			if c.change != nil {
				c.change(&r)
			}
			d := j.Draft()
			choices := j.proof(d, c.payee.Lock(), c.output)
			d.Spend(u, chaintest.With{Exit: chain.BondSlash, Choices: choices, Data: []any{
				r.Encode(), c.signer.Sign(r.Digest(d.Chain)), chain.EncodeLock(carol.Lock()),
			}}).Pay(pay(carol, 250), chain.Output{Lock: chain.Burn(), Value: chain.Native(751)})
			if c.model {
				d.Refer(j.model())
			}
			expect(t, j.check(d.Sign()), c.want)
		})
	}
}

func TestReceiptsAndClaimsAreCreatedByExitsOnly(t *testing.T) {
	j := mustJob(t, chain.LevelOptimistic, chain.JobProve)
	total, _ := j.Total()
	receipt := chain.Receipt{Job: j.Job, Kind: j.Kind, Level: j.Level}
	opt := chain.OptClaim{Escrow: j.JobEscrow}
	invalid := chain.InvalidClaim{Escrow: j.JobEscrow}
	for _, o := range []chain.Output{
		{Lock: client.Lock(), Value: chain.Native(total), Body: receipt.State()}, state(total, opt.State()), state(total, invalid.State()),
	} {
		d := j.transfer(o, pay(alice, coin-total)).Refer(j.model())
		expect(t, j.check(d.Sign()), chain.CodeState)
	}
}

func TestReceiptIsTheClientsToDrop(t *testing.T) {
	j := mustJob(t, chain.LevelZK, chain.JobInfer)
	tx := j.draft(j.exits()["prove"].exit).Sign()
	j.mine(0, tx)
	d := j.transfer(pay(bob, coin))
	expect(t, j.check(d.Spend(tx.Out(3), signedBy(client)).Sign()), 0)
	d = j.transfer(pay(bob, coin))
	expect(t, j.check(d.Spend(tx.Out(3), chaintest.With{Exit: 1, Data: []any{client}}).Sign()), chain.CodeExit)
}

func TestCoinbaseMaturesAfterAHundredBlocks(t *testing.T) {
	h := newHarness(t)
	d := h.transfer(pay(bob, coin-5))
	d.Fee = chain.Native(5)
	b := h.Block(1, d.Sign())
	if _, err := h.Connect(b); err != nil {
		t.Fatal(err)
	}
	coinbase := chaintest.Signed{Tx: b.Txs[0]}
	spend := func() error {
		return h.check(h.Draft().Spend(coinbase.Out(0), signedBy(h.Miner)).Pay(pay(carol, 5)).Sign())
	}
	for range 98 {
		h.mine(1)
	}
	expect(t, spend(), chain.CodeImmature)
	h.mine(1)
	expect(t, spend(), 0)
}

func TestChannelsNeedNoRulesOfTheirOwn(t *testing.T) {
	keys, _ := sorted(client, operator)
	expiry := uint64(chaintest.GenesisTime + 1000)
	refund := chain.All{Locks: []chain.Lock{chain.After{At: expiry}, client.Lock()}}
	h := newHarness(t, chain.Output{
		Lock: chain.Any{Locks: []chain.Lock{chain.Multi{Need: 2, Keys: keys}, refund}}, Value: chain.Native(500),
	})
	u := h.special()
	_, both := sorted(client, operator)
	closing := h.Draft().Spend(u, chaintest.With{Choices: []uint64{0, 3}, Data: []any{both[0], both[1]}})
	closing.Pay(pay(operator, 200), pay(client, 300), chain.Output{Lock: client.Lock(), Body: &chain.State{Type: chain.StateData, Data: make([]byte, 32)}})
	expect(t, h.check(closing.Sign()), 0)
	back := h.Draft().Spend(u, chaintest.With{Choices: []uint64{1}, Data: []any{client}}).Pay(pay(client, 500)).Sign()
	expect(t, h.check(back), chain.CodeLockTime)
	h.mine(1000)
	expect(t, h.check(back), 0)
}

// TestFeesOfABlockAreOfSixteenTokensAtMost issues 17 tokens and pays fees in them.
func TestFeesOfABlockAreOfSixteenTokensAtMost(t *testing.T) {
	h := newHarness(t)
	d := h.transfer(pay(alice, coin))
	var tokens []chain.TokenID
	for i := range 17 {
		p := chain.TokenPolicy{ID: chain.NewTokenID(d.Inputs[0], uint32(1+2*i)), Lock: carol.Lock(), Max: 5, Minted: 5}
		d.Pay(state(0, p.State()), chain.Output{Lock: bob.Lock(), Value: chain.Tokens(p.ID, 5)})
		tokens = append(tokens, p.ID)
	}
	issue := d.Sign()
	h.mine(1, issue)
	var txs []chaintest.Signed
	for i, token := range tokens {
		d := h.Draft().Spend(issue.Out(2+2*i), signedBy(bob)).Pay(chain.Output{Lock: bob.Lock(), Value: chain.Tokens(token, 4)})
		d.Fee = chain.Tokens(token, 1)
		txs = append(txs, d.Sign())
	}
	expect(t, h.MineAfter(1, txs...), chain.CodeCoinbaseAmount)
	a, err := h.Connect(h.Block(1, txs[:16]...))
	if err != nil || len(a.Fees) != 16 {
		t.Fatalf("fees of 16 tokens: %v", err)
	}
}
