package chain_test

import (
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// The escrow of these tests, in base units. Bonds are the least allowed.
const (
	price    = 401
	royalty  = 50
	reserve  = 60
	bondZK   = 201
	bondOpt  = 4010
	minute   = 60_000
	promised = 10 * minute // due after start
	lateness = 12 * minute // late after due
)

var royal = chaintest.NewWallet("royal")

// job is an escrow on the ledger. Instants in its tests are relative to its start.
type job struct {
	*harness
	chain.JobEscrow
	utxo  chain.UTXO
	start uint64
}

// newJob publishes a key and funds an escrow; change may alter it before.
func newJob(t testing.TB, level chain.Level, kind chain.JobKind, change func(e *chain.JobEscrow)) (*job, error) {
	h := newHarness(t)
	raw, key := chaintest.Key(10, 1)
	d := h.transfer(pay(alice, coin), resource(map[chain.JobKind]chain.ResourceKind{
		chain.JobInfer: chain.ResourceModel, chain.JobProve: chain.ResourcePlonk,
	}[kind], &key))
	d.Attachments = []chain.Attachment{h.Store.Attach(chain.AttachKey, raw)}
	model := d.Sign()
	h.mine(minute, model)
	input := h.Store.Attach(chain.AttachInput, []byte("input"))
	e := chain.JobEscrow{
		Job: chain.Hash{1}, Client: client.Lock(), Operator: operator.Lock(), Level: level, Kind: kind, Key: key,
		Model: chain.Hash{2}, Input: input.SHA256, Price: price, Royalty: chain.Royalty{Lock: royal.Lock(), Amount: royalty},
		FeeReserve: reserve, Bond: map[chain.Level]uint64{chain.LevelZK: bondZK, chain.LevelOptimistic: bondOpt}[level],
		Start: h.Now(), Due: h.Now() + promised, Late: h.Now() + promised + lateness,
	}
	change(&e)
	total, _ := e.Total()
	fund := h.transfer(
		chain.Output{Lock: chain.Open(), Value: chain.Native(total), Body: e.State()}, pay(alice, coin-total),
	).Refer(model.Out(1)).Sign()
	if err := h.MineAfter(0, fund); err != nil {
		return nil, err
	}
	return &job{h, e, fund.Out(0), e.Start}, nil
}

func mustJob(t testing.TB, level chain.Level, kind chain.JobKind) *job {
	t.Helper()
	j, err := newJob(t, level, kind, func(*chain.JobEscrow) {})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// at advances the ledger so that now is an instant after the start.
func (j *job) at(instant uint64) { j.mine(j.start + instant - j.Now()) }

// proof attaches a proof of an output for a payee to a draft, and returns the choices that name
// it.
func (j *job) proof(d *chaintest.Draft, payee chain.Lock, output string) []uint64 {
	d.Attachments = j.prove(chain.Claim{
		Kind: j.Kind, Key: j.Key, Chain: d.Chain, Job: j.Job, Payee: chain.LockHash(payee), Model: j.Model,
	}, "input", output)
	return []uint64{0, 1, 2}
}

// receipt is what the client gets for an output.
func (j *job) receipt(paid uint64) chain.Output {
	out := j.Store.Attach(chain.AttachOutput, []byte("output"))
	r := chain.Receipt{
		Job: j.Job, Kind: j.Kind, Level: j.Level, Model: j.Model, Input: j.Input, Output: out.SHA256,
		Operator: chain.LockHash(operator.Lock()), Paid: chain.Coin{Amount: paid},
	}
	return chain.Output{Lock: client.Lock(), Body: r.State()}
}

// state is an output with a state that holds n units.
func state(n uint64, s *chain.State) chain.Output {
	return chain.Output{Lock: chain.Open(), Value: chain.Native(n), Body: s}
}

// exit is an exit taken with what it demands.
type exit struct {
	exit    uint32
	signer  chaintest.Wallet
	choices []uint64
	proof   bool // the choices begin with a proof of "output" for the operator
	fee     uint64
	pays    []chain.Output
}

// take drafts an exit of an output of the job.
func (j *job) take(u chain.UTXO, x exit) *chaintest.Draft {
	d := j.Draft()
	choices := x.choices
	if x.proof {
		choices = append(j.proof(d, operator.Lock(), "output"), choices...)
	}
	d.Fee = chain.Native(x.fee)
	return d.Spend(u, chaintest.With{Exit: x.exit, Choices: choices, Data: []any{x.signer}}).Pay(x.pays...)
}

// exits returns the exits of an escrow as the market's table has them, with their instants.
func (j *job) exits() map[string]struct {
	exit
	first, last uint64
	refused     []uint32 // exits whose segment differs or that are closed at first
} {
	bond := j.Bond
	type row = struct {
		exit
		first, last uint64
		refused     []uint32
	}
	const forever = 1 << 40
	rows := map[string]row{
		"accept": {exit{chain.EscrowAccept, client, []uint64{7}, false, 7, []chain.Output{
			pay(operator, price+bond), pay(royal, royalty), pay(client, reserve-7),
		}}, 0, forever, nil},
		"accept, whole reserve": {exit{chain.EscrowAccept, client, []uint64{reserve}, false, reserve, []chain.Output{
			pay(operator, price+bond), pay(royal, royalty),
		}}, 0, forever, nil},
		"prove": {exit{chain.EscrowProve, operator, []uint64{9}, true, 9, []chain.Output{
			pay(operator, price+bond), pay(royal, royalty), pay(client, reserve-9), j.receipt(price),
		}}, 0, promised, []uint32{chain.EscrowLate}},
		"late": {exit{chain.EscrowLate, operator, []uint64{9}, true, 9, []chain.Output{
			pay(operator, 200+bond), pay(royal, royalty), pay(client, 201+reserve-9), j.receipt(200),
		}}, promised + 1, promised + lateness, []uint32{chain.EscrowProve}},
		"release, first half": {exit{chain.EscrowRelease, operator, nil, false, 0, []chain.Output{
			pay(client, price+royalty+reserve+bond*5/100), pay(operator, bond-bond*5/100),
		}}, 0, promised/2 - 1, nil},
		"release, second half": {exit{chain.EscrowRelease, operator, nil, false, 0, []chain.Output{
			pay(client, price+royalty+reserve+bond*20/100), pay(operator, bond-bond*20/100),
		}}, promised / 2, promised + lateness, nil},
		"missed": {exit{chain.EscrowMissed, client, nil, false, 0, []chain.Output{
			pay(client, price+royalty+reserve+bond/2), {Lock: chain.Burn(), Value: chain.Native(bond - bond/2)},
		}}, promised + lateness + 1, forever, []uint32{chain.EscrowRelease}},
	}
	if j.Level == chain.LevelOptimistic {
		out := j.Store.Attach(chain.AttachOutput, []byte("output"))
		held := j.JobEscrow
		held.FeeReserve -= 4
		final := j.start + promised + 60*minute
		c := chain.OptClaim{Escrow: held, Output: out.SHA256, Final: final}
		total, _ := held.Total()
		rows["claim"] = row{exit{chain.EscrowClaim, operator, []uint64{final, 4}, false, 4, []chain.Output{state(total, c.State())}}, 0, promised, nil}
	}
	if j.Kind == chain.JobProve {
		held := j.JobEscrow
		held.FeeReserve -= 4
		final := j.start + promised + 10*minute
		c := chain.InvalidClaim{Escrow: held, Final: final}
		total, _ := held.Total()
		rows["invalid"] = row{exit{chain.EscrowInvalid, operator, []uint64{final, 4}, false, 4, []chain.Output{state(total, c.State())}}, 0, promised, nil}
	}
	return rows
}

// draft drafts a row.
func (j *job) draft(x exit) *chaintest.Draft {
	if x.exit != chain.EscrowClaim {
		return j.take(j.utxo, x)
	}
	d := j.Draft()
	j.proof(d, operator.Lock(), "output")
	d.Attachments, d.Fee = d.Attachments[:2], chain.Native(x.fee)
	choices := append([]uint64{0, 1}, x.choices...)
	return d.Spend(j.utxo, chaintest.With{Exit: x.exit, Choices: choices, Data: []any{operator}}).Pay(x.pays...)
}

// kinds are the escrows whose exits are tested.
func kinds(t *testing.T, f func(t *testing.T, level chain.Level, kind chain.JobKind)) {
	for name, c := range map[string]struct {
		level chain.Level
		kind  chain.JobKind
	}{
		"zk infer": {chain.LevelZK, chain.JobInfer}, "zk prove": {chain.LevelZK, chain.JobProve},
		"optimistic infer": {chain.LevelOptimistic, chain.JobInfer},
	} {
		t.Run(name, func(t *testing.T) { f(t, c.level, c.kind) })
	}
}

func TestEscrowExitsAreOpenAtTheirInstantsOnly(t *testing.T) {
	kinds(t, func(t *testing.T, level chain.Level, kind chain.JobKind) {
		for name := range mustJob(t, level, kind).exits() {
			t.Run(name, func(t *testing.T) {
				j := mustJob(t, level, kind)
				x := j.exits()[name]
				if x.first > 0 {
					j.at(x.first - 1)
					if err := j.check(j.draft(x.exit).Sign()); err == nil {
						t.Error("open a moment too early")
					}
				}
				j.at(x.first)
				expect(t, j.check(j.draft(x.exit).Sign()), 0)
				for _, other := range x.refused {
					changed := x.exit
					changed.exit = other
					if err := j.check(j.draft(changed).Sign()); err == nil {
						t.Errorf("exit %d is open too", other)
					}
				}
				j.at(x.last)
				tx := j.draft(x.exit).Sign()
				expect(t, j.check(tx), 0)
				j.at(x.last + 1)
				if err := j.check(j.draft(x.exit).Sign()); err == nil && x.last < 1<<40 {
					t.Error("open a moment too late")
				}
			})
		}
	})
}

func TestEscrowExitsNeedTheirSignerAndExactSegment(t *testing.T) {
	kinds(t, func(t *testing.T, level chain.Level, kind chain.JobKind) {
		j := mustJob(t, level, kind)
		for name := range j.exits() {
			j := mustJob(t, level, kind)
			x := j.exits()[name]
			j.at(x.first)
			d := j.draft(x.exit)
			signed := d.Sign()
			forged := d.Sign()
			forged.Witness[0].Data = [][]byte{carol.Sign(chain.SigHash(d.Chain, forged.ID(), 0, &j.utxo.Entry.Output))}
			if got := code(t, j.check(forged)); got != chain.CodeSignature {
				t.Errorf("%s: another's signature: %d", name, got)
			}
			for i := range x.pays {
				d := j.draft(x.exit)
				d.Outputs[i].Lock = carol.Lock()
				if d.Outputs[i].Body == nil {
					if got := code(t, j.check(d.Sign())); got != chain.CodeSegmentOutput {
						t.Errorf("%s: output %d to somebody else: %d", name, i, got)
					}
				}
				d = j.draft(x.exit)
				d.Outputs = append(d.Outputs[:i:i], d.Outputs[i+1:]...)
				if got := code(t, j.check(d.Sign())); got != chain.CodeSegmentOutput && got != chain.CodeSegmentRange {
					t.Errorf("%s: output %d missing: %d", name, i, got)
				}
			}
			j.mine(0, signed)
		}
	})
}

func TestEscrowGivesForFeesOnlyWhatIsPaidAsFee(t *testing.T) {
	for _, c := range []struct {
		used, fee uint64
		want      chain.Code
	}{{7, 7, 0}, {8, 7, chain.CodeFeeDrawn}, {reserve, reserve, 0}, {reserve + 1, reserve + 1, chain.CodeExit}} {
		j := mustJob(t, chain.LevelZK, chain.JobInfer)
		d := j.take(j.utxo, exit{chain.EscrowAccept, client, []uint64{c.used}, false, c.fee, []chain.Output{
			pay(operator, price+bondZK), pay(royal, royalty),
		}})
		if c.used < reserve {
			d.Pay(pay(client, reserve-c.used), pay(carol, c.used-c.fee))
			if c.used == c.fee {
				d.Outputs = d.Outputs[:3]
			}
		}
		expect(t, j.check(d.Sign()), c.want)
	}
}

// TestTwoEscrowsAreNotSatisfiedByOnePayout has the classic double satisfaction, in both of its
// forms: one segment for two escrows, and one fee drawn from two reserves.
func TestTwoEscrowsAreNotSatisfiedByOnePayout(t *testing.T) {
	j := mustJob(t, chain.LevelZK, chain.JobInfer)
	total, _ := j.Total()
	again := j.transfer(state(total, j.State()), pay(alice, coin-total)).Refer(j.model()).Sign()
	j.mine(0, again)
	both := func(base uint32, used, fee uint64, outputs ...chain.Output) error {
		d := j.Draft()
		choices := append(j.proof(d, operator.Lock(), "output"), used)
		d.Fee = chain.Native(fee)
		for i, u := range []chain.UTXO{j.utxo, again.Out(0)} {
			d.Spend(u, chaintest.With{OutBase: base * uint32(i), Exit: chain.EscrowProve, Choices: choices, Data: []any{operator}})
		}
		return j.check(d.Pay(outputs...).Sign())
	}
	segments := func(used uint64, n int) (all []chain.Output) {
		for range n {
			all = append(all, pay(operator, price+bondZK), pay(royal, royalty), pay(client, reserve-used), j.receipt(price))
		}
		return all
	}
	expect(t, both(4, 4, 8, segments(4, 2)...), 0)
	expect(t, both(0, 4, 8, append(segments(4, 1), pay(operator, total-4))...), chain.CodeSegmentOverlap)
	expect(t, both(3, 4, 8, append(segments(4, 1), pay(operator, 1), pay(operator, 1), pay(operator, total-6))...), chain.CodeSegmentOverlap)
	expect(t, both(5, 4, 8, append(segments(4, 1), pay(operator, total-4))...), chain.CodeSegmentRange)
	expect(t, both(4, 9, 9, append(segments(9, 2), pay(operator, 9))...), chain.CodeFeeDrawn)
}

// model finds the unspent resource that names the key.
func (j *job) model() chain.UTXO {
	for o, e := range j.Store.Unspent {
		if _, ok := e.Output.Body.(*chain.Resource); ok {
			return chain.UTXO{Outpoint: o, Entry: e}
		}
	}
	j.t.Fatal("no resource is unspent")
	return chain.UTXO{}
}

func TestEscrowIsFundedAsItSays(t *testing.T) {
	for name, c := range map[string]struct {
		change func(e *chain.JobEscrow)
		want   chain.Code
	}{
		"as it is":               {func(*chain.JobEscrow) {}, 0},
		"no royalty":             {func(e *chain.JobEscrow) { e.Royalty = chain.Royalty{} }, 0},
		"bond below half":        {func(e *chain.JobEscrow) { e.Bond-- }, chain.CodeState},
		"optimistic bond":        {func(e *chain.JobEscrow) { e.Level = chain.LevelOptimistic }, chain.CodeState},
		"unknown level":          {func(e *chain.JobEscrow) { e.Level = 0 }, chain.CodeState},
		"unknown kind":           {func(e *chain.JobEscrow) { e.Kind = 0 }, chain.CodeState},
		"no price":               {func(e *chain.JobEscrow) { e.Price = 0 }, chain.CodeState},
		"royalty of nothing":     {func(e *chain.JobEscrow) { e.Royalty.Amount = 0 }, chain.CodeState},
		"due before start":       {func(e *chain.JobEscrow) { e.Start = e.Due + 1 }, chain.CodeState},
		"late before due":        {func(e *chain.JobEscrow) { e.Late = e.Due - 1 }, chain.CodeState},
		"royalty to nobody":      {func(e *chain.JobEscrow) { e.Royalty.Lock = nil }, chain.CodeState},
		"due too early":          {func(e *chain.JobEscrow) { e.Due = e.Start + 2*minute - 1 }, chain.CodeState},
		"due as early as it may": {func(e *chain.JobEscrow) { e.Due = e.Start + 2*minute }, 0},
		"late too early":         {func(e *chain.JobEscrow) { e.Late = e.Due + 10*minute - 1 }, chain.CodeState},
		"due in the past":        {func(e *chain.JobEscrow) { e.Start, e.Due = 0, e.Start-1 }, chain.CodeState},
		"another key":            {func(e *chain.JobEscrow) { e.Key.Cost++ }, chain.CodeKeyUnknown},
		"key of another kind":    {func(e *chain.JobEscrow) { e.Kind = chain.JobProve }, chain.CodeKeyUnknown},
		"lock with a covenant": {func(e *chain.JobEscrow) {
			e.Operator = chain.Delegate{Owner: operator.Lock(), Delegate: bob.Lock()}
		}, chain.CodeState},
		"amounts that overflow": {func(e *chain.JobEscrow) { e.FeeReserve = 1<<64 - 1 }, chain.CodeState},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newJob(t, chain.LevelZK, chain.JobInfer, c.change)
			expect(t, err, c.want)
		})
	}
	t.Run("value other than it says", func(t *testing.T) {
		j := mustJob(t, chain.LevelZK, chain.JobInfer)
		total, _ := j.Total()
		d := j.transfer(state(total-1, j.State()), pay(alice, coin-total+1)).Refer(j.model())
		expect(t, j.check(d.Sign()), chain.CodeState)
		d = j.transfer(chain.Output{Lock: alice.Lock(), Value: chain.Native(total), Body: j.State()}, pay(alice, coin-total))
		expect(t, j.check(d.Refer(j.model()).Sign()), chain.CodeState)
	})
}

func TestProofOfAnEscrowIsOfItsStatement(t *testing.T) {
	for name, change := range map[string]func(j *job){
		"another payee": func(j *job) { j.Operator = carol.Lock() },
		"another job":   func(j *job) { j.Job[0]++ },
		"another model": func(j *job) { j.Model[0]++ },
		"another kind":  func(j *job) { j.Kind = chain.JobProve },
	} {
		j := mustJob(t, chain.LevelZK, chain.JobInfer)
		x := j.exits()["prove"].exit
		other := *j
		change(&other)
		d := j.take(j.utxo, x)
		other.proof(d, other.Operator, "output")
		if got := code(t, j.check(d.Sign())); got != chain.CodeProof {
			t.Errorf("%s: rule %d", name, got)
		}
	}
}

func TestExitsOfOtherLevelsAndKindsDoNotExist(t *testing.T) {
	zk := mustJob(t, chain.LevelZK, chain.JobInfer)
	for _, n := range []uint32{0, chain.EscrowClaim, chain.EscrowInvalid, chain.EscrowInvalid + 1} {
		d := zk.take(zk.utxo, exit{n, operator, []uint64{0}, false, 0, nil})
		expect(t, zk.check(d.Sign()), chain.CodeExit)
	}
}

// claimed takes an optimistic or invalid claim and returns its output.
func (j *job) claimed(name string) chain.UTXO {
	tx := j.draft(j.exits()[name].exit).Sign()
	j.mine(0, tx)
	return tx.Out(0)
}

func TestOptimisticClaimPaysWhenFinal(t *testing.T) {
	j := mustJob(t, chain.LevelOptimistic, chain.JobInfer)
	c := j.claimed("claim")
	final := exit{chain.ClaimFinal, operator, []uint64{6}, false, 6, []chain.Output{
		pay(operator, price+bondOpt), pay(royal, royalty), pay(client, reserve-4-6), j.receipt(price),
	}}
	j.at(promised + 60*minute - 1)
	expect(t, j.check(j.take(c, final).Sign()), chain.CodeExitTime)
	j.at(promised + 60*minute)
	forged := final
	forged.signer = carol
	expect(t, j.check(j.take(c, forged).Sign()), chain.CodeSignature)
	j.mine(0, j.take(c, final).Sign())
}

func TestClaimIsNotFinalTooSoon(t *testing.T) {
	j := mustJob(t, chain.LevelOptimistic, chain.JobInfer)
	x := j.exits()["claim"]
	j.at(promised)
	expect(t, j.check(j.draft(x.exit).Sign()), 0)
	early := x.exit
	early.choices = []uint64{j.start + promised + 60*minute - 1, 4}
	expect(t, j.check(j.draft(early).Sign()), chain.CodeExitTime)
}

// refute drafts a challenge by carol that shows an output.
func (j *job) refute(c chain.UTXO, payee chain.Lock, output string) *chaintest.Draft {
	d := j.Draft()
	choices := j.proof(d, payee, output)
	return d.Spend(c, chaintest.With{Exit: chain.ClaimRefute, Choices: choices, Data: []any{chain.EncodeLock(carol.Lock())}}).Pay(
		pay(client, price+royalty+reserve-4+j.Bond/4), pay(carol, j.Bond/4),
		chain.Output{Lock: chain.Burn(), Value: chain.Native(j.Bond - j.Bond/4 - j.Bond/4)},
	)
}

func TestFraudProofSlashesBeforeFinal(t *testing.T) {
	j := mustJob(t, chain.LevelOptimistic, chain.JobInfer)
	c := j.claimed("claim")
	expect(t, j.check(j.refute(c, carol.Lock(), "output").Sign()), chain.CodeStatement)
	expect(t, j.check(j.refute(c, operator.Lock(), "other").Sign()), chain.CodeProof)
	j.at(promised + 60*minute - 1)
	fraud := j.refute(c, carol.Lock(), "other").Sign()
	expect(t, j.check(fraud), 0)
	stolen := j.refute(c, carol.Lock(), "other")
	stolen.Outputs[1] = pay(bob, j.Bond/4)
	expect(t, j.check(stolen.Sign()), chain.CodeSegmentOutput)
	j.at(promised + 60*minute)
	expect(t, j.check(fraud), chain.CodeExitTime)
}

func TestInvalidWitnessClaimIsRefutedByAnyProof(t *testing.T) {
	j := mustJob(t, chain.LevelZK, chain.JobProve)
	c := j.claimed("invalid")
	final := exit{chain.ClaimFinal, operator, []uint64{6}, false, 6, []chain.Output{
		pay(operator, bondZK+price/10), pay(client, price-price/10+royalty+reserve-4-6),
	}}
	j.at(promised + 10*minute - 1)
	expect(t, j.check(j.take(c, final).Sign()), chain.CodeExitTime)
	refuted := j.refute(c, carol.Lock(), "output").Sign()
	expect(t, j.check(refuted), 0)
	expect(t, j.check(j.refute(c, bob.Lock(), "output").Sign()), chain.CodeProof)
	j.at(promised + 10*minute)
	expect(t, j.check(refuted), chain.CodeExitTime)
	j.mine(0, j.take(c, final).Sign())
}

// TestVerifyingKeyOutlivesItsResource spends the model while the escrow is open.
func TestVerifyingKeyOutlivesItsResource(t *testing.T) {
	j := mustJob(t, chain.LevelZK, chain.JobInfer)
	gone := j.transfer(pay(alice, coin)).Spend(j.model(), signedBy(alice)).Sign()
	j.mine(0, gone)
	if j.Store.Named[j.Key.Hash] != 1 {
		t.Fatalf("%d unspent outputs name the key, want 1", j.Store.Named[j.Key.Hash])
	}
	j.mine(0, j.draft(j.exits()["prove"].exit).Sign())
	if len(j.Store.Named) != 0 {
		t.Fatal("the key is named by what is spent")
	}
	for range 2 {
		if err := j.Disconnect(); err != nil {
			t.Fatal(err)
		}
	}
	if j.Store.Named[j.Key.Hash] != 2 {
		t.Fatal("undoing blocks does not bring the key's names back")
	}
}
