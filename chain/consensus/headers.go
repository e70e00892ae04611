package consensus

import "github.com/weisyn/wes/chain"

// MaxHeaders is the largest number of headers of a message. A message with fewer ends the
// sender's chain.
const MaxHeaders = 2000

// maxLoose is how many announcements in a row may not connect.
const maxLoose = 10

// nearTip is how many blocks' work below the best header a branch may end and still be stored.
const nearTip = 144

// headers takes a message of a peer: an answer, or an announcement.
func (c *Core) headers(p *peer, hs []SealedHeader) {
	switch {
	case len(hs) > MaxHeaders:
		c.drop(p, "too many headers", true)
	case p.pass != nil && (len(hs) == 0 || hs[0].Parent == p.pass.last.hash):
		c.follow(p, hs)
	case len(hs) == 0:
		c.doneAsking(p)
	case c.index.blocks[hs[0].Parent] == nil:
		c.unconnected(p, hs[len(hs)-1].Hash())
	default:
		c.connect(p, hs)
	}
}

// unconnected takes an announcement whose parent is not known: what is between is asked for.
func (c *Core) unconnected(p *peer, last chain.Hash) {
	if p.waiting { // for just that, unless the answer is on its way already
		p.ahead = last
		return
	}
	p.asked = false
	c.loosen(p)
}

// loosen counts an announcement that did not connect.
func (c *Core) loosen(p *peer) {
	if p.loose++; p.loose > maxLoose {
		c.drop(p, "headers that never connect", true)
	}
}

// connect takes headers that continue from a known one.
func (c *Core) connect(p *peer, hs []SealedHeader) {
	start := c.index.blocks[hs[0].Parent]
	if start.invalid {
		c.drop(p, "its chain has an invalid block", true)
		return
	}
	links, hs, ok := c.check(p, start.link, hs)
	if !ok {
		return
	}
	p.loose = 0
	end := start.link
	if len(links) > 0 {
		end = links[len(links)-1]
	}
	// A full message is followed by a request, unless it leads nowhere.
	full := len(hs) == MaxHeaders && end.work.Cmp(p.shown) > 0
	if full {
		p.shown = end.work
	}
	switch {
	case c.index.blocks[end.hash] != nil || end.work.Cmp(c.enough()) >= 0:
		b := c.storeAll(start, links, hs)
		if b.invalid {
			c.drop(p, "its chain has an invalid block", true)
			return
		}
		p.shows(b)
		c.goOn(p, full, locator(b))
	case full:
		p.pass = newPass(start, c.enough())
		c.follow(p, hs)
	default:
		c.doneAsking(p) // too little work, and no more to come
	}
}

// goOn asks for the headers after a full message.
func (c *Core) goOn(p *peer, full bool, locator []chain.Hash) {
	if full {
		c.askHeaders(p, locator)
		return
	}
	c.doneAsking(p)
}

// enough returns the work below which nothing is stored.
func (c *Core) enough() Work {
	h := c.index.header
	near := Work{}
	if h.parent != nil {
		near = h.work.sub(h.work.sub(h.parent.work).times(nearTip))
	}
	if near.Cmp(c.rules.cfg.MinWork) > 0 {
		return near
	}
	return c.rules.cfg.MinWork
}

// check follows headers from a link on. It cuts them before the first one whose time has not
// come, which is held. If one breaks a rule it drops the peer and returns false: a header is
// cheap to check, so nobody relays an invalid one by mistake.
func (c *Core) check(p *peer, at link, hs []SealedHeader) ([]link, []SealedHeader, bool) {
	links := make([]link, 0, len(hs))
	for i := range hs {
		if hs[i].Parent != at.hash {
			c.drop(p, "headers out of order", true)
			return nil, nil, false
		}
		next, err := c.rules.extend(&at, &hs[i])
		if err != nil {
			c.drop(p, err.Error(), true)
			return nil, nil, false
		}
		if c.early(&hs[i]) {
			c.hold(p, hs[i:])
			return links, hs[:i], true
		}
		links, at = append(links, next), next
	}
	return links, hs, true
}

// storeAll enters those of the headers that are not known and returns the last one's block.
func (c *Core) storeAll(start *block, links []link, hs []SealedHeader) *block {
	b := start
	for i := range links {
		next := c.index.blocks[links[i].hash]
		if next == nil {
			if b.invalid {
				return b
			}
			next = c.store(b, links[i], &hs[i])
		}
		b = next
	}
	return b
}

// After returns the hashes of at most MaxHeaders blocks that follow the first known block of
// the locator on the branch of the tip: the answer to a peer's request. It returns false if
// the locator names no known block.
func (c *Core) After(locator []chain.Hash) ([]chain.Hash, bool) {
	for _, h := range locator {
		b := c.index.blocks[h]
		if b == nil || b.invalid {
			continue
		}
		from := fork(b, c.applied)
		to := c.applied.ancestor(min(c.applied.height, from.height+MaxHeaders))
		var all []chain.Hash
		for _, b := range path(from, to) {
			all = append(all, b.hash)
		}
		return all, true
	}
	return nil, false
}
