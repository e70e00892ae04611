package channel

import (
	"errors"

	"github.com/weisyn/wes/chain"
)

// Payments brings vouchers to the operator, and asks for its [Ack].
type Payments struct {
	_       struct{} `cbor:",toarray"`
	Channel chain.Hash
	// Vouchers are those that are not acknowledged, in their order; at most [MaxUnpaid].
	Vouchers []Voucher
	Close    bool // the client has no more jobs for the channel: the operator may as well close it
}

var errBatch = errors.New("too many vouchers, or one of another channel")

func (p *Payments) check() error {
	if len(p.Vouchers) > MaxUnpaid {
		return errBatch
	}
	for i := range p.Vouchers {
		if p.Vouchers[i].Channel != p.Channel {
			return errBatch
		}
		if err := p.Vouchers[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// Encode returns the canonical encoding.
func (p *Payments) Encode() []byte { return encode(p) }

// DecodePayments is the inverse of Encode. Its errors are [ErrMalformed].
func DecodePayments(b []byte) (*Payments, error) { return decode[Payments](b, MaxPayments) }
