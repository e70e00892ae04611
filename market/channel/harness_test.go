package channel

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

var (
	client   = chaintest.NewWallet("client")
	operator = chaintest.NewWallet("operator")
	owner    = chaintest.NewWallet("owner")
	stranger = chaintest.NewWallet("stranger")
)

const (
	start = uint64(chaintest.GenesisTime)
	hour  = uint64(3_600_000)
)

// guarded holds the codes that some test saw.
var guarded sync.Map

// TestMain requires of a whole run that every code was seen.
func TestMain(m *testing.M) {
	flag.Parse()
	status := m.Run()
	whole := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" &&
		flag.Lookup("test.skip").Value.String() == "" && flag.Lookup("test.list").Value.String() == ""
	for _, c := range Codes() {
		if _, ok := guarded.Load(c); !ok && whole && status == 0 {
			fmt.Printf("no test sees the code %q: %s\n", string(c), c.Meaning())
			status = 1
		}
	}
	os.Exit(status)
}

// expect requires that an error is of a code, or nil if want is empty.
func expect(t testing.TB, err error, want Code) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return
	}
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %s", err, string(want))
	}
	guarded.Store(want, true)
}

func hash(s string) chain.Hash { return tagged(s) }

// terms are of a channel that lives for a day.
func terms(limit, fee uint64) Terms {
	return Terms{
		Chain: hash("chain"), Client: client.Public(), Operator: operator.Public(),
		Cap: limit + fee, Fee: fee, Expiry: start + 24*hour,
	}
}

func funding(t *Terms) *chain.UTXO {
	return &chain.UTXO{Outpoint: chain.Outpoint{Tx: hash("funding"), Index: 1}, Entry: chain.Entry{Output: t.Output()}}
}

// job has a price, and a royalty for whoever is named.
func job(name string, price, royalty uint64, owner ...chaintest.Wallet) Job {
	j := Job{ID: hash("job " + name), Input: hash("input " + name), Price: price, Royalty: royalty}
	if royalty > 0 {
		j.Owner = chain.EncodeLock(owner[0].Lock())
	}
	return j
}

// output is what every job of this id has as output.
func output(j *Job) chain.Hash { return tagged("output", j.ID[:]) }

// pair is a channel with both sides, each of which stores all at once.
type pair struct {
	t     testing.TB
	terms Terms
	payer *Payer
	payee *Payee
	now   uint64
}

func newPair(t testing.TB, terms Terms, o Options) *pair {
	t.Helper()
	return newPairOn(t, terms, o, funding(&terms))
}

func newPairOn(t testing.TB, terms Terms, o Options, u *chain.UTXO) *pair {
	t.Helper()
	payer, err := OpenPayer(terms, u)
	if err != nil {
		t.Fatal(err)
	}
	payer.Stored(payer.Record())
	a := payer.Announce()
	payee, err := OpenPayee(start, o, operator.Public(), &a, u)
	if err != nil {
		t.Fatal(err)
	}
	payee.Stored(payee.Record())
	return &pair{t, terms, payer, payee, start}
}

// client stores what a method of the payer returned.
func (p *pair) client(r Record, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	p.payer.Stored(r)
}

// operator stores what a method of the payee returned.
func (p *pair) operator(r Record, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	p.payee.Stored(r)
}

// begin takes a job up to its delivery.
func (p *pair) begin(j Job) {
	p.t.Helper()
	p.client(p.payer.Reserve(p.now, j))
	p.operator(p.payee.Accept(p.now, j))
	p.operator(p.payee.Deliver(j.ID, output(&j)))
}

// voucher returns that of a job which was begun.
func (p *pair) voucher(j Job) *Voucher {
	p.t.Helper()
	p.client(p.payer.Pay(p.now, j.ID, output(&j)))
	all := p.outbox()
	return &all[len(all)-1]
}

func (p *pair) outbox() []Voucher {
	p.t.Helper()
	all, err := p.payer.Outbox(client.Sign)
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

// pay takes a job up to its acknowledgement.
func (p *pair) pay(j Job) *Voucher {
	p.t.Helper()
	p.begin(j)
	v := p.voucher(j)
	p.operator(p.payee.Receive(p.now, v))
	ack := p.payee.Ack()
	p.client(p.payer.Acknowledged(&ack))
	return v
}

// closing closes and returns the operator's transaction.
func (p *pair) closing() chaintest.Signed {
	p.t.Helper()
	p.payee.Stored(p.payee.Close())
	return signed(p.t)(p.payee.Closing(operator.Sign))
}

// signed returns a transaction that was made without error.
func signed(t testing.TB) func(*chain.Tx, chain.Witness, error) chaintest.Signed {
	return func(tx *chain.Tx, w chain.Witness, err error) chaintest.Signed {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return chaintest.Signed{Tx: tx, Witness: w}
	}
}
