package chain

import (
	"crypto/sha256"
	"encoding/binary"

	"lukechampine.com/blake3/guts"
)

// LtHash is a hash of a set that follows additions and removals: the sum, lane by lane, of
// 1,024 integers of 16 bits per element, the first 2 KiB of BLAKE3 of its SHA-256. The zero
// value is the hash of the empty set. See Lewi, Kim, Maykov, Weis: Securing Update Propagation with
// Homomorphic Hashing (2019), section 4, for why finding two sets with one sum is hard at
// these parameters.
type LtHash struct{ lanes [ltWords]uint64 } // four lanes a word, little-endian

const (
	ltSize  = 2048 // bytes
	ltWords = ltSize / 8
)

// tagUTXO precedes the element of an unspent output.
const tagUTXO = "wes/utxo/1"

// Masks of the highest bit of each lane in a word, and of all others.
const (
	ltHigh uint64 = 0x8000_8000_8000_8000
	ltLow         = ^ltHigh
)

// Sum returns SHA-256 of the lanes: what a header commits to.
func (h *LtHash) Sum() Hash {
	b := h.bytes()
	return sha256.Sum256(b[:])
}

func (h *LtHash) bytes() (out [ltSize]byte) {
	for i, w := range h.lanes {
		binary.LittleEndian.PutUint64(out[8*i:], w)
	}
	return out
}

func ltHashOf(b *[ltSize]byte) (h LtHash) {
	for i := range h.lanes {
		h.lanes[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return h
}

// Add adds the elements of another set, lane by lane. Carries never leave a lane: the highest bits are added apart.
func (h *LtHash) Add(other *LtHash) {
	for i, b := range &other.lanes {
		a := h.lanes[i]
		h.lanes[i] = (a&ltLow + b&ltLow) ^ (a^b)&ltHigh
	}
}

// sub subtracts the lanes of other.
func (h *LtHash) sub(other *LtHash) {
	for i, b := range &other.lanes {
		a := h.lanes[i]
		h.lanes[i] = (a | ltHigh) - b&ltLow ^ (a^^b)&ltHigh
	}
}

// ltElement expands an unspent output.
func ltElement(u *UTXO) (h LtHash) {
	digest := sha256.Sum256(u.append(append(make([]byte, 0, sizeHint), tagUTXO...)))
	b := ltExpand(digest)
	return ltHashOf(&b)
}

// ltExpand returns the first bytes of BLAKE3's extendable output for a digest.
func ltExpand(digest Hash) (out [ltSize]byte) {
	const step = guts.MaxSIMD * guts.BlockSize
	root := guts.CompressChunk(digest[:], &guts.IV, 0, guts.FlagRoot)
	for i := 0; i < ltSize; i += step {
		root.Counter = uint64(i / guts.BlockSize)
		guts.CompressBlocks((*[step]byte)(out[i:]), root)
	}
	return out
}

// HashSet returns the hash of a set of unspent outputs, by one worker.
func HashSet(all []UTXO) LtHash {
	return ltSum(len(all), func(i int) *UTXO { return &all[i] }, 1)
}

// ltChunk is the number of elements that one goroutine sums at a time.
const ltChunk = 64

// ltSum returns the sum of the elements of a list.
func ltSum(n int, at func(i int) *UTXO, workers int) (sum LtHash) {
	parts := make([]LtHash, (n+ltChunk-1)/ltChunk)
	each(len(parts), workers, func(k int) {
		for i := k * ltChunk; i < min((k+1)*ltChunk, n); i++ {
			e := ltElement(at(i))
			parts[k].Add(&e)
		}
	})
	for k := range parts {
		sum.Add(&parts[k])
	}
	return sum
}
