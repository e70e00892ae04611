package main

import (
	"math/big"
)

const (
	limbs    = 5
	limbBits = 52
)

// field holds a modulus p and the constants of its reduction.
type field struct {
	name string // suffix of the functions
	elem string // Go type of an element
	p    *big.Int
}

func newField(name, elem, modulus string) *field {
	p, ok := new(big.Int).SetString(modulus, 16)
	if !ok {
		panic("BUG: gen: modulus")
	}
	return &field{name: name, elem: elem, p: p}
}

func power(n int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(n)) }

// split returns v < 2^(64+208) in base 2^52; the top limb has what is left.
func split(v *big.Int) [limbs]uint64 {
	var out [limbs]uint64
	v = new(big.Int).Set(v)
	mask := new(big.Int).Sub(power(limbBits), big.NewInt(1))
	for i := range limbs - 1 {
		out[i] = new(big.Int).And(v, mask).Uint64()
		v.Rsh(v, limbBits)
	}
	out[limbs-1] = v.Uint64()
	return out
}

// inverse returns 2^(-52k) mod p.
func (f *field) inverse(k int) *big.Int {
	v := new(big.Int).ModInverse(power(limbBits*k), f.p)
	return v
}

// negInverse returns -1/p mod 2^52.
func (f *field) negInverse() uint64 {
	m := power(limbBits)
	v := new(big.Int).ModInverse(f.p, m)
	return new(big.Int).Sub(m, v).Uint64()
}

const (
	// quotientDrop bits of the top limb do not enter the estimate of a
	// quotient, which leaves a factor below 2^32.
	quotientDrop  = 17
	quotientShift = 60
)

// quotientFactor returns floor(2^(208+quotientDrop+quotientShift) / p), which
// is below 2^32.
func (f *field) quotientFactor() uint64 {
	v := power(limbBits*(limbs-1) + quotientDrop + quotientShift)
	v.Div(v, f.p)
	if v.BitLen() > 32 {
		panic("BUG: gen: quotient factor")
	}
	return v.Uint64()
}

// multiples returns limb j of (q+1)·p for q < 8.
func (f *field) multiples(j int) [8]uint64 {
	var row [8]uint64
	for q := range row {
		row[q] = split(new(big.Int).Mul(f.p, big.NewInt(int64(q+1))))[j]
	}
	return row
}
