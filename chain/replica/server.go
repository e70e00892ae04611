package replica

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Server answers the requests of peers from what readers see and from the attachments of the
// mempool. It may be used from any goroutine.
type Server struct {
	source  Source
	waiting *attachments
}

// Serve returns the encoded answer to a request; ErrMessage means that the peer is at fault,
// any other error is a fault of this machine.
func (s *Server) Serve(raw []byte) ([]byte, error) {
	q, err := DecodeRequest(raw)
	if err != nil {
		return nil, err
	}
	var out []byte
	switch q.Kind {
	case KindHeaders:
		out, err = s.headers(q.Hashes)
	case KindAttachments:
		out, err = s.attachments(q.Hashes)
	default:
		out, err = s.block(q)
	}
	if err != nil && !errors.Is(err, ErrMessage) {
		err = fmt.Errorf("serve a peer: %w", err)
	}
	return out, err
}

// headers lists those after the first block of the locator that is on the ledger's branch.
func (s *Server) headers(locator []chain.Hash) ([]byte, error) {
	for _, h := range locator {
		height, found, err := s.source.MainHeight(h)
		if err != nil {
			return nil, err
		}
		if found {
			return s.headersAfter(height)
		}
	}
	return lacking(), nil
}

func (s *Server) headersAfter(height uint64) ([]byte, error) {
	out := having()
	for i := range uint64(maxHeaders) {
		hash, found, err := s.source.MainHash(height + 1 + i)
		if err != nil || !found {
			return out, err
		}
		h, found, err := s.source.Header(hash)
		if err != nil || !found {
			return out, err
		}
		out = appendHeader(out, &h)
	}
	return out, nil
}

// block answers what concerns one block.
func (s *Server) block(q *Request) ([]byte, error) {
	raw, found, err := s.source.Body(q.Block)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return lacking(), nil
	case q.Kind == KindBody:
		return append(having(), raw...), nil
	}
	b, err := chain.DecodeBlock(raw)
	if err != nil {
		return nil, fmt.Errorf("stored block %v: %w", q.Block, err)
	}
	if q.Kind == KindOutline {
		return appendOutline(having(), outlineOf(b)), nil
	}
	out := having()
	for _, i := range q.Indices {
		if int(i) >= len(b.Txs) {
			return nil, fmt.Errorf("%w: transaction %d of %d", ErrMessage, i, len(b.Txs))
		}
		out = appendTx(out, b.Txs[i], b.Witnesses[i])
	}
	return out, nil
}

func outlineOf(b *chain.Block) *Outline {
	o := &Outline{}
	for i, t := range b.Txs {
		o.IDs, o.Witnesses = append(o.IDs, t.ID()), append(o.Witnesses, b.Witnesses[i].Hash())
	}
	return o
}

// attachments sends what there is of those asked for, as long as it fits in an answer.
func (s *Server) attachments(hashes []chain.Hash) ([]byte, error) {
	out := having()
	for i, h := range hashes {
		b, found := s.waiting.get(h)
		if !found {
			var err error
			if b, found, err = s.source.Attachment(h); err != nil {
				return nil, err
			}
		}
		if found && len(out)+8+len(b) <= MaxAnswer {
			out = appendAttachment(out, i, b)
		}
	}
	return out, nil
}
