package chain

import (
	"errors"
	"fmt"
	"strings"
)

// Prefixes of addresses: one for networks whose coins have a price, one for the others.
const (
	MainPrefix = "wes"
	TestPrefix = "twes"
)

// ErrAddress is returned by ParseAddress for a string that is not an address of the prefix.
var ErrAddress = errors.New("not an address")

// Bech32m, from BIP 350.
const (
	bech32Charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	bech32mConst  = 0x2bc830a3
	bech32Sum     = 6 // symbols of the checksum
)

// addressVersion is the first symbol of every address.
const addressVersion = 0

// FormatAddress returns bech32m(version 0 ‖ h) under a prefix, where h is the
// [LockHash] of the lock that is to be paid.
func FormatAddress(prefix string, h Hash) string {
	symbols := append([]byte{addressVersion}, squash(h[:])...)
	symbols = append(symbols, checksum(prefix, symbols)...)
	var s strings.Builder
	s.WriteString(prefix + "1")
	for _, v := range symbols {
		s.WriteByte(bech32Charset[v])
	}
	return s.String()
}

// ParseAddress is the inverse of FormatAddress. It takes all-upper-case addresses too, as
// BIP 173 asks, and returns ErrAddress for everything else.
func ParseAddress(prefix, s string) (Hash, error) {
	symbols, err := bech32mSymbols(prefix, s)
	if err != nil {
		return Hash{}, err
	}
	h, ok := expand(symbols[1:])
	if symbols[0] != addressVersion || !ok {
		return Hash{}, fmt.Errorf("parse address: %w: version or length", ErrAddress)
	}
	return h, nil
}

// bech32mSymbols returns the symbols between separator and checksum, at least one.
func bech32mSymbols(prefix, s string) ([]byte, error) {
	lower := strings.ToLower(s)
	if s != lower && s != strings.ToUpper(s) {
		return nil, fmt.Errorf("parse address: %w: mixed case", ErrAddress)
	}
	data, ok := strings.CutPrefix(lower, prefix+"1")
	if !ok || len(data) <= bech32Sum || len(s) > 90 {
		return nil, fmt.Errorf("parse address: %w: prefix or length", ErrAddress)
	}
	symbols := make([]byte, len(data))
	for i := range data {
		v := strings.IndexByte(bech32Charset, data[i])
		if v < 0 {
			return nil, fmt.Errorf("parse address: %w: character %q", ErrAddress, data[i])
		}
		symbols[i] = byte(v)
	}
	if polymod(append(prefixSymbols(prefix), symbols...)) != bech32mConst {
		return nil, fmt.Errorf("parse address: %w: checksum", ErrAddress)
	}
	return symbols[:len(symbols)-bech32Sum], nil
}

// squash regroups bytes to symbols of 5 bits, zero bits last.
func squash(p []byte) []byte {
	var out []byte
	var acc, bits uint
	for _, c := range p {
		acc, bits = acc<<8|uint(c), bits+8
		for bits >= 5 {
			bits -= 5
			out = append(out, byte(acc>>bits&31))
		}
	}
	if bits > 0 {
		out = append(out, byte(acc<<(5-bits)&31))
	}
	return out
}

// expand is the inverse of squash for 32 bytes; false if the length or the padding is wrong.
func expand(symbols []byte) (h Hash, ok bool) {
	if len(symbols) != (8*HashSize+4)/5 {
		return h, false
	}
	var acc, bits uint
	n := 0
	for _, v := range symbols {
		acc, bits = acc<<5|uint(v), bits+5
		if bits >= 8 {
			bits -= 8
			h[n] = byte(acc >> bits)
			n++
		}
	}
	return h, acc&(1<<bits-1) == 0
}

func prefixSymbols(prefix string) []byte {
	var out []byte
	for i := range len(prefix) {
		out = append(out, prefix[i]>>5)
	}
	out = append(out, 0)
	for i := range len(prefix) {
		out = append(out, prefix[i]&31)
	}
	return out
}

func checksum(prefix string, symbols []byte) []byte {
	v := append(prefixSymbols(prefix), symbols...)
	sum := polymod(append(v, make([]byte, bech32Sum)...)) ^ bech32mConst
	out := make([]byte, bech32Sum)
	for i := range out {
		out[i] = byte(sum >> (5 * (bech32Sum - 1 - i)) & 31)
	}
	return out
}

func polymod(symbols []byte) uint32 {
	generator := [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}
	sum := uint32(1)
	for _, v := range symbols {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range generator {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}
