package commit

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// MaxGenerators is the largest number of generators of a [Key].
const MaxGenerators = 1 << 14

// generatorDomain separates the generators from every other use of SHA-256.
const generatorDomain = "wes/v1/hyrax/generator"

// Key holds the generators G_0, …, G_{n-1}. Generator i depends on i alone, so a
// short key is a prefix of a longer one. A Key is immutable and may be shared.
type Key struct {
	gens []bn254.G1Affine
	// signed interleaves the generators with their negatives, G_j at 2j and -G_j
	// at 2j+1, so that a signed digit costs no branch.
	signed []bn254.G1Affine
}

// NewKey derives a key of n generators, 1 <= n <= [MaxGenerators], on all cores.
// Any other n is a [LengthError].
func NewKey(n int) (*Key, error) {
	if n < 1 || n > MaxGenerators {
		return nil, &LengthError{What: "key", Got: n, Want: "1.." + strconv.Itoa(MaxGenerators)}
	}
	gens := make([]bn254.G1Affine, n)
	parallel(n, 8, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			gens[i] = generator(uint64(i))
		}
	})
	return newKey(gens), nil
}

// newKey wraps any non-empty list of points as a key.
func newKey(gens []bn254.G1Affine) *Key {
	signed := make([]bn254.G1Affine, 2*len(gens))
	for i := range gens {
		signed[2*i] = gens[i]
		signed[2*i+1].Neg(&gens[i])
	}
	return &Key{gens: gens, signed: signed}
}

// Len is the number of generators, the longest row that can be committed.
func (k *Key) Len() int { return len(k.gens) }

// Generators is the list G_0, …, G_{n-1}; the caller must not change it.
func (k *Key) Generators() []bn254.G1Affine { return k.gens }

// generator maps an index to the curve by try and increment: for attempt = 0, 1, …
// it takes x and a sign from SHA-256(domain ‖ 0 ‖ index ‖ attempt), both integers
// 64-bit big-endian, and stops at the first x below p that is on the curve. The
// top bit of the digest chooses y (set: the lexicographically larger root), the
// next bit is ignored, the remaining 254 bits are x.
//
// G1 of BN254 has cofactor 1, so any curve point is in the group, the result is
// uniform over the finite points when SHA-256 is a random oracle, and nobody knows
// a relation between generators. It takes half the time of the constant-time
// hash-to-curve of RFC 9380; the inputs are public, so timing does not matter.
func generator(index uint64) bn254.G1Affine {
	msg := make([]byte, len(generatorDomain)+1+16)
	copy(msg, generatorDomain)
	binary.BigEndian.PutUint64(msg[len(msg)-16:], index)
	for attempt := uint64(0); ; attempt++ {
		binary.BigEndian.PutUint64(msg[len(msg)-8:], attempt)
		digest := sha256.Sum256(msg)
		large := digest[0]>>7 == 1
		digest[0] &= 0x3f
		if p, err := lift(&digest, large); err == nil {
			return p
		}
	}
}

// lift returns the point whose x-coordinate is the big-endian integer x, with the
// lexicographically larger y if large is set. The error is [ErrEncoding] if x is not
// below p and [ErrNotOnCurve] if no point has that x-coordinate.
func lift(x *[fp.Bytes]byte, large bool) (p bn254.G1Affine, err error) {
	if p.X, err = fp.BigEndian.Element(x); err != nil {
		return p, ErrEncoding
	}
	var rhs fp.Element
	three := fp.NewElement(3)
	rhs.Square(&p.X).Mul(&rhs, &p.X).Add(&rhs, &three)
	if p.Y.Sqrt(&rhs) == nil {
		return p, ErrNotOnCurve
	}
	if p.Y.LexicographicallyLargest() != large {
		p.Y.Neg(&p.Y)
	}
	return p, nil
}
