package main

import (
	"math/big"
)

// limbs is the number of limbs of an element.
const limbs = 5

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

// split returns v in limbs of that many bits; the top limb has what is left,
// which is below 2^64.
func split(v *big.Int, limbBits int) [limbs]uint64 {
	var out [limbs]uint64
	v = new(big.Int).Set(v)
	mask := new(big.Int).Sub(power(limbBits), big.NewInt(1))
	for i := range limbs - 1 {
		out[i] = new(big.Int).And(v, mask).Uint64()
		v.Rsh(v, uint(limbBits))
	}
	out[limbs-1] = v.Uint64()
	return out
}

// inverse returns 2^-bits mod p.
func (f *field) inverse(bits int) *big.Int {
	return new(big.Int).ModInverse(power(bits), f.p)
}

// negInverse returns -1/p mod 2^bits, which is positive.
func (f *field) negInverse(bits int) *big.Int {
	m := power(bits)
	v := new(big.Int).ModInverse(f.p, m)
	return v.Sub(m, v)
}

// multiple returns n·p.
func (f *field) multiple(n int64) *big.Int { return new(big.Int).Mul(f.p, big.NewInt(n)) }

// quotient returns about a/b.
func quotient(a, b *big.Int) float64 {
	q, _ := new(big.Rat).SetFrac(a, b).Float64()
	return q
}
