package chain

import (
	"bytes"
	"math/bits"
	"slices"
)

// Unit is the number of base units in one WES. Amounts are in base units, of this and of
// every other token.
const Unit = 100_000_000

// TokenID names a token. The zero value is the native token, WES; any other is the
// [NewTokenID] of the output that issued it.
type TokenID = Hash

// NewTokenID returns the identity of the token whose policy is output index of the
// transaction with that first input: SHA-256("wes/token/1" ‖ outpoint ‖ output index).
func NewTokenID(first Outpoint, index uint32) TokenID {
	return tagged(tagToken, first.append(nil), appendUint(nil, uint64(index)))
}

// Coin is an amount of one token.
type Coin struct {
	Token  TokenID
	Amount uint64
}

// Value is what an output holds: amounts above zero, tokens in strictly ascending order.
type Value []Coin

// Native returns a value of n base units of WES; of zero units it is empty.
func Native(n uint64) Value { return Tokens(TokenID{}, n) }

// Tokens returns a value of n base units of one token; of zero units it is empty.
func Tokens(t TokenID, n uint64) Value {
	if n == 0 {
		return nil
	}
	return Value{{t, n}}
}

// Of returns the amount of one token.
func (v Value) Of(t TokenID) uint64 {
	for i := range v {
		if v[i].Token == t {
			return v[i].Amount
		}
	}
	return 0
}

// Equal reports whether both hold the same.
func (v Value) Equal(w Value) bool { return slices.Equal(v, w) }

// Less returns v without n units of t; false if v does not hold them.
func (v Value) Less(t TokenID, n uint64) (Value, bool) {
	if v.Of(t) < n {
		return nil, false
	}
	var rest Value
	for _, c := range v {
		if c.Token == t {
			c.Amount -= n
		}
		if c.Amount > 0 {
			rest = append(rest, c)
		}
	}
	return rest, true
}

// canonical reports whether v keeps the order and the lower bound of amounts.
func (v Value) canonical() bool {
	for i := range v {
		if v[i].Amount == 0 || i > 0 && bytes.Compare(v[i-1].Token[:], v[i].Token[:]) >= 0 {
			return false
		}
	}
	return true
}

// append encodes v as an array of pairs (token, amount); the native token is the empty
// byte string.
func (v Value) append(b []byte) []byte {
	b = appendArray(b, 2*len(v))
	for i := range v {
		b = appendToken(b, v[i].Token)
		b = appendUint(b, v[i].Amount)
	}
	return b
}

func appendToken(b []byte, t TokenID) []byte {
	if t == (TokenID{}) {
		return appendBytes(b, nil)
	}
	return appendBytes(b, t[:])
}

func (d *decoder) token() (t TokenID) {
	p := d.view(majorBytes, HashSize)
	if len(p) == 0 {
		return t
	}
	if copy(t[:], p) != HashSize || t == (TokenID{}) {
		d.fail("token of %d bytes, or zero at length", len(p))
	}
	return t
}

func (d *decoder) value(tokens int) Value {
	n := d.list(0, 2*tokens)
	if n%2 != 0 {
		d.fail("value without an amount")
		return nil
	}
	var v Value
	for range n / 2 {
		v = append(v, Coin{d.token(), d.uint()})
	}
	if !v.canonical() {
		d.fail("value with unsorted tokens or a zero amount")
	}
	return v
}

// totals sums amounts by token.
type totals map[TokenID]uint64

// add adds c; false if the sum of its token leaves 64 bits.
func (t totals) add(c Coin) bool {
	sum, carry := bits.Add64(t[c.Token], c.Amount, 0)
	t[c.Token] = sum
	return carry == 0
}

// addAll adds every coin of v; false on the first overflow.
func (t totals) addAll(v Value) bool {
	for _, c := range v {
		if !t.add(c) {
			return false
		}
	}
	return true
}

// value returns the sums above zero, sorted by token.
func (t totals) value() Value {
	var v Value
	for token, n := range t {
		if n > 0 {
			v = append(v, Coin{token, n})
		}
	}
	slices.SortFunc(v, func(a, b Coin) int { return bytes.Compare(a.Token[:], b.Token[:]) })
	return v
}
