package consensus

import "slices"

// maxHeld bounds the headers held for one peer.
const maxHeld = 32

// early reports whether the time of a header has not come yet.
func (c *Core) early(h *SealedHeader) bool {
	ahead := c.rules.cfg.MaxAhead
	return h.Time > ahead && h.Time-ahead > c.now
}

// hold keeps headers until the time of the first one has come. They keep the rules as far as
// they were checked, so it is their miner's clock or ours that is wrong.
func (c *Core) hold(p *peer, hs []SealedHeader) {
	p.held = slices.Clone(hs[:min(len(hs), maxHeld)])
	p.lost = len(hs) > maxHeld
}

// releaseHeld takes up headers whose time has come as if they had just been sent.
func (c *Core) releaseHeld() {
	for _, p := range slices.Clone(c.peers) {
		if len(p.held) == 0 || c.early(&p.held[0]) || p.pass != nil {
			continue
		}
		hs, lost := p.held, p.lost
		p.held, p.lost = nil, false
		c.connect(p, hs)
		if lost && c.peer(p.id) != nil {
			p.asked = false
		}
	}
}

// heldPeers returns the number of peers whose headers are held.
func (c *Core) heldPeers() int {
	n := 0
	for _, p := range c.peers {
		if len(p.held) > 0 {
			n++
		}
	}
	return n
}
