package store

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/weisyn/wes/chain"
)

// outputs is the stored form of a group:
//
//	height uvarint, coinbase 0 or 1, then of each output that was kept:
//	place in the group (1 byte, ascending), length uvarint, canonical encoding
type outputs struct {
	height   uint64
	coinbase bool
	rest     []byte
}

var errOutputs = errors.New("malformed group of outputs")

func parseOutputs(raw []byte) (outputs, error) {
	height, n := binary.Uvarint(raw)
	if n <= 0 || len(raw) == n || raw[n] > 1 {
		return outputs{}, errOutputs
	}
	return outputs{height, raw[n] == 1, raw[n+1:]}, nil
}

// each yields the outputs in order, undecoded, until yield returns false.
func (o outputs) each(yield func(place int, encoded []byte) bool) error {
	rest, least := o.rest, 0
	for len(rest) > 0 {
		place := int(rest[0])
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || place < least || place >= groupSize || size > uint64(len(rest)-1-n) {
			return errOutputs
		}
		start := 1 + n
		end := start + int(size)
		if !yield(place, rest[start:end]) {
			return nil
		}
		rest, least = rest[end:], place+1
	}
	return nil
}

// mask has a bit for each output.
func (o outputs) mask() (mask uint64, err error) {
	err = o.each(func(place int, _ []byte) bool {
		mask |= 1 << place
		return true
	})
	return mask, err
}

func (o outputs) entry(encoded []byte) (chain.Entry, error) {
	out, err := chain.DecodeOutput(encoded)
	return chain.Entry{Output: out, Height: o.height, Coinbase: o.coinbase}, err
}

// appendOutputs encodes outputs of one group, in order.
func appendOutputs(b []byte, all []chain.UTXO) []byte {
	b = binary.AppendUvarint(b, all[0].Entry.Height)
	coinbase := byte(0)
	if all[0].Entry.Coinbase {
		coinbase = 1
	}
	b = append(b, coinbase)
	for i := range all {
		encoded := all[i].Entry.Output.Encode()
		b = append(b, byte(all[i].Outpoint.Index%groupSize))
		b = append(binary.AppendUvarint(b, uint64(len(encoded))), encoded...)
	}
	return b
}

// groups splits outputs, sorted by transaction and index, by group.
func groups(all []chain.UTXO, yield func(g group, members []chain.UTXO)) {
	for len(all) > 0 {
		g, n := groupOf(all[0].Outpoint), 1
		for n < len(all) && groupOf(all[n].Outpoint) == g {
			n++
		}
		yield(g, all[:n])
		all = all[n:]
	}
}

// spent marks the spent outputs of a group.
type spent struct {
	marks uint64
	last  uint64 // height of the last spending, or more
}

const spentSize = 16

func (s spent) encode() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, spentSize), s.marks), s.last)
}

func parseSpent(raw []byte) (spent, bool) {
	if len(raw) != spentSize {
		return spent{}, false
	}
	s := spent{binary.BigEndian.Uint64(raw), binary.BigEndian.Uint64(raw[8:])}
	return s, s.marks != 0
}

// places lists the bits of a mask.
func places(mask uint64) (all []int) {
	for ; mask != 0; mask &= mask - 1 {
		all = append(all, bits.TrailingZeros64(mask))
	}
	return all
}
