package replica

import (
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

// MaxAnnouncement bounds the encoded announcement of a header, MaxRelay that of a transaction,
// in bytes.
const (
	MaxAnnouncement = 1 + chain.HeaderSize + 1 + sealSize
	MaxRelay        = 2 + 8 + chain.MaxTxBase
)

// EncodeHeader returns version 1, header 240, and the seal after its length in 1 byte.
func EncodeHeader(h *consensus.SealedHeader) []byte {
	return appendHeader([]byte{wireVersion}, &chain.StoredHeader{Header: h.Header, Seal: h.Seal})
}

// DecodeHeader is the inverse of EncodeHeader. It returns ErrMessage, or an EncodingError of
// package chain, for anything else.
func DecodeHeader(raw []byte) (consensus.SealedHeader, error) {
	r := &reader{rest: raw}
	if v := r.uint8(); v != wireVersion {
		r.fail("version %d", v)
	}
	h := r.header()
	return h, r.end()
}

// EncodeTx returns version 1, edition 1, and body and witness, each after its length in 4
// bytes. Gossip forgets what it has carried only after a while: a transaction that is sent
// again has another edition.
func EncodeTx(edition uint8, t *chain.Tx, w chain.Witness) []byte {
	return appendTx([]byte{wireVersion, edition}, t, w)
}

// DecodeTx is the inverse of EncodeTx. It returns ErrMessage, or an EncodingError of package
// chain, for anything else.
func DecodeTx(raw []byte) (Relayed, error) {
	r := &reader{rest: raw}
	if v := r.uint8(); v != wireVersion {
		r.fail("version %d", v)
	}
	r.uint8() // any edition
	if len(raw) > MaxRelay {
		r.fail("%d bytes, at most %d", len(raw), MaxRelay)
	}
	x := r.tx()
	return x, r.end()
}
