package channel

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/chain"
)

func TestTermsOutOfRangeOpenNoChannel(t *testing.T) {
	for name, spoil := range map[string]func(*Terms){
		"one key for both":      func(t *Terms) { t.Client = t.Operator },
		"nothing but the fee":   func(t *Terms) { t.Cap = t.Fee },
		"fee above the cap":     func(t *Terms) { t.Fee = t.Cap + 1 },
		"expiry in the margin":  func(t *Terms) { t.Expiry = Margin },
		"no expiry":             func(t *Terms) { t.Expiry = 0 },
		"another operator":      func(t *Terms) { t.Operator = stranger.Public() },
		"expires soon":          func(t *Terms) { t.Expiry = start + Margin + MinLife - 1 },
		"expired":               func(t *Terms) { t.Expiry = start - 1 },
		"expired a century ago": func(t *Terms) { t.Expiry = Margin + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			terms := terms(1000, 10)
			spoil(&terms)
			u := funding(&terms)
			a := Announce{Terms: terms, Tx: u.Outpoint.Tx, Index: u.Outpoint.Index}
			_, err := OpenPayee(start, Options{}, operator.Public(), &a, u)
			expect(t, err, ErrTerms)
			if _, err := OpenPayer(terms, u); terms.Check() != nil {
				expect(t, err, ErrTerms)
			}
		})
	}
}

func TestFundingIsWhatTheTermsAskFor(t *testing.T) {
	for name, spoil := range map[string]func(*chain.UTXO){
		"another output":   func(u *chain.UTXO) { u.Outpoint.Index++ },
		"less":             func(u *chain.UTXO) { u.Entry.Output.Value = chain.Native(1009) },
		"another token":    func(u *chain.UTXO) { u.Entry.Output.Value = chain.Tokens(hash("token"), 1010) },
		"a key's":          func(u *chain.UTXO) { u.Entry.Output.Lock = client.Lock() },
		"an earlier reach": func(u *chain.UTXO) { e := terms(1000, 10); e.Expiry--; u.Entry.Output.Lock = e.Lock() },
		"a state":          func(u *chain.UTXO) { u.Entry.Output.Body = &chain.State{Type: chain.StateData} },
	} {
		t.Run(name, func(t *testing.T) {
			terms := terms(1000, 10)
			u := funding(&terms)
			a := Announce{Terms: terms, Tx: u.Outpoint.Tx, Index: u.Outpoint.Index}
			spoil(u)
			_, err := OpenPayee(start, Options{}, operator.Public(), &a, u)
			expect(t, err, ErrFunding)
			a.Tx, a.Index = u.Outpoint.Tx, u.Outpoint.Index
			if _, err := OpenPayer(terms, u); name != "another output" {
				expect(t, err, ErrFunding)
			}
		})
	}
}

func TestOptionsAreInRange(t *testing.T) {
	terms := terms(1000, 10)
	u := funding(&terms)
	a := Announce{Terms: terms, Tx: u.Outpoint.Tx, Index: u.Outpoint.Index}
	record := newPair(t, terms, Options{}).payee.Record().Bytes
	for _, n := range []int{-1, MaxUnpaid + 1} {
		if _, err := OpenPayee(start, Options{MaxUnpaid: n}, operator.Public(), &a, u); err == nil {
			t.Errorf("opened with %d unpaid jobs", n)
		}
		if _, err := RestorePayee(Options{MaxUnpaid: n}, record); err == nil {
			t.Errorf("restored with %d unpaid jobs", n)
		}
	}
}

// spoiled is a change to the voucher of the third job, two being paid, and the code it meets.
type spoiled struct {
	name  string
	spoil func(p *pair, v *Voucher)
	want  Code
}

func spoils() []spoiled {
	// resign signs the totals that the voucher says, as a client that cheats would.
	resign := func(p *pair, t totals, v *Voucher) {
		a := p.payer.Announce()
		v.N, v.Paid, v.Royalty, v.Receipt = t.N, t.Paid, t.royalty(), t.Receipt
		v.Signature, _ = a.sign(a.closing(&t), p.terms.Client, client.Sign)
	}
	return []spoiled{
		{"as it is", func(*pair, *Voucher) {}, ""},
		{"of another channel", func(_ *pair, v *Voucher) { v.Channel = hash("other") }, ErrChannel},
		{"number of the one before", func(_ *pair, v *Voucher) { v.N-- }, ErrReplay},
		{"number of the first", func(_ *pair, v *Voucher) { v.N = 1 }, ErrReplay},
		{"number ahead", func(_ *pair, v *Voucher) { v.N++ }, ErrGap},
		{"largest number", func(_ *pair, v *Voucher) { v.N = 1<<64 - 1 }, ErrGap},
		{"unknown job", func(_ *pair, v *Voucher) { v.Job = hash("other") }, ErrUnknownJob},
		{"paid job", func(_ *pair, v *Voucher) { v.Job = hash("job 1") }, ErrUnknownJob},
		{"job that is not delivered", func(_ *pair, v *Voucher) {
			v.Job, v.Input, v.Output = hash("job 4"), hash("input 4"), chain.Hash{}
		}, ErrResult},
		{"another input", func(_ *pair, v *Voucher) { v.Input = hash("other") }, ErrResult},
		{"another output", func(_ *pair, v *Voucher) { v.Output = hash("other") }, ErrResult},
		{"one less", func(_ *pair, v *Voucher) { v.Paid-- }, ErrAmount},
		{"one more", func(_ *pair, v *Voucher) { v.Paid++ }, ErrAmount},
		{"less royalty", func(_ *pair, v *Voucher) { v.Royalty-- }, ErrAmount},
		{"less, signed", func(p *pair, v *Voucher) {
			t := p.payer.latest
			t.Paid--
			resign(p, t, v)
		}, ErrAmount},
		{"nothing added, signed", func(p *pair, v *Voucher) {
			t := p.payee.state.Totals
			t.N++
			resign(p, t, v)
		}, ErrAmount},
		{"another owner, signed", func(p *pair, v *Voucher) {
			t := p.payer.latest
			t.Owners = []royalties{{Owner: chain.EncodeLock(stranger.Lock()), Amount: t.royalty()}}
			resign(p, t, v)
		}, ErrSignature},
		{"another receipt", func(_ *pair, v *Voucher) { v.Receipt = hash("other") }, ErrReceipt},
		{"another receipt, signed", func(p *pair, v *Voucher) {
			t := p.payer.latest
			t.Receipt = hash("other")
			resign(p, t, v)
		}, ErrReceipt},
		{"no signature", func(_ *pair, v *Voucher) { v.Signature = [64]byte{} }, ErrSignature},
		{"a bit of the signature", func(_ *pair, v *Voucher) { v.Signature[40] ^= 1 }, ErrSignature},
		{"signed by another", func(p *pair, v *Voucher) {
			a := p.payer.Announce()
			v.Signature, _ = a.sign(a.closing(&p.payer.latest), stranger.Public(), stranger.Sign)
		}, ErrSignature},
		{"signed without the last", func(p *pair, v *Voucher) { v.Signature = p.payee.state.Signature }, ErrSignature},
		{"at the expiry", func(p *pair, _ *Voucher) { p.now = p.terms.Expiry }, ErrExpired},
		{"before the expiry", func(p *pair, _ *Voucher) { p.now = p.terms.Expiry - 1 }, ""},
		{"closed", func(p *pair, _ *Voucher) { p.payee.Close() }, ErrClosed},
	}
}

func TestVouchersAreRefused(t *testing.T) {
	for _, c := range spoils() {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, terms(1000, 10), Options{})
			p.pay(job("1", 100, 7, owner))
			p.pay(job("2", 100, 7, owner))
			p.operator(p.payee.Accept(start, job("4", 50, 0)))
			third := job("3", 100, 7, owner)
			p.begin(third)
			v := *p.voucher(third)
			c.spoil(p, &v)
			before := p.payee.state.Totals
			_, err := p.payee.Receive(p.now, &v)
			expect(t, err, c.want)
			if after := p.payee.state.Totals; c.want != "" && (after.N != before.N || after.cost() != before.cost()) {
				t.Fatal("a voucher that was refused counts")
			}
		})
	}
}

func TestTheLatestVoucherIsTakenAgain(t *testing.T) {
	p := newPair(t, terms(1000, 10), Options{})
	first := *p.pay(job("1", 100, 0))
	second := *p.pay(job("2", 100, 0))
	before := p.payee.Record()
	for _, when := range []func(){func() {}, func() { p.now = p.terms.Expiry }, func() { p.payee.Stored(p.payee.Close()) }} {
		when()
		r, err := p.payee.Receive(p.now, &second)
		expect(t, err, "")
		if p.payee.Earned() != 200 || p.payee.Ack().N != 2 {
			t.Fatalf("earned %d, acknowledged %d", p.payee.Earned(), p.payee.Ack().N)
		}
		if string(r.Bytes) != string(before.Bytes) && !p.payee.state.Closing {
			t.Fatal("a repeat changed the state")
		}
		_, err = p.payee.Receive(p.now, &first)
		expect(t, err, ErrReplay)
	}
}

func TestJobsAreRefusedByBothSides(t *testing.T) {
	long := job("2", 1, 1, owner)
	long.Owner = make([]byte, MaxOwner+1)
	garbage := job("2", 1, 1, owner)
	garbage.Owner = []byte{0xff}
	nobody := job("2", 1, 1, owner)
	nobody.Owner = nil
	other := job("1", 100, 0)
	other.Price = 101
	for _, c := range []struct {
		name         string
		job          Job
		now          uint64
		payer, payee Code
	}{
		{"as it is", job("2", 100, 0), start, "", ""},
		{"all there is", job("2", 900, 0), start, "", ""},
		{"one more than there is", job("2", 901, 0), start, ErrFull, ErrPaymentRequired},
		{"royalty above what is left", job("2", 900, 1, owner), start, ErrFull, ErrPaymentRequired},
		{"for nothing", job("2", 0, 0), start, ErrJob, ErrJob},
		{"sum beyond 64 bits", job("2", 1<<63, 1<<63, owner), start, ErrJob, ErrJob},
		{"owner without royalty", Job{ID: hash("job 2"), Price: 1, Owner: []byte{1}}, start, ErrJob, ErrJob},
		{"royalty without owner", nobody, start, ErrJob, ErrJob},
		{"lock of an owner too long", long, start, ErrJob, ErrJob},
		{"lock of an owner that does not decode", garbage, start, ErrJob, ErrJob},
		{"id of another", other, start, ErrJob, ErrJob},
		{"the same again", job("1", 100, 0), start, "", ""},
		{"at the margin", job("2", 100, 0), start + 24*hour - Margin, "", ""},
		{"in the margin", job("2", 100, 0), start + 24*hour - Margin + 1, ErrExpired, ErrExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t, terms(1000, 10), Options{})
			p.client(p.payer.Reserve(start, job("1", 100, 0)))
			p.operator(p.payee.Accept(start, job("1", 100, 0)))
			_, err := p.payer.Reserve(c.now, c.job)
			expect(t, err, c.payer)
			_, err = p.payee.Accept(c.now, c.job)
			expect(t, err, c.payee)
		})
	}
}

func TestUnpaidJobsAreBounded(t *testing.T) {
	for _, most := range []int{1, 3, MaxUnpaid} {
		p := newPair(t, terms(1000, 10), Options{MaxUnpaid: most})
		for i := range most {
			p.begin(job(fmt.Sprint(i), 10, 0))
		}
		next := job("next", 10, 0)
		_, err := p.payee.Accept(start, next)
		expect(t, err, ErrPaymentRequired)
		if most == MaxUnpaid {
			_, err = p.payer.Reserve(start, next)
			expect(t, err, ErrFull)
		}
		p.operator(p.payee.Receive(start, p.voucher(job("0", 10, 0))))
		_, err = p.payee.Accept(start, next)
		expect(t, err, "")
	}
}

func TestVouchersWithoutAcknowledgementAreBounded(t *testing.T) {
	p := newPair(t, terms(1000, 10), Options{})
	for i := range MaxUnpaid {
		j := job(fmt.Sprint(i), 10, 0)
		p.client(p.payer.Reserve(start, j))
		p.client(p.payer.Pay(start, j.ID, output(&j)))
	}
	_, err := p.payer.Reserve(start, job("next", 10, 0))
	expect(t, err, ErrFull)
	p.client(p.payer.Acknowledged(&Ack{Channel: p.payer.ID(), N: 10}))
	p.client(p.payer.Reserve(start, job("next", 10, 0)))
	if all := p.outbox(); len(all) != MaxUnpaid-10 || all[0].N != 11 {
		t.Fatalf("%d vouchers from %d on", len(all), all[0].N)
	}
}

func TestPaymentsAreRefused(t *testing.T) {
	p := newPair(t, terms(1000, 10), Options{})
	one, two, three := job("1", 100, 0), job("2", 100, 0), job("3", 100, 0)
	p.begin(one)
	p.begin(two)
	_, err := p.payer.Pay(start, three.ID, output(&three))
	expect(t, err, ErrUnknownJob)
	_, err = p.payer.Pay(p.terms.Expiry, one.ID, output(&one))
	expect(t, err, ErrExpired)
	v := *p.voucher(one)
	_, err = p.payer.Pay(start, one.ID, hash("other"))
	expect(t, err, ErrResult)
	if again := *p.voucher(one); again != v {
		t.Fatal("paid again, another voucher")
	}
	_, err = p.payer.Forget(one.ID)
	expect(t, err, ErrUnknownJob)
	_, err = p.payer.Acknowledged(&Ack{Channel: hash("other"), N: 1})
	expect(t, err, ErrChannel)
	_, err = p.payer.Acknowledged(&Ack{Channel: p.payer.ID(), N: 2})
	expect(t, err, ErrBehind)
	p.client(p.payer.Close(), nil)
	p.client(p.payer.Close(), nil)
	_, err = p.payer.Pay(start, two.ID, output(&two))
	expect(t, err, ErrClosed)
	_, err = p.payer.Reserve(start, three)
	expect(t, err, ErrClosed)
	p.client(p.payer.Forget(two.ID))
	if p.payer.Room() != 900 || p.payer.Cost() != 100 {
		t.Fatalf("room for %d, cost %d", p.payer.Room(), p.payer.Cost())
	}
}

func TestDeliveriesAreRefused(t *testing.T) {
	p := newPair(t, terms(1000, 10), Options{})
	one, two, three := job("1", 100, 0), job("2", 100, 0), job("3", 100, 0)
	p.begin(one)
	_, err := p.payee.Deliver(one.ID, hash("other"))
	expect(t, err, ErrResult)
	p.operator(p.payee.Deliver(one.ID, output(&one)))
	_, err = p.payee.Deliver(two.ID, output(&two))
	expect(t, err, ErrUnknownJob)
	_, err = p.payee.Drop(one.ID)
	expect(t, err, ErrResult)
	p.operator(p.payee.Accept(start, two))
	p.operator(p.payee.Drop(two.ID))
	_, err = p.payee.Drop(two.ID)
	expect(t, err, ErrUnknownJob)
	p.operator(p.payee.Receive(start, p.voucher(one)))
	_, err = p.payee.Accept(start, one)
	expect(t, err, ErrJob)
	p.payee.Close()
	_, err = p.payee.Accept(start, three)
	expect(t, err, ErrClosed)
}

func TestNothingFollowsFromWhatIsNotStored(t *testing.T) {
	p := newPair(t, terms(1000, 10), Options{})
	one := job("1", 100, 0)
	p.begin(one)
	_, _, err := p.payee.Closing(operator.Sign)
	expect(t, err, ErrUnstored)

	paid, err := p.payer.Pay(start, one.ID, output(&one))
	expect(t, err, "")
	if all := p.outbox(); len(all) != 0 {
		t.Fatal("a voucher was signed before its record was stored")
	}
	_, err = p.payer.Acknowledged(&Ack{Channel: p.payer.ID(), N: 1})
	expect(t, err, ErrBehind)
	p.payer.Stored(paid)
	v := p.outbox()[0]

	received, err := p.payee.Receive(start, &v)
	expect(t, err, "")
	if p.payee.Ack().N != 0 || p.payee.Paid(one.ID) || p.payee.Owes(one.ID) {
		t.Fatal("a voucher counts before it is stored")
	}
	p.payee.Stored(received)
	if p.payee.Ack().N != 1 || !p.payee.Paid(one.ID) {
		t.Fatal("a voucher that is stored does not count")
	}
	closed := p.payee.Close()
	_, _, err = p.payee.Closing(operator.Sign)
	expect(t, err, ErrUnstored)
	p.payee.Stored(closed)
	_, _, err = p.payee.Closing(operator.Sign)
	expect(t, err, "")
}

func TestAnEarlierRecordTakesNothingBack(t *testing.T) {
	p := newPair(t, terms(1000, 10), Options{})
	payer, payee := p.payer.Record(), p.payee.Record()
	one := job("1", 100, 0)
	p.begin(one)
	p.operator(p.payee.Receive(start, p.voucher(one)))
	p.payer.Stored(payer)
	p.payee.Stored(payee)
	if len(p.outbox()) != 1 || p.payee.Ack().N != 1 || !p.payee.Paid(one.ID) {
		t.Fatal("what is stored is forgotten")
	}
}

func TestSigningWithAnotherKeyIsRefused(t *testing.T) {
	p := newPair(t, terms(1000, 10), Options{})
	p.pay(job("1", 100, 0))
	two := job("2", 100, 0)
	p.begin(two)
	p.client(p.payer.Pay(start, two.ID, output(&two)))
	p.payee.Stored(p.payee.Close())
	for _, sign := range []Sign{stranger.Sign, func(chain.Hash) []byte { return nil }} {
		_, err := p.payer.Outbox(sign)
		expect(t, err, ErrSignature)
		_, _, err = p.payer.Reclaim(p.terms.Expiry, sign)
		expect(t, err, ErrSignature)
		_, _, err = p.payee.Closing(sign)
		expect(t, err, ErrSignature)
	}
}

func TestAChannelWithoutPaymentsHasNothingToClose(t *testing.T) {
	p := newPair(t, terms(1000, 10), Options{})
	p.begin(job("1", 100, 0))
	p.payee.Stored(p.payee.Close())
	_, _, err := p.payee.Closing(operator.Sign)
	expect(t, err, ErrUnpaid)
}

func TestClosingIsDueNearTheExpiryAndAtTheCap(t *testing.T) {
	p := newPair(t, terms(200, 10), Options{})
	p.pay(job("1", 100, 0))
	for now, want := range map[uint64]bool{start: false, p.terms.Expiry - Margin - 1: false, p.terms.Expiry - Margin: true, p.terms.Expiry: true} {
		if got := p.payee.Due(now); got != want {
			t.Errorf("due at %d: %v", now, got)
		}
	}
	p.pay(job("2", 100, 0))
	if !p.payee.Due(start) {
		t.Error("not due at the cap")
	}
	p.payee.Close()
	if p.payee.Due(p.terms.Expiry) {
		t.Error("due when it is closed")
	}
}
