package transcript

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
)

// Parameters of the permutation: width 3, of which 2 are rate, S-box x^5.
const (
	duplexWidth   = 3
	duplexRate    = 2
	fullRounds    = 8
	partialRounds = 56
)

// tagPrefix separates the hashes of labels from every other use of SHA-256.
const tagPrefix = "wes/transcript/v1/poseidon2/"

// duplex is the Poseidon2 kind: a sponge over F that adds blocks of two
// elements to the rate and permutes after each. A message is the block
// (tag, count) followed by its payload, padded by one zero to whole blocks; tag
// is the hash of type and label, a constant for a circuit. The capacity starts
// at the tag of the kind.
type duplex struct {
	perm  *poseidon2.Permutation
	state [duplexWidth]fr.Element
}

var _ sponge = (*duplex)(nil)

func newDuplex(kind Kind) *duplex {
	d := &duplex{perm: poseidon2.NewPermutation(duplexWidth, fullRounds, partialRounds)}
	d.state[duplexRate] = tag(messageDomain, kind.String())
	return d
}

// tag maps a message type and label to a field element.
func tag(m message, label string) fr.Element {
	b := append([]byte(tagPrefix), byte(m))
	b = binary.BigEndian.AppendUint64(b, uint64(len(label)))
	h := sha256.Sum256(append(b, label...))
	var e fr.Element
	e.SetBytes(h[:])
	return e
}

func (d *duplex) absorb(m message, label string, count uint64, payload []fr.Element) {
	d.block(tag(m, label), fr.NewElement(count))
	for len(payload) >= duplexRate {
		d.block(payload[0], payload[1])
		payload = payload[duplexRate:]
	}
	if len(payload) == 1 {
		d.block(payload[0], fr.Element{})
	}
}

func (d *duplex) block(x, y fr.Element) {
	d.state[0].Add(&d.state[0], &x)
	d.state[1].Add(&d.state[1], &y)
	d.permute()
}

func (d *duplex) permute() {
	if err := d.perm.Permutation(d.state[:]); err != nil {
		panic("BUG: poseidon2 permutation: " + err.Error())
	}
}

func (d *duplex) squeeze(dst []fr.Element) {
	for i := range dst {
		if i > 0 && i%duplexRate == 0 {
			d.permute()
		}
		dst[i] = d.state[i%duplexRate]
	}
}
