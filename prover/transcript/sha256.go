package transcript

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// chainPrefix is the preimage of the first state of a hash chain, together with
// one byte of the kind.
const chainPrefix = "wes/transcript/v1/"

// chain is the SHA256 kind. With all integers 64-bit big-endian:
//
//	state  = SHA-256(state ‖ type ‖ len(label) ‖ label ‖ count ‖ payload)
//	output = SHA-256(state ‖ squeeze ‖ i ‖ 0) ‖ SHA-256(state ‖ squeeze ‖ i ‖ 1)
//
// An output of 64 bytes is read as one big-endian integer and reduced, so its
// distance from uniform is below 2^-250.
type chain struct {
	state [sha256.Size]byte
	buf   []byte
}

var _ sponge = (*chain)(nil)

func newChain(kind Kind) *chain {
	return &chain{state: sha256.Sum256(append([]byte(chainPrefix), byte(kind)))}
}

func (c *chain) absorb(m message, label string, count uint64, payload []fr.Element) {
	b := append(c.buf[:0], c.state[:]...)
	b = append(b, byte(m))
	b = binary.BigEndian.AppendUint64(b, uint64(len(label)))
	b = append(b, label...)
	b = binary.BigEndian.AppendUint64(b, count)
	for i := range payload {
		e := payload[i].Bytes()
		b = append(b, e[:]...)
	}
	c.state = sha256.Sum256(b)
	c.buf = b
}

func (c *chain) squeeze(dst []fr.Element) {
	for i := range dst {
		b := append(c.buf[:0], c.state[:]...)
		b = append(b, byte(messageSqueeze))
		b = binary.BigEndian.AppendUint64(b, uint64(i))
		hi := sha256.Sum256(append(b, 0))
		lo := sha256.Sum256(append(b, 1))
		wide := append(hi[:], lo[:]...)
		dst[i].SetBytes(wide)
	}
}
