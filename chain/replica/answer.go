package replica

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

// Answer is what a peer has for a request. Which fields are set depends on the request's kind.
// A decoded answer is one to its request: a body has the hash and the roots that its header
// says, transactions are as many as asked for, attachments have the hashes asked for.
type Answer struct {
	// Found is false where the peer lacks the block.
	Found       bool
	Headers     []consensus.SealedHeader
	Block       *chain.Block
	Outline     *Outline
	Txs         []Relayed
	Attachments [][]byte // those of the request's hashes that the peer has, in their order
}

// Outline names the transactions of a block: ids and witness hashes, in order.
type Outline struct{ IDs, Witnesses []chain.Hash }

// Relayed is a transaction with its witness, as peers send it.
type Relayed struct {
	Tx      *chain.Tx
	Witness chain.Witness
}

// DecodeAnswer decodes what a peer has sent for a request. It returns ErrMessage, or an
// EncodingError of package chain, for what is no answer to it: the peer is at fault.
func DecodeAnswer(q *Request, raw []byte) (*Answer, error) {
	r := &reader{rest: raw}
	if v := r.uint8(); v != wireVersion {
		r.fail("version %d", v)
	}
	a := &Answer{}
	switch found := r.uint8(); {
	case found > 1:
		r.fail("neither found nor not")
	case found == 0:
		return a, r.end()
	}
	a.Found = true
	switch q.Kind {
	case KindHeaders:
		a.Headers = r.headers()
	case KindBody:
		a.Block = r.block(q.Block)
	case KindOutline:
		a.Outline = r.outline()
	case KindTxs:
		a.Txs = r.txs(len(q.Indices))
	case KindAttachments:
		a.Attachments = r.attachments(q.Hashes)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return a, nil
}

// lacking is the answer of who lacks a block.
func lacking() []byte { return []byte{wireVersion, 0} }

// having begins any other answer.
func having() []byte { return []byte{wireVersion, 1} }

const sealSize = 64

func appendHeader(b []byte, h *chain.StoredHeader) []byte {
	raw := h.Header.Encode()
	b = append(b, raw[:]...)
	b = append(b, byte(len(h.Seal)))
	return append(b, h.Seal...)
}

func (r *reader) header() (h consensus.SealedHeader) {
	raw := r.take(chain.HeaderSize)
	if r.err != nil {
		return h
	}
	h.Header, r.err = chain.DecodeHeader(raw)
	if n := r.uint8(); n == sealSize {
		h.Seal = append([]byte(nil), r.take(sealSize)...)
	} else if n != 0 {
		r.fail("seal of %d bytes", n)
	}
	return h
}

func (r *reader) headers() []consensus.SealedHeader {
	var all []consensus.SealedHeader
	for r.err == nil && len(r.rest) > 0 {
		if len(all) == maxHeaders {
			r.fail("more than %d headers", maxHeaders)
			break
		}
		all = append(all, r.header())
	}
	return all
}

// block reads a block, whose header has the hash asked for and whose roots are those of the
// header.
func (r *reader) block(want chain.Hash) *chain.Block {
	if r.err != nil {
		return nil
	}
	b, err := chain.DecodeBlock(r.take(len(r.rest)))
	if err != nil {
		r.err = err
		return nil
	}
	txs, witnesses := b.Roots()
	if b.Header.Hash() != want || txs != b.Header.TxRoot || witnesses != b.Header.WitnessRoot {
		r.fail("a body of another block")
	}
	return b
}

func appendOutline(b []byte, o *Outline) []byte {
	for i := range o.IDs {
		b = append(append(b, o.IDs[i][:]...), o.Witnesses[i][:]...)
	}
	return b
}

func (r *reader) outline() *Outline {
	n := len(r.rest) / (2 * chain.HashSize)
	if r.err == nil && n > maxTxs {
		r.fail("outline of %d transactions", n)
	}
	if r.err != nil {
		return nil
	}
	o := &Outline{make([]chain.Hash, n), make([]chain.Hash, n)}
	for i := range n {
		o.IDs[i], o.Witnesses[i] = r.hash(), r.hash()
	}
	return o
}

// of reports whether the outline is that of a header.
func (o *Outline) of(h *chain.Header) bool {
	return chain.MerkleRoot(o.IDs) == h.TxRoot && chain.MerkleRoot(o.Witnesses) == h.WitnessRoot
}

// appendTx encodes a body and a witness, each after its length in 4 bytes.
func appendTx(b []byte, t *chain.Tx, w chain.Witness) []byte {
	return appendBytes(appendBytes(b, t.Encode()), w.Encode())
}

func (r *reader) tx() (x Relayed) {
	body, witness := r.bytes(chain.MaxTxBase), r.bytes(chain.MaxTxBase)
	if r.err == nil {
		x.Tx, r.err = chain.DecodeTx(body)
	}
	if r.err == nil {
		x.Witness, r.err = chain.DecodeWitness(witness)
	}
	return x
}

func (r *reader) txs(n int) []Relayed {
	var all []Relayed
	for range n {
		x := r.tx()
		if r.err != nil {
			return nil
		}
		all = append(all, x)
	}
	return all
}

// appendAttachment encodes the index among those asked for in 4 bytes, then length and bytes.
func appendAttachment(b []byte, index int, a []byte) []byte {
	return appendBytes(binary.BigEndian.AppendUint32(b, uint32(index)), a)
}

func (r *reader) attachments(want []chain.Hash) [][]byte {
	var all [][]byte
	for next := 0; r.err == nil && len(r.rest) > 0; {
		i, b := int(r.uint32()), r.bytes(chain.MaxTxAttachments)
		switch {
		case r.err != nil:
		case i < next || i >= len(want):
			r.fail("attachment %d of %d, or out of order", i, len(want))
		case chain.Hash(sha256.Sum256(b)) != want[i]:
			r.fail("an attachment of another hash")
		default:
			all, next = append(all, b), i+1
		}
	}
	return all
}
