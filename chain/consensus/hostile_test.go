package consensus

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weisyn/wes/chain"
)

// TestHostileMessages sends what peers may send, in any order, and reports that fit. Nothing
// panics or is the caller's fault, memory keeps its bounds, and an honest peer is still heard.
func TestHostileMessages(t *testing.T) {
	cfg := testConfig()
	cfg.MinWork, cfg.Window, cfg.AttachmentDepth = Work{30}, 8, 6
	m := newMiner(t, cfg)
	honest, _ := m.run(m.genesisLink(), 40, 10_000)
	pool := map[chain.Hash]SealedHeader{}
	var all []SealedHeader
	keep := func(hs ...SealedHeader) {
		for _, h := range hs {
			pool[h.Hash()] = h
			all = append(all, h)
		}
	}
	keep(honest...)
	for i := 5; i < 40; i += 7 {
		_, l := m.child(linkOf(m, honest[:i]), honest[i].Time+3000, nil)
		side, _ := m.run(l, 4, 5_000)
		keep(side...)
	}
	for i := range 10 {
		bad := honest[3*i]
		bad.Height += uint64(i % 2)
		bad.Time -= uint64(i) * 1000
		keep(bad)
	}
	now, best := honest[39].Time+10_000, linkOf(m, honest)
	rapid.Check(t, func(t *rapid.T) {
		c, err := New(cfg, noRecords, m.rules.chain)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 80).Draw(t, "messages") {
			hostileStep(t, c, now+rapid.Uint64Range(0, 100_000_000).Draw(t, "clock")-50_000_000, all)
		}
		const friend = 99
		for _, p := range slices.Clone(c.peers) {
			mustStep(t, c, now, Left{p.id})
		}
		mustStep(t, c, now, Joined{friend})
		s := serve(m.genesisLink(), honest)
		for range 300 {
			r := c.Ready()
			if r.Switch != nil {
				mustStep(t, c, now, Switched{Tip: r.Switch.goal()})
			}
			for _, q := range r.Requests {
				switch {
				case q.Peer != friend:
				case q.Locator != nil:
					mustStep(t, c, now, Headers{friend, s.after(q.Locator)})
				case s.at[q.Block] > 0:
					mustStep(t, c, now, Body{Peer: friend, Block: q.Block})
				}
			}
			c.Tick(now)
		}
		condemned := slices.ContainsFunc(honest, func(h SealedHeader) bool {
			b := c.index.blocks[h.Hash()]
			return b != nil && b.invalid
		})
		if !condemned && c.applied.work.Cmp(best.work) < 0 {
			t.Fatalf("stands on height %d", c.applied.height)
		}
	})
}

// linkOf returns the link of the last of consecutive headers from the genesis block on.
func linkOf(m *miner, hs []SealedHeader) link {
	l := m.genesisLink()
	for i := range hs {
		l, _ = m.rules.extend(&l, &hs[i])
	}
	return l
}

func mustStep(t *rapid.T, c *Core, now uint64, m Message) {
	if err := c.Step(now, m); err != nil {
		t.Fatal(err)
	}
}

func hostileStep(t *rapid.T, c *Core, now uint64, all []SealedHeader) {
	pick := func() *SealedHeader { return &all[rapid.IntRange(0, len(all)-1).Draw(t, "block")] }
	p := PeerID(rapid.IntRange(0, 4).Draw(t, "peer"))
	var m Message
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1:
		m = Joined{p}
	case 2:
		m = Left{p}
	case 3, 4, 5:
		from := rapid.IntRange(0, len(all)).Draw(t, "from")
		m = Headers{p, all[from:min(len(all), from+rapid.IntRange(0, 45).Draw(t, "count"))]}
	case 6:
		m = Body{p, pick().Hash(), make([]chain.Hash, rapid.IntRange(0, 2).Draw(t, "missing"))}
	case 7:
		m = NotFound{p, pick().Hash()}
	case 8:
		c.Tick(now)
		return
	case 9:
		reply(t, c, now)
		return
	}
	mustStep(t, c, now, m)
	if len(c.items) > 8*len(c.index.heads) {
		t.Fatalf("%d blocks are wanted", len(c.items))
	}
	for _, p := range c.peers {
		if len(p.held) > maxHeld || p.items > c.rules.cfg.PeerBlocks || p.items < 0 {
			t.Fatalf("peer with %d held, %d asked", len(p.held), p.items)
		}
	}
}

// reply ends a switch, well or badly.
func reply(t *rapid.T, c *Core, now uint64) {
	s := c.Ready().Switch
	if s == nil {
		return
	}
	m := Switched{Tip: s.goal()}
	switch bad := s.Apply[rapid.IntRange(0, len(s.Apply)-1).Draw(t, "bad")].Block; rapid.IntRange(0, 2).Draw(t, "end") {
	case 0:
		m = Switched{Tip: c.applied.hash, Invalid: bad}
	case 1:
		m = Switched{Tip: c.applied.hash, Unavailable: bad, Missing: []chain.Hash{{1}}}
	}
	mustStep(t, c, now, m)
}
