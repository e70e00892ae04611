// Package poly holds multilinear extensions over the scalar field of BN254 and
// the kernels that multiply field elements by small integers.
//
// A multilinear polynomial in n variables is its table of 2^n values. A point
// lists the most significant variable first: point[0] binds bit n-1 of the
// index, and
//
//	eq(point, i) = Π_j (bit n-1-j of i is set ? point[j] : 1-point[j]).
//
// Tables are prefix dense: a table shorter than 2^n is continued by zeros, and
// the cost follows its length.
package poly

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// FromInt64 returns v as a field element.
func FromInt64(v int64) fr.Element {
	var e fr.Element
	e.SetInt64(v)
	return e
}

// EqAt returns eq(point, index). Index bits from len(point) upwards must be 0.
func EqAt(point []fr.Element, index uint64) fr.Element {
	acc := fr.One()
	for j := range point {
		f := point[j]
		if index>>(len(point)-1-j)&1 == 0 {
			f = complement(&f)
		}
		acc.Mul(&acc, &f)
	}
	return acc
}

// EqEval returns the multilinear extension of equality at two points of the
// same length: Π_i a_i·b_i + (1-a_i)(1-b_i).
func EqEval(a, b []fr.Element) fr.Element {
	if len(a) != len(b) {
		panic("BUG: poly.EqEval: points of different length")
	}
	acc := fr.One()
	for i := range a {
		// a·b + (1-a)(1-b) = 1 - a - b + 2ab
		var f, ab fr.Element
		ab.Mul(&a[i], &b[i])
		f = complement(&a[i])
		f.Sub(&f, &b[i])
		f.Add(&f, ab.Double(&ab))
		acc.Mul(&acc, &f)
	}
	return acc
}

// Less returns Σ_{i<n} eq(point, i), the multilinear extension of i < n, for
// n <= 2^len(point), at a cost linear in len(point).
func Less(point []fr.Element, n uint64) fr.Element {
	k := len(point)
	if k < 64 && n >= 1<<k {
		if n > 1<<k {
			panic("BUG: poly.Less: bound beyond the cube")
		}
		return fr.One()
	}
	// prefix is eq(point, n) over the top variables seen so far: the indices
	// that share these bits with n are still undecided.
	var acc fr.Element
	prefix := fr.One()
	for j := range point {
		c := complement(&point[j])
		c.Mul(&c, &prefix)
		if k-1-j < 64 && n>>(k-1-j)&1 == 1 {
			acc.Add(&acc, &c)
			prefix.Mul(&prefix, &point[j])
		} else {
			prefix = c
		}
	}
	return acc
}

// IndexEval returns Σ_i i·eq(point, i), the multilinear extension of the
// identity: Σ_j 2^(n-1-j)·point[j].
func IndexEval(point []fr.Element) fr.Element {
	var acc fr.Element
	for j := range point {
		acc.Double(&acc).Add(&acc, &point[j])
	}
	return acc
}

// complement returns 1 - x.
func complement(x *fr.Element) fr.Element {
	one := fr.One()
	one.Sub(&one, x)
	return one
}
