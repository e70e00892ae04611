package replica_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/mempool"
	"github.com/weisyn/wes/chain/replica"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is a ledger with blocks, and one that is past its initial sync and has the other as peer.
func pair(t *testing.T) (from, to *ledger) {
	from, to = newLedger(t, nil), newLedger(t, nil)
	from.mine()
	must(t, to.Join(to.now, 1))
	to.sync(from)
	to.follow(from)
	to.at(from)
	l := to.store.Ledger()
	if h, _, _ := to.store.Header(l.Tip); !h.Stored {
		t.Error("a block that is connected is not marked as stored")
	}
	return from, to
}

func kinds(asked []*replica.Request) (all []replica.Kind) {
	for _, q := range asked {
		all = append(all, q.Kind)
	}
	return all
}

func TestNewNodeFetchesWholeBlocks(t *testing.T) {
	from := newLedger(t, nil)
	for range 5 {
		must(t, from.Submit(from.now, from.payment(1000)))
		from.mine()
	}
	to := newLedger(t, nil)
	to.now = from.now
	must(t, to.Join(to.now, 1))
	if got := kinds(to.sync(from)); slices.Contains(got, replica.KindOutline) || !slices.Contains(got, replica.KindBody) {
		t.Errorf("asked for %v", got)
	}
	to.at(from)
}

func TestBlocksAreAssembledFromTheMempool(t *testing.T) {
	from, to := pair(t)
	var all []replica.Relayed
	for i := range uint64(4) {
		x := from.payment(1000 + i)
		all = append(all, x)
		must(t, from.Submit(from.now, x))
	}
	for _, x := range all[:3] {
		must(t, to.Submit(to.now, x))
	}
	block := from.mine()
	asked := to.follow(from)
	to.at(from)
	i := slices.IndexFunc(asked, func(q *replica.Request) bool { return q.Kind == replica.KindTxs })
	if i < 0 || slices.Contains(kinds(asked), replica.KindBody) {
		t.Fatalf("asked for %v", kinds(asked))
	}
	missing := slices.IndexFunc(block.Txs, func(x *chain.Tx) bool { return x.ID() == all[3].Tx.ID() })
	if want := []uint32{0, uint32(missing)}; !slices.Equal(asked[i].Indices, want) {
		t.Errorf("asked for transactions %v, lacks %v", asked[i].Indices, want)
	}
}

// TestLyingAnswersCostTheirSender gives wrong parts of a block.
func TestLyingAnswersCostTheirSender(t *testing.T) {
	for name, lie := range map[string]func(q *replica.Request, a *replica.Answer){
		"outline of another block": func(_ *replica.Request, a *replica.Answer) {
			if a.Outline != nil {
				a.Outline.IDs[0][0]++
			}
		},
		"witness of another": func(_ *replica.Request, a *replica.Answer) {
			if a.Outline != nil {
				a.Outline.Witnesses[1][0]++
			}
		},
		"other transactions": func(_ *replica.Request, a *replica.Answer) { slices.Reverse(a.Txs) },
	} {
		t.Run(name, func(t *testing.T) {
			from, to := pair(t)
			must(t, to.Submit(to.now, to.payment(1000))) // its mempool is not empty
			for range 3 {
				must(t, from.Submit(from.now, from.payment(2000)))
			}
			block := from.mine()
			must(t, to.Announced(from.now, 1, consensus.SealedHeader{Header: block.Header}))
			dropped := false
			for range 5 {
				effects := to.Effects()
				dropped = dropped || slices.ContainsFunc(of[replica.Drop](effects), func(d replica.Drop) bool { return d.Peer == 1 && d.Ban })
				for _, e := range of[replica.Ask](effects) {
					a := to.ask(e.Request, from)
					lie(e.Request, a)
					must(t, to.Answer(from.now, e.Peer, e.Request, a))
				}
			}
			if l := to.store.Ledger(); !dropped || l.Tip == block.Header.Hash() {
				t.Errorf("dropped: %v, stands at %v", dropped, &l)
			}
		})
	}
}

func TestGarbledAnswersCostTheirSender(t *testing.T) {
	from, to := pair(t)
	block := from.mine()
	must(t, to.Announced(from.now, 1, consensus.SealedHeader{Header: block.Header}))
	for _, e := range of[replica.Ask](to.Effects()) {
		must(t, to.Fail(from.now, e.Peer, e.Request, replica.Garbled))
	}
	if d := of[replica.Drop](to.Effects()); len(d) != 1 || !d[0].Ban {
		t.Errorf("%+v", d)
	}
}

// relayed hands a transaction of a peer over and returns the verdicts at once and the requests.
func (l *ledger) relayed(from replica.PeerID, x replica.Relayed, ticket uint64) ([]replica.Verdict, []replica.Ask) {
	l.t.Helper()
	must(l.t, l.Relay(l.now, from, x, ticket))
	effects := l.Effects()
	return of[replica.Verdict](effects), of[replica.Ask](effects)
}

func TestRelayedTransactionsGetOneVerdict(t *testing.T) {
	l := newLedger(t, nil)
	must(t, l.Join(l.now, 1))
	good := l.payment(1000)
	spoilt := l.payment(1000)
	spoilt.Witness[0].Data[0][1] ^= 1
	unknown := l.payment(1000)
	unknown.Tx.Inputs[0].Tx[0]++
	for i, c := range []struct {
		x    replica.Relayed
		want replica.Decision
	}{{good, replica.Accepted}, {good, replica.Ignored}, {spoilt, replica.Rejected}, {unknown, replica.Ignored}} {
		if v, _ := l.relayed(1, c.x, uint64(i)); len(v) != 1 || v[0] != (replica.Verdict{Ticket: uint64(i), Decision: c.want}) {
			t.Errorf("case %d: %+v", i, v)
		}
	}
}

func TestAttachmentsOfARelayedTransactionComeFromItsSender(t *testing.T) {
	from, to := pair(t)
	b := []byte("beside it")
	x := from.payment(5000, b)
	must(t, from.Submit(from.now, x, b))
	verdicts, asks := to.relayed(1, x, 7)
	if len(verdicts) != 0 || len(asks) != 1 || asks[0].Request.Kind != replica.KindAttachments {
		t.Fatalf("%+v, %+v", verdicts, asks)
	}
	must(t, to.Answer(to.now, 1, asks[0].Request, to.ask(asks[0].Request, from)))
	if v := of[replica.Verdict](to.Effects()); len(v) != 1 || v[0].Decision != replica.Accepted {
		t.Fatalf("%+v", v)
	}
	from.mine()
	to.follow(from)
	to.at(from)
	if got, ok, _ := to.store.Attachment(x.Tx.Attachments[0].SHA256); !ok || !bytes.Equal(got, b) {
		t.Error("the attachment was not stored with the block")
	}
}

func TestTransactionsWithoutTheirAttachmentsAreGivenUp(t *testing.T) {
	_, to := pair(t)
	x := to.payment(5000, []byte("withheld"))
	_, asks := to.relayed(1, x, 1)
	must(t, to.Fail(to.now, 1, asks[0].Request, replica.Lost))
	if v := of[replica.Verdict](to.Effects()); len(v) != 1 || v[0].Decision != replica.Ignored {
		t.Errorf("lost: %+v", v)
	}
	_, asks = to.relayed(1, x, 2)
	if len(asks) != 1 {
		t.Fatal("not asked for again")
	}
	var verdicts []replica.Verdict
	for range 20 {
		to.now += 1000
		must(t, to.Tick(to.now))
		verdicts = append(verdicts, of[replica.Verdict](to.Effects())...)
	}
	if len(verdicts) != 1 || verdicts[0] != (replica.Verdict{Ticket: 2, Decision: replica.Ignored}) {
		t.Errorf("silence: %+v", verdicts)
	}
}

func TestWaitingTransactionsAreBounded(t *testing.T) {
	to := newLedger(t, func(c *replica.Config) { c.MaxWaiting, c.PeerWaiting = 3, 2 })
	waits := func(peer replica.PeerID, n byte) bool {
		v, asks := to.relayed(peer, to.payment(5000, []byte{n}), uint64(n))
		return len(v) == 0 && len(asks) == 1
	}
	got := []bool{waits(1, 1), waits(1, 2), waits(1, 3), waits(2, 4), waits(3, 5)}
	if want := []bool{true, true, false, true, false}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestBlocksWaitForTheirAttachments(t *testing.T) {
	from, to := pair(t)
	b := []byte("beside it")
	must(t, from.Submit(from.now, from.payment(5000, b), b))
	block := from.mine()
	withheld := from.store.Withhold(from.store.Attach(chain.AttachData, b).SHA256)
	from.open() // without what its mempool held
	to.follow(from)
	if l := to.store.Ledger(); l.Tip == block.Header.Hash() {
		t.Fatal("connected without its attachment")
	}
	from.store.Attach(chain.AttachData, withheld)
	for range 30 {
		to.now += 1000
		must(t, to.Tick(to.now))
		to.sync(from)
	}
	to.at(from)
}

func TestBuriedBlocksConnectWithoutAttachments(t *testing.T) {
	from := newLedger(t, nil)
	b := []byte("beside it")
	must(t, from.Submit(from.now, from.payment(5000, b), b))
	from.mine()
	for range 6 {
		from.mine()
	}
	from.store.Withhold(from.store.Attach(chain.AttachData, b).SHA256)
	from.open() // without what its mempool held
	to := newLedger(t, func(c *replica.Config) { c.Consensus.AttachmentDepth = 3 })
	to.now = from.now
	must(t, to.Join(to.now, 1))
	to.sync(from)
	to.at(from)
}

func TestMinedBlocksThatDoNotFitAreRefused(t *testing.T) {
	l := newLedger(t, nil)
	stale := l.template()
	l.mine()
	var refusal *replica.Refusal
	if err := l.Mined(l.now, stale); !errors.As(err, &refusal) || !errors.Is(err, replica.ErrStale) {
		t.Errorf("stale: %v", err)
	}
	greedy := l.template()
	greedy.Txs[0].Outputs = []chain.Output{{Lock: bob.Lock(), Value: chain.Native(5)}}
	greedy.Header.TxRoot, greedy.Header.WitnessRoot = greedy.Roots()
	solve(greedy)
	var rule *chain.RuleError
	if err := l.Mined(l.now, greedy); !errors.As(err, &refusal) || !errors.As(err, &rule) || rule.Code != chain.CodeCoinbaseAmount {
		t.Errorf("too much: %v", err)
	}
	lazy := l.template()
	for {
		target, _ := consensus.Target(easy)
		var raw [32]byte
		target.FillBytes(raw[:])
		if h := lazy.Header.Hash(); string(h[:]) > string(raw[:]) {
			break
		}
		lazy.Header.Nonce[0]++
	}
	var header *consensus.HeaderError
	if err := l.Mined(l.now, lazy); !errors.As(err, &refusal) || !errors.As(err, &header) || header.Rule != consensus.RuleWork {
		t.Errorf("without work: %v", err)
	}
}

func TestSubmissionsSayWhyTheyAreRefused(t *testing.T) {
	l := newLedger(t, nil)
	x := l.payment(1000)
	must(t, l.Submit(l.now, x))
	var refusal *replica.Refusal
	if err := l.Submit(l.now, x); !errors.As(err, &refusal) || !errors.Is(err, mempool.ErrKnown) {
		t.Error(err)
	}
	if err := l.Submit(l.now, l.payment(1000), []byte("not listed")); !errors.As(err, &refusal) {
		t.Error(err)
	}
	if err := l.Submit(l.now, l.payment(1000, []byte("absent"))); !errors.As(err, &refusal) {
		t.Error(err)
	}
	if l.Pending(x.Tx.ID()) == nil || l.Spender(x.Tx.Inputs[0]) == nil {
		t.Error("the first one is gone")
	}
}

// branches are two blocks of one ledger against one of another: the second wins.
func branches(t *testing.T) (short, long *ledger, x replica.Relayed) {
	short, long = newLedger(t, nil), newLedger(t, nil)
	x = short.payment(1000)
	must(t, short.Submit(short.now, x))
	short.mine()
	long.mine()
	long.mine()
	must(t, short.Join(short.now, 1))
	return short, long, x
}

func TestTransactionsOfBlocksLeftComeBack(t *testing.T) {
	short, long, x := branches(t)
	short.sync(long)
	short.follow(long)
	short.at(long)
	if short.Pending(x.Tx.ID()) == nil {
		t.Error("a transaction was lost with its block")
	}
}

// TestDiskFaultsAtEveryWriteLoseNothing fails one write after the other of a reorganisation, opens
// the store again and lets it go on.
func TestDiskFaultsAtEveryWriteLoseNothing(t *testing.T) {
	for n := 1; ; n++ {
		short, long, _ := branches(t)
		before := short.store.Ledger()
		short.store.FailAt = n
		err := faulty(short, long)
		if err == nil {
			if n < 8 {
				t.Fatalf("only %d writes", n)
			}
			return
		}
		if !errors.Is(err, chaintest.ErrDisk) {
			t.Fatalf("write %d: %v", n, err)
		}
		short.store = short.store.Reopen()
		if l, goal := short.store.Ledger(), long.store.Ledger(); l != before && l != goal {
			t.Fatalf("write %d: stands at %v, in the middle", n, &l)
		}
		short.open()
		must(t, short.Join(short.now, 1))
		short.sync(long)
		short.follow(long)
		short.at(long)
	}
}

// faulty syncs until an error.
func faulty(l, from *ledger) error {
	at := from.store.Ledger()
	h, _, err := from.store.Header(at.Tip)
	if err != nil {
		return err
	}
	l.now = from.now + 1000
	if err := l.Announced(l.now, 1, consensus.SealedHeader{Header: h.Header}); err != nil {
		return err
	}
	for range 100 {
		asks := of[replica.Ask](l.Effects())
		if len(asks) == 0 {
			return nil
		}
		for _, e := range asks {
			if err := l.Answer(l.now, e.Peer, e.Request, l.ask(e.Request, from)); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestBranchWithAnInvalidBlockIsRolledBack: the branch of most work ends in a block that breaks a
// rule, and nothing of it stays.
func TestBranchWithAnInvalidBlockIsRolledBack(t *testing.T) {
	to, from := newLedger(t, nil), newLedger(t, nil)
	x := to.payment(1000)
	must(t, to.Submit(to.now, x))
	to.mine()
	first := from.mine()
	greedy := from.template()
	greedy.Txs[0].Outputs = []chain.Output{{Lock: bob.Lock(), Value: chain.Native(5)}}
	greedy.Header.TxRoot, greedy.Header.WitnessRoot = greedy.Roots()
	solve(greedy)
	must(t, from.store.PutHeaders([]chain.StoredHeader{{Header: greedy.Header}}))
	must(t, from.store.PutBody(greedy))
	before := to.store.Ledger()
	to.now = from.now
	must(t, to.Join(to.now, 1))
	for range 20 {
		for _, e := range of[replica.Ask](to.Effects()) {
			a := to.ask(e.Request, from)
			if e.Request.Kind == replica.KindHeaders {
				a.Headers = []consensus.SealedHeader{{Header: first.Header}, {Header: greedy.Header}}
			}
			must(t, to.Answer(to.now, e.Peer, e.Request, a))
		}
	}
	if l := to.store.Ledger(); l != before {
		t.Errorf("stands at %v", &l)
	}
	if h, found, _ := to.store.Header(greedy.Header.Hash()); !found || !h.Bad {
		t.Errorf("the invalid block: known %v, marked %v", found, h.Bad)
	}
	must(t, to.Submit(to.now, to.payment(1000)))
	to.mine()
}

// TestForgedPartsDoNotMakeAGoodBlockBad: parts that fit each other, but not the header, cost their
// sender and not the block.
func TestForgedPartsDoNotMakeAGoodBlockBad(t *testing.T) {
	for name, lie := range map[string]func(to *ledger, own []replica.Relayed, a *replica.Answer){
		"outline of the own mempool": func(_ *ledger, own []replica.Relayed, a *replica.Answer) {
			if a.Outline != nil {
				a.Outline = &replica.Outline{}
				for _, x := range own {
					a.Outline.IDs, a.Outline.Witnesses = append(a.Outline.IDs, x.Tx.ID()), append(a.Outline.Witnesses, x.Witness.Hash())
				}
			}
		},
		"other body under the same witness": func(_ *ledger, _ []replica.Relayed, a *replica.Answer) {
			for i := range a.Txs {
				changed := *a.Txs[i].Tx
				changed.From++
				a.Txs[i].Tx = &changed
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := pair(t)
			own := []replica.Relayed{to.payment(1000), to.payment(1000)}
			for _, x := range own {
				must(t, to.Submit(to.now, x))
				must(t, from.Submit(from.now, x))
			}
			for range 3 {
				from.payment(1) // other coins than those of own
			}
			must(t, from.Submit(from.now, from.payment(2000)))
			block := from.mine()
			must(t, to.Announced(from.now, 1, consensus.SealedHeader{Header: block.Header}))
			banned := false
			for range 6 {
				effects := to.Effects()
				banned = banned || slices.ContainsFunc(of[replica.Drop](effects), func(d replica.Drop) bool { return d.Ban })
				for _, e := range of[replica.Ask](effects) {
					a := to.ask(e.Request, from)
					lie(to, own, a)
					must(t, to.Answer(from.now, e.Peer, e.Request, a))
				}
			}
			if h, _, _ := to.store.Header(block.Header.Hash()); h.Bad || !banned {
				t.Errorf("the block is bad: %v; the peer is banned: %v", h.Bad, banned)
			}
		})
	}
}

func TestBlockWithAnotherWitnessThanTheMempoolsIsFetched(t *testing.T) {
	from, to := pair(t)
	must(t, to.Submit(to.now, to.ambiguous(0)))
	must(t, from.Submit(from.now, from.ambiguous(1)))
	from.mine()
	to.follow(from)
	to.at(from)
}
