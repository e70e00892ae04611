package chain

import (
	"encoding/binary"

	"github.com/hdevalence/ed25519consensus"
)

// signatureSize is the length of an Ed25519 signature, in bytes.
const signatureSize = 64

// batchSize is the number of signatures that are verified with one multi-scalar product.
const batchSize = 256

// SigHash returns what every signature of an input signs: SHA-256 of "wes/sig/1" ‖ chain ‖
// transaction id ‖ input index in 4 bytes ‖ SHA-256 of the spent output.
func SigHash(chain, tx Hash, input uint32, spent *Output) Hash {
	var index [4]byte
	binary.BigEndian.PutUint32(index[:], input)
	h := spent.Hash()
	return tagged(tagSig, chain[:], tx[:], index[:], h[:])
}

// verifySignatures returns the index of the first signature that does not verify, or -1.
// ZIP-215 gives batches and single verifications one meaning.
func verifySignatures(all []signature, workers int) int {
	n := (len(all) + batchSize - 1) / batchSize
	first := make([]int, n)
	each(n, workers, func(i int) {
		part := all[i*batchSize : min((i+1)*batchSize, len(all))]
		first[i] = firstInvalid(part)
	})
	for i, at := range first {
		if at >= 0 {
			return i*batchSize + at
		}
	}
	return -1
}

// firstInvalid verifies a batch and, only if it fails, each of its signatures. One alone is
// cheaper without a batch.
func firstInvalid(part []signature) int {
	if len(part) == 1 {
		return eachInvalid(part)
	}
	batch := ed25519consensus.NewPreallocatedBatchVerifier(len(part))
	for i := range part {
		batch.Add(part[i].key[:], part[i].message[:], part[i].sig)
	}
	if batch.Verify() {
		return -1
	}
	return eachInvalid(part)
}

func eachInvalid(part []signature) int {
	for i := range part {
		if !ed25519consensus.Verify(part[i].key[:], part[i].message[:], part[i].sig) {
			return i
		}
	}
	return -1
}

// SealHash returns what a seal signs: SHA-256 of "wes/seal/1" ‖ hash of the header.
func SealHash(h *Header) Hash {
	id := h.Hash()
	return tagged(tagSeal, id[:])
}

// Sealed reports whether seal is the signature of a header's miner.
func Sealed(h *Header, seal []byte) bool {
	m := SealHash(h)
	return len(seal) == sealSize && ed25519consensus.Verify(h.Miner[:], m[:], seal)
}
