package replica

import (
	"encoding/binary"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

// Kind says what a request asks for. The values are part of the peers' protocol.
type Kind uint8

const (
	// KindHeaders asks for the headers after the first known block of a locator.
	KindHeaders Kind = iota + 1
	// KindBody asks for a whole block.
	KindBody
	// KindOutline asks for the ids and witness hashes of a block's transactions.
	KindOutline
	// KindTxs asks for some transactions of a block, by index.
	KindTxs
	// KindAttachments asks for attachments, by hash.
	KindAttachments
)

// The limits of requests and answers.
const (
	MaxLocator     = 128
	MaxIndices     = 1 << 14
	MaxAttachments = 256
	MaxRequest     = 64 + 4*MaxIndices // bytes
	// MaxAnswer bounds the encoded answer to any request: full attachments of a block, each
	// with its length.
	MaxAnswer = chain.MaxBlockAttachments + 8*MaxAttachments
)

// maxTxs bounds the transactions of a block: each takes at least as many bytes as the smallest
// body, of 40.
const maxTxs = chain.MaxBlockBase / 40

// Request is a question to a peer. Which fields are set depends on the kind.
type Request struct {
	Kind    Kind
	Block   chain.Hash
	Hashes  []chain.Hash // locator, highest first; or attachments
	Indices []uint32     // ascending, of transactions
}

// Encode returns version 1, kind 1, block 32, and then hashes or indices.
func (q *Request) Encode() []byte {
	b := append([]byte{wireVersion, byte(q.Kind)}, q.Block[:]...)
	for _, h := range q.Hashes {
		b = append(b, h[:]...)
	}
	for _, i := range q.Indices {
		b = binary.BigEndian.AppendUint32(b, i)
	}
	return b
}

// DecodeRequest is the inverse of Request.Encode. It returns ErrMessage for anything else.
func DecodeRequest(raw []byte) (*Request, error) {
	r := &reader{rest: raw}
	if v := r.uint8(); v != wireVersion {
		r.fail("version %d", v)
	}
	q := &Request{Kind: Kind(r.uint8()), Block: r.hash()}
	switch q.Kind {
	case KindHeaders:
		q.Hashes = r.hashes(MaxLocator)
	case KindAttachments:
		q.Hashes = r.hashes(MaxAttachments)
	case KindTxs:
		q.Indices = r.indices()
	case KindBody, KindOutline:
	default:
		r.fail("kind %d", q.Kind)
	}
	return q, r.end()
}

// indices reads all that is left as ascending indices.
func (r *reader) indices() []uint32 {
	n := len(r.rest) / 4
	if r.err == nil && n > MaxIndices {
		r.fail("%d indices, at most %d", n, MaxIndices)
	}
	var all []uint32
	for range n {
		i := r.uint32()
		if len(all) > 0 && i <= all[len(all)-1] {
			r.fail("indices do not ascend")
		}
		if r.err != nil {
			return nil
		}
		all = append(all, i)
	}
	return all
}

// maxHeaders is how many headers an answer has at most.
const maxHeaders = consensus.MaxHeaders
