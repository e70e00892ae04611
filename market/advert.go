package market

import (
	"crypto/ed25519"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Offer is a posted price for one program.
type Offer struct {
	_        struct{} `cbor:",toarray"`
	Program  Ref
	Level    chain.Level
	Price    uint64
	Promise  uint64 // ms
	ProveFee uint64
	Posted   bool // it may be awarded without a question, as long as the advert stands
}

// Advert says who an operator is and what it sells. It is gossiped, signed by its key.
type Advert struct {
	_         struct{} `cbor:",toarray"`
	Chain     chain.Hash
	Operator  chain.PublicKey
	Peer      string
	Addresses []string
	Class     string // of its fastest device
	Token     chain.TokenID
	Offers    []Offer
	Any       bool   // questions about other programs are welcome
	Channels  bool   // small jobs may be paid through a payment channel
	Issued    uint64 // ms since 1970; a later advert replaces an earlier one
	Expiry    uint64
	Signature [ed25519.SignatureSize]byte
}

// MaxAdvertTime is how long an advert stands, in ms.
const MaxAdvertTime = 120_000

func (a *Advert) check() error {
	if len(a.Peer) > MaxPeer || len(a.Addresses) > maxAddress || len(a.Class) > MaxClass || len(a.Offers) > MaxOffers ||
		a.Expiry < a.Issued || a.Expiry-a.Issued > MaxAdvertTime {
		return errBounds
	}
	if slices.ContainsFunc(a.Addresses, func(s string) bool { return len(s) > MaxAddress }) {
		return errBounds
	}
	for i := range a.Offers {
		if o := &a.Offers[i]; o.Price == 0 || o.Promise == 0 || o.Promise > MaxPromise*1000 || o.ProveFee > 1<<62 {
			return errBounds
		}
	}
	return nil
}

// Digest is what the operator signs.
func (a *Advert) Digest() chain.Hash {
	bare := *a
	bare.Signature = [ed25519.SignatureSize]byte{}
	return tagged("wes/advert/1", encode(&bare))
}

// Signed reports whether the operator has signed it.
func (a *Advert) Signed() bool {
	d := a.Digest()
	return ed25519.Verify(a.Operator[:], d[:], a.Signature[:])
}

// Encode returns the canonical encoding.
func (a *Advert) Encode() []byte { return encode(a) }

// DecodeAdvert is the inverse of Encode. It does not check the signature.
func DecodeAdvert(b []byte) (*Advert, error) { return decode[Advert](b, MaxAdvert) }

// of returns the offer for a program at a level.
func (a *Advert) of(program Ref, level chain.Level) *Offer {
	for i := range a.Offers {
		if o := &a.Offers[i]; o.Program == program && o.Level == level {
			return o
		}
	}
	return nil
}

// bid returns an offer as the bid that it stands for.
func (a *Advert) bid(o *Offer, ask *Ask) Bid {
	return Bid{
		Ask: ask.Hash(), Operator: a.Operator, Price: o.Price, Promise: o.Promise, Class: a.Class, ProveFee: o.ProveFee, Expiry: a.Expiry,
	}
}
