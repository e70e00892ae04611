package channel

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
)

func TestPaymentsAreOfOneChannelAndBounded(t *testing.T) {
	v := *newPair(t, terms(1000, 10), Options{}).pay(job("1", 100, 0))
	for name, p := range map[string]Payments{
		"another channel":   {Channel: hash("other"), Vouchers: []Voucher{v}},
		"too many vouchers": {Channel: v.Channel, Vouchers: slices.Repeat([]Voucher{v}, MaxUnpaid+1)},
		"a bad voucher":     {Channel: v.Channel, Vouchers: []Voucher{{Channel: v.Channel}}},
	} {
		_, err := DecodePayments(p.Encode())
		if expect(t, err, ErrMalformed); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	most := Payments{Channel: v.Channel, Vouchers: slices.Repeat([]Voucher{v}, MaxUnpaid)}
	if n := len(most.Encode()); n > MaxPayments {
		t.Errorf("%d vouchers are %d bytes", MaxUnpaid, n)
	}
}

// TestClosingTransactionSaysWhatIsPaid closes with each of two vouchers that are not acknowledged.
func TestClosingTransactionSaysWhatIsPaid(t *testing.T) {
	for paid := range 3 {
		p := newPair(t, terms(1000, 10), Options{})
		p.pay(job("0", 100, 0))
		var jobs []chain.Hash
		for i, name := range []string{"1", "2"} {
			j := job(name, 100, 0)
			p.begin(j)
			if v := p.voucher(j); i < paid {
				p.operator(p.payee.Receive(p.now, v))
				jobs = append(jobs, j.ID)
			}
		}
		ack := p.payer.ClosedBy(p.closing().Tx.ID())
		if ack.N != uint64(1+paid) || !slices.Equal(p.payer.Covers(&ack), jobs) {
			t.Errorf("closed after %d: voucher %d, which pays %v", 1+paid, ack.N, p.payer.Covers(&ack))
		}
		if n := p.payer.Open(); n != 2 {
			t.Errorf("%d jobs are open, not 2", n)
		}
		ack = p.payer.ClosedBy(p.payer.state.Announce.reclaim().ID())
		if len(p.payer.Covers(&ack)) > 0 {
			t.Error("a reclaimed channel pays for jobs")
		}
	}
}
