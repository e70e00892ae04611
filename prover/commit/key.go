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
type Key struct{ gens []bn254.G1Affine }

// NewKey derives a key of n generators, 1 <= n <= [MaxGenerators], on all cores.
// Any other n is a [LengthError].
func NewKey(n int) (*Key, error) {
	if n < 1 || n > MaxGenerators {
		return nil, &LengthError{What: "key", Got: n, Want: "1.." + strconv.Itoa(MaxGenerators)}
	}
	gens := make([]bn254.G1Affine, n)
	parallel(n, 8, func(lo, hi int) { generate(gens[lo:hi], lo) })
	return &Key{gens: gens}, nil
}

// Len is the number of generators, the longest row that can be committed.
func (k *Key) Len() int { return len(k.gens) }

// Generators is the list G_0, …, G_{n-1}; the caller must not change it.
func (k *Key) Generators() []bn254.G1Affine { return k.gens }

// candidate is an attempt at a generator. A generator is its index mapped to the curve
// by try and increment: for attempt = 0,
// 1, … it takes x and a sign from SHA-256(domain ‖ 0 ‖ index ‖ attempt), both integers
// 64-bit big-endian, and stops at the first x below p that is on the curve. The
// top bit of the digest chooses y (set: the lexicographically larger root), the
// next bit is ignored, the remaining 254 bits are x.
//
// G1 of BN254 has cofactor 1, so any curve point is in the group, the result is
// uniform over the finite points when SHA-256 is a random oracle, and nobody knows
// a relation between generators. It takes less time than the constant-time
// hash-to-curve of RFC 9380; the inputs are public, so timing does not matter.
type candidate struct {
	position int    // index less the one of the first generator wanted
	attempt  uint64 // the next one
	large    bool
}

// generate sets gens to the generators from the first index on. It tries a block of
// candidates at a time, each for another generator.
func generate(gens []bn254.G1Affine, first int) {
	var roots curveRoots
	open := make([]candidate, 0, rootBlock)
	for next := 0; ; {
		for ; len(open) < rootBlock && next < len(gens); next++ {
			open = append(open, candidate{position: next})
		}
		if len(open) == 0 {
			return
		}
		for i := range open {
			roots.x[i] = open[i].draw(uint64(first + open[i].position))
		}
		roots.solve(len(open))
		failed := open[:0]
		for i, c := range open {
			if roots.onCurve[i] {
				gens[c.position] = bn254.G1Affine{X: roots.x[i], Y: roots.choose(i, c.large)}
			} else {
				failed = append(failed, c)
			}
		}
		open = failed
	}
}

// draw hashes until x is below p.
func (c *candidate) draw(index uint64) fp.Element {
	var msg [len(generatorDomain) + 1 + 16]byte
	copy(msg[:], generatorDomain)
	binary.BigEndian.PutUint64(msg[len(msg)-16:], index)
	for {
		binary.BigEndian.PutUint64(msg[len(msg)-8:], c.attempt)
		c.attempt++
		digest := sha256.Sum256(msg[:])
		c.large = digest[0]>>7 == 1
		digest[0] &= 0x3f
		if x, err := fp.BigEndian.Element(&digest); err == nil {
			return x
		}
	}
}
