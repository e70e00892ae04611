package replica

import (
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

// assembly is a block that is put together from an outline and the mempool.
type assembly struct {
	header  *chain.StoredHeader
	outline *Outline
	txs     []*chain.Tx // nil where missing
	wits    []chain.Witness
	missing []uint32 // indices asked for
}

// request turns what the core asks for into a question to a peer. A body is asked for whole
// in the initial sync and while the mempool is empty, else as an outline.
func (r *Replica) request(q *consensus.Request) error {
	switch {
	case len(q.Locator) > 0:
		r.emit(Ask{q.Peer, &Request{Kind: KindHeaders, Hashes: q.Locator}})
	case len(q.Attachments) > 0:
		hashes := q.Attachments[:min(len(q.Attachments), MaxAttachments)]
		r.emit(Ask{q.Peer, &Request{Kind: KindAttachments, Block: q.Block, Hashes: hashes}})
	default:
		kind := KindBody
		if !r.core.Status().Initial && r.pool.Len() > 0 {
			kind = KindOutline
		}
		delete(r.assemblies, q.Block)
		r.emit(Ask{q.Peer, &Request{Kind: kind, Block: q.Block}})
	}
	return nil
}

// Answer reports what a peer has sent for a request, decoded by DecodeAnswer.
func (r *Replica) Answer(now uint64, p PeerID, q *Request, a *Answer) error {
	switch {
	case q.Kind == KindHeaders:
		return r.step(now, consensus.Headers{Peer: p, Headers: a.Headers})
	case q.Kind == KindAttachments && q.Block == chain.Hash{}:
		if err := r.attachmentsCame(now, p, q, a); err != nil {
			return err
		}
		return r.follow(now)
	case !a.Found:
		return r.step(now, consensus.NotFound{Peer: p, Block: q.Block})
	case !r.core.Wants(q.Block):
		delete(r.assemblies, q.Block)
		return nil
	case q.Kind == KindBody:
		return r.complete(now, p, a.Block)
	case q.Kind == KindOutline:
		return r.outlined(now, p, q.Block, a.Outline)
	case q.Kind == KindTxs:
		return r.filled(now, p, q, a.Txs)
	}
	return r.blockAttachments(now, p, q.Block, a.Attachments)
}

// Failure says why a request has no answer.
type Failure uint8

const (
	// Lost requests timed out, or their peer has left.
	Lost Failure = iota + 1
	// Garbled answers did not decode.
	Garbled
)

// Fail reports that a request has no answer.
func (r *Replica) Fail(now uint64, p PeerID, q *Request, f Failure) error {
	if f == Garbled {
		if err := r.step(now, consensus.Garbage{Peer: p, What: "it sent what is no answer"}); err != nil {
			return err
		}
	}
	if q.Kind == KindAttachments && q.Block == (chain.Hash{}) {
		if err := r.attachmentsCame(now, p, q, nil); err != nil {
			return err
		}
		return r.follow(now)
	}
	if q.Kind == KindHeaders {
		return nil // the core has its own deadline
	}
	return r.step(now, consensus.NotFound{Peer: p, Block: q.Block})
}

// outlined fills an outline from the mempool and asks for the rest.
func (r *Replica) outlined(now uint64, p PeerID, block chain.Hash, o *Outline) error {
	h, found, err := r.store.Header(block)
	if err != nil || !found {
		return fmt.Errorf("read the header of a block asked for (found: %v): %w", found, err)
	}
	if !o.of(&h.Header) {
		return r.step(now, consensus.Garbage{Peer: p, What: "an outline of another block"})
	}
	a := &assembly{header: &h, outline: o, txs: make([]*chain.Tx, len(o.IDs)), wits: make([]chain.Witness, len(o.IDs))}
	for i, id := range o.IDs {
		if e := r.pool.Get(id); e != nil && e.Witness.Hash() == o.Witnesses[i] {
			a.txs[i], a.wits[i] = e.Tx, e.Witness
		} else {
			a.missing = append(a.missing, uint32(i))
		}
	}
	switch n := len(a.missing); {
	case n == 0:
		return r.complete(now, p, a.block())
	case n > MaxIndices || 2*n > len(o.IDs) && n > 16:
		r.emit(Ask{p, &Request{Kind: KindBody, Block: block}})
	default:
		r.assemblies[block] = a
		r.emit(Ask{p, &Request{Kind: KindTxs, Block: block, Indices: a.missing}})
	}
	return r.follow(now)
}

// filled puts the transactions that were asked for into the block.
func (r *Replica) filled(now uint64, p PeerID, q *Request, txs []Relayed) error {
	a := r.assemblies[q.Block]
	delete(r.assemblies, q.Block)
	if a == nil || !slices.Equal(a.missing, q.Indices) {
		return r.step(now, consensus.NotFound{Peer: p, Block: q.Block}) // asked anew meanwhile
	}
	for k, i := range a.missing {
		if txs[k].Tx.ID() != a.outline.IDs[i] || txs[k].Witness.Hash() != a.outline.Witnesses[i] {
			return r.step(now, consensus.Garbage{Peer: p, What: "transactions of another block"})
		}
		a.txs[i], a.wits[i] = txs[k].Tx, txs[k].Witness
	}
	return r.complete(now, p, a.block())
}

func (a *assembly) block() *chain.Block {
	return &chain.Block{Header: a.header.Header, Seal: a.header.Seal, Txs: a.txs, Witnesses: a.wits}
}

// complete stages a block whose roots are those of its header, and reports what is missing
// beside it. The seal is the one that was checked with the header.
func (r *Replica) complete(now uint64, p PeerID, b *chain.Block) error {
	hash := b.Header.Hash()
	h, found, err := r.store.Header(hash)
	if err != nil {
		return fmt.Errorf("read a header: %w", err)
	}
	if !found || !r.core.Wants(hash) {
		return r.follow(now)
	}
	b.Seal = h.Seal
	if err := r.store.PutBody(b); err != nil {
		return fmt.Errorf("stage a block: %w", err)
	}
	return r.body(now, p, hash, b)
}

// body reports a staged body, and which of its attachments are missing.
func (r *Replica) body(now uint64, p PeerID, hash chain.Hash, b *chain.Block) error {
	missing, err := r.stage(b)
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		r.stored = append(r.stored, hash)
	}
	return r.step(now, consensus.Body{Peer: p, Block: hash, Missing: missing})
}

// stage makes attachments of a block durable that the mempool holds, and lists those that are
// missing.
func (r *Replica) stage(b *chain.Block) (missing []chain.Hash, err error) {
	var held [][]byte
	for _, h := range attached(b.Txs) {
		_, found, err := r.store.Attachment(h)
		if err != nil {
			return nil, fmt.Errorf("find an attachment: %w", err)
		}
		if found {
			continue
		}
		if bytes, ok := r.held.get(h); ok {
			held = append(held, bytes)
		} else {
			missing = append(missing, h)
		}
	}
	if len(held) > 0 {
		if err := r.store.PutAttachments(held...); err != nil {
			return nil, fmt.Errorf("stage attachments: %w", err)
		}
	}
	return missing, nil
}

// blockAttachments stages attachments that were asked for a block.
func (r *Replica) blockAttachments(now uint64, p PeerID, block chain.Hash, all [][]byte) error {
	if len(all) == 0 {
		return r.step(now, consensus.NotFound{Peer: p, Block: block})
	}
	if err := r.store.PutAttachments(all...); err != nil {
		return fmt.Errorf("stage attachments: %w", err)
	}
	b, found, err := r.store.Block(block)
	if err != nil {
		return fmt.Errorf("read a staged block: %w", err)
	}
	if !found {
		return r.step(now, consensus.NotFound{Peer: p, Block: block})
	}
	return r.body(now, p, block, b)
}
