package channel

import "github.com/weisyn/wes/chain"

// Due reports whether it is time to close: the expiry is near, or all that jobs may cost is paid.
// Before, a channel is closed when the operator likes.
func (p *Payee) Due(now uint64) bool {
	t := &p.state.Announce.Terms
	return !p.state.Closing && (now >= t.Expiry-Margin || p.state.Totals.cost() == t.Limit())
}

// Close ends the channel: no job and no voucher is taken any more. Once its record is stored,
// Closing has the transaction.
func (p *Payee) Close() Record {
	if p.state.Closing {
		return p.Record()
	}
	p.state.Closing = true
	return p.changed()
}

// Closes reports whether the channel was ended by Close.
func (p *Payee) Closes() bool { return p.state.Closing }

// Closing returns the closing transaction of the latest voucher, which is the best, signed by both.
// Its errors are [ErrUnstored] before the record of Close is stored, [ErrUnpaid] if no job is paid,
// and [ErrSignature] if sign has another key.
func (p *Payee) Closing(sign Sign) (*chain.Tx, chain.Witness, error) {
	if !p.stored.closing {
		return nil, nil, ErrUnstored
	}
	if p.state.Totals.N == 0 {
		return nil, nil, ErrUnpaid
	}
	a := &p.state.Announce
	tx := a.closing(&p.state.Totals)
	s, err := a.sign(tx, a.Terms.Operator, sign)
	if err != nil {
		return nil, nil, err
	}
	return tx, a.Terms.both(p.state.Signature, s), nil
}
