package chain

import (
	"crypto/sha256"
	"encoding/hex"
)

// HashSize is the length of every hash, in bytes.
const HashSize = sha256.Size

// Hash is a SHA-256 digest.
type Hash [HashSize]byte

// String returns the hash in hexadecimal, first byte first.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Domain tags. A tag names the structure and its version, and precedes its encoding in
// every hash, so that no two structures share a preimage.
const (
	tagTx      = "wes/tx/1"
	tagWitness = "wes/witness/1"
	tagSig     = "wes/sig/1"
	tagToken   = "wes/token/1"
	tagJob     = "wes/job/1"
	tagResult  = "wes/result/1"
	tagProof   = "wes/proof/1"
	tagSeal    = "wes/seal/1"
)

// Tags of the two kinds of nodes in a Merkle tree.
const (
	leafTag byte = 0
	nodeTag byte = 1
)

// tagged hashes tag ‖ parts.
func tagged(tag string, parts ...[]byte) Hash {
	h := sha256.New()
	h.Write([]byte(tag))
	for _, p := range parts {
		h.Write(p)
	}
	return Hash(h.Sum(nil))
}

// MerkleRoot returns the root of a binary tree over leaves, in order. A leaf is
// SHA-256(0 ‖ leaf), a node SHA-256(1 ‖ left ‖ right); the odd node of a level moves up
// unchanged, and is never paired with itself. The root of no leaves is zero.
func MerkleRoot(leaves []Hash) Hash {
	if len(leaves) == 0 {
		return Hash{}
	}
	level := make([]Hash, len(leaves))
	for i := range leaves {
		level[i] = merkleLeaf(leaves[i])
	}
	for len(level) > 1 {
		level = merkleParents(level)
	}
	return level[0]
}

func merkleLeaf(h Hash) Hash {
	var b [1 + HashSize]byte
	b[0] = leafTag
	copy(b[1:], h[:])
	return sha256.Sum256(b[:])
}

// merkleParents overwrites level with the level above it.
func merkleParents(level []Hash) []Hash {
	n := 0
	for i := 0; i < len(level); i += 2 {
		level[n] = level[i]
		if i+1 < len(level) {
			level[n] = merkleNode(level[i], level[i+1])
		}
		n++
	}
	return level[:n]
}

func merkleNode(l, r Hash) Hash {
	var b [1 + 2*HashSize]byte
	b[0] = nodeTag
	copy(b[1:], l[:])
	copy(b[1+HashSize:], r[:])
	return sha256.Sum256(b[:])
}
