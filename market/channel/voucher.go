package channel

import (
	"crypto/ed25519"
	"errors"

	"github.com/weisyn/wes/chain"
)

// Voucher pays for one more job. The amounts, and the receipt, are those of the closing transaction
// that Signature signs; the operator builds that from what it knows and compares.
type Voucher struct {
	_         struct{} `cbor:",toarray"`
	Channel   chain.Hash
	N         uint64 // from 1 on
	Job       chain.Hash
	Input     chain.Hash
	Output    chain.Hash
	Paid      uint64 // to the operator, for all jobs so far
	Royalty   uint64 // to all owners, for all jobs so far
	Receipt   chain.Hash
	Signature [ed25519.SignatureSize]byte
}

var errNumber = errors.New("a voucher that pays nothing")

func (v *Voucher) check() error {
	if v.N == 0 || v.Paid == 0 {
		return errNumber
	}
	return nil
}

// Encode returns the canonical encoding.
func (v *Voucher) Encode() []byte { return encode(v) }

// DecodeVoucher is the inverse of Encode. Its errors are [ErrMalformed].
func DecodeVoucher(b []byte) (*Voucher, error) { return decode[Voucher](b, MaxVoucher) }

// pays reports whether the voucher says these totals.
func (v *Voucher) pays(t *totals) bool {
	return v.N == t.N && v.Paid == t.Paid && v.Royalty == t.royalty() && v.Receipt == t.Receipt
}

// Ack tells the client up to which voucher the operator has stored all. It answers a voucher, and a
// client that asks after a start.
type Ack struct {
	_       struct{} `cbor:",toarray"`
	Channel chain.Hash
	N       uint64 // 0: none
}

func (*Ack) check() error { return nil }

// Encode returns the canonical encoding.
func (a *Ack) Encode() []byte { return encode(a) }

// DecodeAck is the inverse of Encode. Its errors are [ErrMalformed].
func DecodeAck(b []byte) (*Ack, error) { return decode[Ack](b, MaxAck) }
