package consensus

import (
	"crypto/sha256"
	"math/big"

	"github.com/weisyn/wes/chain"
)

// Presync follows a peer's headers twice without keeping them. The first pass sums their work
// and keeps one digest for each message; once the work is enough, the second pass compares, and
// what it lets through may go to an [Index]. A peer with little work costs no storage.
type Presync struct {
	profile Profile
	root    chain.Hash // of genesis
	start   cursor
	at      cursor
	enough  *big.Int
	digests []chain.Hash // of the messages of the first pass
	next    int          // message of the second pass; -1 in the first
	full    int          // headers in a message that is not a peer's last
}

// cursor is the last header of a pass.
type cursor struct {
	header, anchor chain.Header
	hash           chain.Hash
	work           *big.Int
}

// NewPresync starts after a block of the index. Enough is the cumulative work to be shown.
func (x *Index) NewPresync(from *Node, enough *big.Int) *Presync {
	at := cursor{from.Header, *from.anchorHeader(), from.Hash, from.Work}
	return &Presync{profile: x.profile, root: x.genesis.Hash, start: at, at: at, enough: enough, next: -1, full: MaxHeaders}
}

// Storing reports whether the first pass is over: the work has been shown, and the headers are
// to be asked for again from the start.
func (p *Presync) Storing() bool { return p.next >= 0 }

// Done reports whether the second pass is over too.
func (p *Presync) Done() bool { return p.next == len(p.digests) }

// Work returns the cumulative work that the present pass has shown.
func (p *Presync) Work() *big.Int { return new(big.Int).Set(p.at.work) }

// Step takes the next message of a pass, with its seals, if any. Messages of the second pass
// must be those of the first. A message that is not full is the peer's last, so digests take 32
// bytes for every 2,000 headers. Errors are a *HeaderError, ErrNotContinued, ErrTooMany or
// ErrTooLittleWork; after one the peer is to be dropped.
func (p *Presync) Step(headers []chain.Header, seals [][]byte) error {
	if len(headers) == 0 || len(headers) > p.full || len(seals) != len(headers) && len(seals) != 0 {
		return ErrTooMany
	}
	if p.Done() {
		return ErrNotContinued
	}
	at, digest := p.at, sha256.New()
	for i := range headers {
		var seal []byte
		if len(seals) > 0 {
			seal = seals[i]
		}
		next, err := p.advance(at, &headers[i], seal)
		if err != nil {
			return err
		}
		at = next
		digest.Write(at.hash[:])
	}
	return p.accept(at, len(headers), chain.Hash(digest.Sum(nil)))
}

func (p *Presync) advance(at cursor, h *chain.Header, seal []byte) (cursor, error) {
	id := h.Hash()
	if h.Parent != at.hash {
		return at, ErrNotContinued
	}
	if err := p.profile.check(h, seal, id, &at.header, &at.anchor, p.root); err != nil {
		return at, err
	}
	next := cursor{*h, at.anchor, id, new(big.Int).Add(at.work, work(h))}
	if h.Height == 1 {
		next.anchor = *h
	}
	return next, nil
}

// accept moves on, and from the first pass to the second when there is enough work.
func (p *Presync) accept(at cursor, size int, digest chain.Hash) error {
	if p.Storing() {
		if p.digests[p.next] != digest {
			return ErrNotContinued
		}
		p.at, p.next = at, p.next+1
		return nil
	}
	p.at, p.digests = at, append(p.digests, digest)
	switch {
	case at.work.Cmp(p.enough) >= 0:
		p.at, p.next = p.start, 0
	case size < p.full:
		return ErrTooLittleWork
	}
	return nil
}
