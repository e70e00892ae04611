package chain

import (
	"crypto/sha256"
	"encoding/binary"
)

// HeaderSize is the length of an encoded header, in bytes.
const HeaderSize = 240

// headerVersion is the version of the header's layout.
const headerVersion = 1

// Header is what work is done on. Its layout, integers big-endian:
//
//	  0  nonce        16
//	 16  version       4   1
//	 20  chain        32   hash of the genesis block; zero in the genesis block
//	 52  parent       32
//	 84  height        8
//	 92  time          8   ms since 1970
//	100  bits          4   compact target
//	104  tx root      32   Merkle root of transaction ids
//	136  witness root 32   Merkle root of witness hashes
//	168  utxo hash    32   SHA-256 of the LtHash of the unspent outputs after the parent
//	200  miner key    32
//	232  reserved      8   zero
//
// The nonce fills the first 16 bytes, so the hash of no prefix can be kept between tries.
type Header struct {
	Nonce       [16]byte
	Chain       Hash
	Parent      Hash
	Height      uint64
	Time        uint64
	Bits        uint32
	TxRoot      Hash
	WitnessRoot Hash
	UTXOHash    Hash
	Miner       PublicKey
}

// Encode returns the 240 bytes of the header.
func (h *Header) Encode() [HeaderSize]byte {
	var out [HeaderSize]byte
	b := append(out[:0], h.Nonce[:]...)
	b = binary.BigEndian.AppendUint32(b, headerVersion)
	b = append(append(b, h.Chain[:]...), h.Parent[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Height)
	b = binary.BigEndian.AppendUint64(b, h.Time)
	b = binary.BigEndian.AppendUint32(b, h.Bits)
	b = append(append(append(b, h.TxRoot[:]...), h.WitnessRoot[:]...), h.UTXOHash[:]...)
	copy(out[len(b):], h.Miner[:])
	return out
}

// Hash returns the double SHA-256 of the header: its proof of work, and the name of its block.
func (h *Header) Hash() Hash {
	b := h.Encode()
	once := sha256.Sum256(b[:])
	return sha256.Sum256(once[:])
}

// DecodeHeader is the inverse of Header.Encode.
func DecodeHeader(b []byte) (Header, error) {
	var h Header
	switch {
	case len(b) != HeaderSize:
		return h, &EncodingError{len(b), "header is not 240 bytes long"}
	case binary.BigEndian.Uint32(b[16:]) != headerVersion:
		return h, &EncodingError{16, "header of an unknown version"}
	case binary.BigEndian.Uint64(b[232:]) != 0:
		return h, &EncodingError{232, "reserved bytes of a header are not zero"}
	}
	copy(h.Nonce[:], b)
	copy(h.Chain[:], b[20:])
	copy(h.Parent[:], b[52:])
	h.Height = binary.BigEndian.Uint64(b[84:])
	h.Time = binary.BigEndian.Uint64(b[92:])
	h.Bits = binary.BigEndian.Uint32(b[100:])
	copy(h.TxRoot[:], b[104:])
	copy(h.WitnessRoot[:], b[136:])
	copy(h.UTXOHash[:], b[168:])
	copy(h.Miner[:], b[200:])
	return h, nil
}
