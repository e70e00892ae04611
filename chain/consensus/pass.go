package consensus

import "github.com/weisyn/wes/chain"

// pass makes a peer show the work of its headers before any of them is stored. In the first
// pass the headers are checked and forgotten, but for the hash of every MaxHeaders-th one and
// of the one at which there was enough work. In the second pass they are asked for again; as
// many as lie between two of those hashes are kept in memory, and stored when the next hash
// is met. A hash fixes all headers before it, so the second pass cannot deviate.
//
// Headers are at least T/10 apart in time, which bounds their number, and so the marks, by the
// age of the block they start from.
type pass struct {
	start *block
	goal  Work
	last  link         // of the pass under way
	count uint64       // headers after start, up to last
	marks []chain.Hash // of headers MaxHeaders, 2·MaxHeaders, … and of the last one
	total uint64       // headers in the first pass; 0 while it is under way

	kept  []SealedHeader // second pass: checked, after the last mark met
	links []link         // of kept
}

func newPass(start *block, goal Work) *pass {
	return &pass{start: start, goal: goal, last: start.link}
}

// follow takes a message that continues the pass of a peer.
func (c *Core) follow(p *peer, hs []SealedHeader) {
	links, hs, ok := c.check(p, p.pass.last, hs)
	if !ok {
		return
	}
	full := len(hs) == MaxHeaders
	if p.pass.total == 0 {
		c.followFirst(p, links, full)
	} else {
		c.followSecond(p, links, hs, full)
	}
}

// followFirst weighs headers and forgets them.
func (c *Core) followFirst(p *peer, links []link, full bool) {
	s := p.pass
	for _, l := range links {
		s.last = l
		s.count++
		enough := l.work.Cmp(s.goal) >= 0
		if enough || s.count%MaxHeaders == 0 {
			s.marks = append(s.marks, l.hash)
		}
		if enough {
			s.total, s.count, s.last = s.count, 0, s.start.link
			c.askHeaders(p, locator(s.start))
			return
		}
	}
	if !full { // the chain ends with too little work
		p.pass = nil
		c.doneAsking(p)
		return
	}
	c.askHeaders(p, append([]chain.Hash{s.last.hash}, locator(s.start)...))
}

// followSecond keeps headers until the next mark, and stores them if it is met.
func (c *Core) followSecond(p *peer, links []link, hs []SealedHeader, full bool) {
	s := p.pass
	for i, l := range links {
		s.last = l
		s.count++
		s.kept, s.links = append(s.kept, hs[i]), append(s.links, l)
		if s.count != s.total && s.count%MaxHeaders != 0 {
			continue
		}
		if l.hash != s.marks[(s.count-1)/MaxHeaders] {
			c.drop(p, "another chain in the second pass", true)
			return
		}
		b := c.storeAll(s.start, s.links, s.kept)
		if b.invalid {
			c.drop(p, "its chain has an invalid block", true)
			return
		}
		p.shows(b)
		s.start, s.kept, s.links = b, nil, nil
		if s.count == s.total {
			p.pass = nil
			c.goOn(p, true, locator(b))
			return
		}
	}
	if !full {
		c.drop(p, "fewer headers in the second pass", false)
		return
	}
	c.askHeaders(p, append([]chain.Hash{s.last.hash}, locator(s.start)...))
}
