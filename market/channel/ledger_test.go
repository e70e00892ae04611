package channel

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// network is a ledger of which the client has a coin for each terms.
func network(t testing.TB, ts ...*Terms) (*chaintest.Network, []*chain.UTXO) {
	t.Helper()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var coins []chain.Output
	for _, terms := range ts {
		coins = append(coins, chain.Output{Lock: client.Lock(), Value: chain.Native(terms.Cap)})
	}
	n, paid, err := chaintest.NewNetwork(v, coins...)
	if err != nil {
		t.Fatal(err)
	}
	var funded []*chain.UTXO
	for i, terms := range ts {
		terms.Chain = n.Ledger.Chain
		tx := n.Draft().Spend(paid[i], chaintest.With{Data: []any{client}}).Pay(terms.Output()).Sign()
		if err := n.Mine(tx); err != nil {
			t.Fatal(err)
		}
		u, err := n.Unspent(tx.Out(0).Outpoint)
		if err != nil {
			t.Fatal(err)
		}
		funded = append(funded, &u)
	}
	return n, funded
}

// held sums what the ledger holds under a lock.
func held(n *chaintest.Network, l chain.Lock) uint64 {
	var sum uint64
	for _, e := range n.Store.Unspent {
		if bytes.Equal(chain.EncodeLock(e.Output.Lock), chain.EncodeLock(l)) {
			sum += e.Output.Value.Of(chain.TokenID{})
		}
	}
	return sum
}

func wants(t *testing.T, n *chaintest.Network, toClient, toOperator, toOwner uint64) {
	t.Helper()
	got := [3]uint64{held(n, client.Lock()), held(n, operator.Lock()), held(n, owner.Lock())}
	if want := [3]uint64{toClient, toOperator, toOwner}; got != want {
		t.Fatalf("client, operator and owner hold %v, want %v", got, want)
	}
}

func ruleOf(err error) chain.Code {
	var r *chain.RuleError
	if errors.As(err, &r) {
		return r.Code
	}
	return 0
}

func TestOperatorClosesWithTheLatestVoucher(t *testing.T) {
	for _, c := range []struct {
		jobs                      int
		price, royalty, fee       uint64
		client, operator, toOwner uint64
	}{
		{1, 100, 0, 10, 900, 90, 0},
		{5, 100, 20, 10, 400, 490, 100},
		{5, 178, 20, 10, 10, 880, 100},     // all that jobs may cost
		{1, 7, 0, 10, 993, 0, 0},           // less than the fee
		{10, 100, 0, 0, 0, 1000, 0},        // nothing is left
		{9, 10, 100, 10, 10, 80, 900},      // mostly royalties
		{64, 15, 0, 10, 40, 64*15 - 10, 0}, // as many as may be unpaid
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			terms := terms(1000-c.fee, c.fee)
			n, funded := network(t, &terms)
			p := newPairOn(t, terms, Options{}, funded[0])
			for i := range c.jobs {
				p.pay(job(fmt.Sprint(i), c.price, c.royalty, owner))
			}
			if err := n.Mine(p.closing()); err != nil {
				t.Fatal(err)
			}
			wants(t, n, c.client, c.operator, c.toOwner)
		})
	}
}

func TestClosingKeepsTheReceipt(t *testing.T) {
	terms := terms(1000, 10)
	n, funded := network(t, &terms)
	p := newPairOn(t, terms, Options{}, funded[0])
	first, second := job("1", 100, 0), job("2", 200, 0)
	p.pay(first)
	v := p.pay(second)
	closing := p.closing()
	if err := n.Mine(closing); err != nil {
		t.Fatal(err)
	}
	last := closing.Out(len(closing.Tx.Outputs) - 1)
	data, err := chain.DecodeState(last.Entry.Output.Body.(*chain.State))
	if err != nil {
		t.Fatal(err)
	}
	one := payment{Job: first, Output: output(&first)}
	two := payment{Job: second, Output: output(&second)}
	want := two.receipt(one.receipt(p.payer.ID()))
	if !bytes.Equal(data.([]byte), want[:]) || v.Receipt != want {
		t.Fatalf("receipt %x, voucher %v, want %v", data, v.Receipt, want)
	}
	u, err := n.Unspent(last.Outpoint)
	if err != nil {
		t.Fatal(err)
	}
	coin := closing.Out(1)
	drop := n.Draft().Spend(u, chaintest.With{Data: []any{client}}).Spend(coin, chaintest.With{Data: []any{client}}).Pay(
		chain.Output{Lock: client.Lock(), Value: coin.Entry.Output.Value}).Sign()
	if err := n.Mine(drop); err != nil {
		t.Fatalf("the client drops the receipt: %v", err)
	}
}

func TestClientReclaimsFromTheExpiryOnOnly(t *testing.T) {
	terms := terms(990, 10)
	n, funded := network(t, &terms)
	p := newPairOn(t, terms, Options{}, funded[0])
	p.pay(job("1", 100, 0))
	_, _, err := p.payer.Reclaim(terms.Expiry-1, client.Sign)
	expect(t, err, ErrEarly)
	reclaim := signed(t)(p.payer.Reclaim(terms.Expiry, client.Sign))
	if got := ruleOf(n.Mine(reclaim)); got != chain.CodeLockTime {
		t.Fatalf("reclaimed early: rule %d", got)
	}
	if err := n.MineAfter(terms.Expiry - n.Now()); err != nil {
		t.Fatal(err)
	}
	if err := n.Mine(reclaim); err != nil {
		t.Fatal(err)
	}
	wants(t, n, 990, 0, 0)
	if got := ruleOf(n.Mine(p.closing())); got != chain.CodeMissing {
		t.Fatalf("closed after it was reclaimed: rule %d", got)
	}
}

func TestNobodyReclaimsWhatIsClosed(t *testing.T) {
	terms := terms(990, 10)
	n, funded := network(t, &terms)
	p := newPairOn(t, terms, Options{}, funded[0])
	p.pay(job("1", 100, 0))
	closing := p.closing()
	if err := n.MineAfter(terms.Expiry-n.Now(), closing); err != nil {
		t.Fatal(err)
	}
	if got := ruleOf(n.Mine(signed(t)(p.payer.Reclaim(terms.Expiry, client.Sign)))); got != chain.CodeMissing {
		t.Fatalf("rule %d", got)
	}
}

func TestEveryVoucherClosesAndLaterOnesPayMore(t *testing.T) {
	terms := terms(990, 10)
	n, funded := network(t, &terms)
	p := newPairOn(t, terms, Options{}, funded[0])
	a := p.payer.Announce()
	var before uint64
	for i := range 5 {
		v := p.pay(job(fmt.Sprint(i), 50, 3, owner))
		state := p.payee.state.Totals
		tx := a.closing(&state)
		s, err := a.sign(tx, terms.Operator, operator.Sign)
		if err != nil {
			t.Fatal(err)
		}
		got := tx.Outputs[0].Value.Of(terms.Token)
		if got <= before {
			t.Fatalf("voucher %d pays %d after %d", v.N, got, before)
		}
		before = got
		if _, err := n.CheckTx(n.Env(), n.Store, n.Store, tx, terms.both(v.Signature, s)); err != nil {
			t.Fatalf("voucher %d does not close: %v", v.N, err)
		}
	}
}

func TestNeitherSideClosesAlone(t *testing.T) {
	terms := terms(990, 10)
	n, funded := network(t, &terms)
	p := newPairOn(t, terms, Options{}, funded[0])
	p.pay(job("1", 100, 0))
	closing := p.closing()
	for i := range 2 {
		data := slices.Clone(closing.Witness[0].Data)
		data[i] = data[1-i]
		forged := chaintest.Signed{Tx: closing.Tx, Witness: chain.Witness{{Choices: closing.Witness[0].Choices, Data: data}}}
		if got := ruleOf(n.Mine(forged)); got != chain.CodeSignature {
			t.Fatalf("one signature twice: rule %d", got)
		}
	}
}

func TestEitherKeyMayBeTheFirst(t *testing.T) {
	for _, keys := range [][2]chaintest.Wallet{{client, stranger}, {stranger, client}} {
		terms := terms(990, 10)
		terms.Client, terms.Operator = keys[0].Public(), keys[1].Public()
		n, funded := network(t, &terms)
		a := Announce{Terms: terms, Tx: funded[0].Outpoint.Tx, Index: funded[0].Outpoint.Index}
		j := job("1", 100, 0)
		state := totals{Receipt: a.ID()}
		state = state.after(&payment{Job: j, Output: output(&j)})
		tx := a.closing(&state)
		var s [2][64]byte
		for i, w := range keys {
			var err error
			if s[i], err = a.sign(tx, w.Public(), w.Sign); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Mine(chaintest.Signed{Tx: tx, Witness: terms.both(s[0], s[1])}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClosingTransactionKeepsToItsBound(t *testing.T) {
	terms := terms(1<<62, 1<<61)
	n, funded := network(t, &terms)
	p := newPairOn(t, terms, Options{}, funded[0])
	for i := range MaxOwners {
		lock := chain.Lock(chain.Multi{Need: 1, Keys: []chain.PublicKey{{byte(i)}}})
		for k := byte(1); len(chain.EncodeLock(lock)) <= MaxOwner-34; k++ {
			m := lock.(chain.Multi)
			lock = chain.Multi{Need: 1, Keys: append(m.Keys, chain.PublicKey{byte(i), k})}
		}
		j := job(fmt.Sprint(i), 1<<57, 1<<56, owner)
		j.Owner = chain.EncodeLock(lock)
		p.pay(j)
	}
	j := job("one owner too many", 1, 1, owner)
	_, err := p.payer.Reserve(start, j)
	expect(t, err, ErrOwners)
	_, err = p.payee.Accept(start, j)
	expect(t, err, ErrOwners)
	closing := p.closing()
	size := len(closing.Tx.Encode()) + len(closing.Witness.Encode())
	verdict, err := n.CheckTx(n.Env(), n.Store, n.Store, closing.Tx, closing.Witness)
	if err != nil {
		t.Fatal(err)
	}
	if most := chain.Weight(MaxClosing, 0, 0); verdict.Weight > most {
		t.Fatalf("%d bytes of weight %d, at most %d", size, verdict.Weight, most)
	}
	t.Logf("%d bytes", size)
}

func TestTokensOtherThanTheNativeOnePayTheFeeToo(t *testing.T) {
	terms := terms(990, 10)
	terms.Token = hash("token")
	p := newPair(t, terms, Options{})
	p.pay(job("1", 100, 0))
	tx := p.closing().Tx
	if tx.Fee.Of(terms.Token) != 10 || tx.Outputs[0].Value.Of(terms.Token) != 90 || tx.Outputs[1].Value.Of(terms.Token) != 900 {
		t.Fatalf("%+v", tx)
	}
}
