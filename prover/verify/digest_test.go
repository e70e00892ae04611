package verify

import (
	"fmt"
	"slices"
	"testing"
)

func TestDigestOfPiecesBindsEveryByteAndTheirOrder(t *testing.T) {
	data := make([]byte, 3*hashPiece+1)
	for i := range data {
		data[i] = byte(i >> 16)
	}
	seen := map[[32]byte]string{piecesDigest(data): "the data"}
	try := func(what string, changed []byte) {
		d := piecesDigest(changed)
		if other, again := seen[d]; again {
			t.Errorf("%s and %s have one digest", what, other)
		}
		seen[d] = what
	}
	for at := 0; at < len(data); at += hashPiece {
		changed := slices.Clone(data)
		changed[at] ^= 1
		try(fmt.Sprintf("byte %d changed", at), changed)
	}
	swapped := slices.Concat(data[hashPiece:2*hashPiece], data[:hashPiece], data[2*hashPiece:])
	try("exchanged pieces", swapped)
	try("the data without the last byte", data[:len(data)-1])
	try("one byte more", append(slices.Clone(data), 0))
	try("nothing", nil)
}
