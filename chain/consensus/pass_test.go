package consensus

import (
	"testing"

	"github.com/weisyn/wes/chain"
)

// server answers requests for headers from a branch, as a node does.
type server struct {
	hs []SealedHeader
	at map[chain.Hash]int // index of the header after
}

func serve(start link, hs []SealedHeader) *server {
	s := &server{hs: hs, at: map[chain.Hash]int{start.hash: 0}}
	for i := range hs {
		s.at[hs[i].Hash()] = i + 1
	}
	return s
}

func (s *server) after(locator []chain.Hash) []SealedHeader {
	for _, h := range locator {
		if i, ok := s.at[h]; ok {
			return s.hs[i:min(len(s.hs), i+MaxHeaders)]
		}
	}
	return nil
}

// answer plays peer 1 until the core asks for no more headers, and returns how many headers
// it sent, how many the core stored, and the drops.
func answer(t *testing.T, c *Core, now uint64, after func([]chain.Hash) []SealedHeader) (sent, stored int, drops []Drop) {
	t.Helper()
	for range 1000 {
		r := c.Ready()
		stored += len(r.Headers)
		drops = append(drops, r.Drops...)
		asked := false
		for _, q := range r.Requests {
			if q.Locator != nil && q.Peer == 1 {
				hs := after(q.Locator)
				sent, asked = sent+len(hs), true
				must(t, c.Step(now, Headers{1, hs}))
			}
		}
		if !asked {
			return sent, stored, drops
		}
	}
	t.Fatal("the core asks without end")
	return sent, stored, drops
}

// floodConfig has a genesis block of some difficulty, and blocks that may be much easier.
func floodConfig() Config {
	return Config{Genesis: chain.Header{Time: epoch, Bits: 0x2000ffff}, Limit: easy}
}

// idle returns a branch whose miner waits, so that it becomes easy and stays so.
func idle(m *miner, n int) []SealedHeader {
	first, one := m.child(m.genesisLink(), epoch+10_000, nil)
	second, late := m.child(one, one.time+100_000_000, nil)
	more, _ := m.run(late, n-2, 10_000)
	return append([]SealedHeader{first, second}, more...)
}

func TestHeaderFloodAtMinimumDifficultyStoresNothing(t *testing.T) {
	cfg := floodConfig()
	m := newMiner(t, cfg)
	flood := idle(m, 3*MaxHeaders+500)
	target, _ := Target(0x2000ffff)
	cfg.MinWork = workOf(target).times(1000) // the flood has the work of some 30
	c := newCore(t, cfg)
	now := flood[len(flood)-1].Time
	must(t, c.Step(now, Joined{1}))
	sent, stored, drops := answer(t, c, now, serve(m.genesisLink(), flood).after)
	if stored != 0 || len(c.index.blocks) != 1 || len(drops) != 0 {
		t.Errorf("of %d headers %d are stored, %d indexed; drops %v", sent, stored, len(c.index.blocks), drops)
	}
	if c.peer(1).pass != nil {
		t.Error("the pass is kept")
	}
}

func TestFloodBelowAnEstablishedTipStoresNothing(t *testing.T) {
	cfg := floodConfig()
	m := newMiner(t, cfg)
	honest, _ := m.run(m.genesisLink(), 400, 10_000)
	flood := idle(m, MaxHeaders)
	c := newCore(t, cfg)
	now := flood[len(flood)-1].Time
	must(t, c.Step(now, Joined{1}))
	if _, stored, _ := answer(t, c, now, serve(m.genesisLink(), honest).after); stored != 400 {
		t.Fatalf("%d of the honest headers are stored", stored)
	}
	must(t, c.Step(now, Headers{1, flood}))
	if _, stored, _ := answer(t, c, now, serve(m.genesisLink(), flood).after); stored != 0 {
		t.Errorf("%d headers of a flood are stored", stored)
	}
	must(t, c.Step(now, Headers{1, flood[:300]}))
	if r := c.Ready(); len(r.Headers) != 0 || len(r.Drops) != 0 {
		t.Error("a short branch far below the tip is stored, or its sender dropped")
	}
}

func TestEnoughWorkPassesTwice(t *testing.T) {
	cfg := testConfig()
	m := newMiner(t, cfg)
	n := 2*MaxHeaders + 700
	hs, links := m.run(m.genesisLink(), n, 10_000)
	for name, work := range map[string]int{"at the end": n, "at a mark": 2 * MaxHeaders, "one after": 2*MaxHeaders + 1, "in the first message": 100} {
		cfg.MinWork = links[work-1].work
		c := newCore(t, cfg)
		now := hs[n-1].Time
		must(t, c.Step(now, Joined{1}))
		sent, stored, drops := answer(t, c, now, serve(m.genesisLink(), hs).after)
		if stored != n || len(drops) != 0 || c.index.header.hash != links[n-1].hash {
			t.Errorf("%s: %d of %d stored, drops %v", name, stored, n, drops)
		}
		if once := name == "in the first message"; once != (sent == n) {
			t.Errorf("%s: %d headers sent", name, sent)
		}
	}
}

// TestSecondPassCannotDeviate: a peer shows work with one branch, and then serves another.
func TestSecondPassCannotDeviate(t *testing.T) {
	cfg := testConfig()
	m := newMiner(t, cfg)
	start := m.genesisLink()
	hs, links := m.run(start, 2*MaxHeaders+10, 10_000)
	other, _ := m.run(links[MaxHeaders+5], MaxHeaders, 10_000)
	cheat := append(append([]SealedHeader{}, hs[:MaxHeaders+6]...), other...)
	cfg.MinWork = links[len(links)-1].work
	for name, second := range map[string][]SealedHeader{"another branch": cheat, "a shorter one": hs[:2*MaxHeaders-1]} {
		c := newCore(t, cfg)
		first, now := true, hs[len(hs)-1].Time
		must(t, c.Step(now, Joined{1}))
		_, stored, drops := answer(t, c, now, func(locator []chain.Hash) []SealedHeader {
			first = first && c.peer(1) != nil && (c.peer(1).pass == nil || c.peer(1).pass.total == 0)
			if first {
				return serve(start, hs).after(locator)
			}
			return serve(start, second).after(locator)
		})
		if stored != MaxHeaders || len(drops) != 1 {
			t.Errorf("%s: %d stored, drops %v", name, stored, drops)
		}
	}
}

// TestPassKeepsFewHashes: the memory of a first pass is one hash for MaxHeaders headers.
func TestPassKeepsFewHashes(t *testing.T) {
	cfg := testConfig()
	m := newMiner(t, cfg)
	hs, links := m.run(m.genesisLink(), 3*MaxHeaders, 10_000)
	cfg.MinWork = links[len(links)-1].work.add(Work{1})
	c := newCore(t, cfg)
	now := hs[len(hs)-1].Time
	must(t, c.Step(now, Joined{1}))
	c.Ready()
	for i := range 3 {
		must(t, c.Step(now, Headers{1, hs[i*MaxHeaders : (i+1)*MaxHeaders]}))
		if s := c.peer(1).pass; len(s.marks) != i+1 || len(s.kept) != 0 {
			t.Fatalf("after %d messages %d marks, %d headers kept", i+1, len(s.marks), len(s.kept))
		}
	}
}

// TestOneSlowPeerDoesNotHoldTheInitialSync: a peer shows endless cheap headers, each message
// just in time; another peer is asked as well.
func TestOneSlowPeerDoesNotHoldTheInitialSync(t *testing.T) {
	cfg := testConfig()
	m := newMiner(t, cfg)
	hs, _ := m.run(m.genesisLink(), 4*MaxHeaders, 10_000)
	cfg.MinWork = Work{1 << 40}
	c := newCore(t, cfg)
	now := hs[len(hs)-1].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Joined{2}))
	asked := false
	for i := 0; i < 4; i++ {
		must(t, c.Step(now, Headers{1, hs[i*MaxHeaders : (i+1)*MaxHeaders]}))
		for range c.rules.cfg.Poll / 3 {
			c.Tick(now)
			c.peer(1).deadline = c.ticks + 10
			for _, q := range c.Ready().Requests {
				asked = asked || q.Peer == 2
			}
		}
	}
	if !asked {
		t.Error("nobody else is asked")
	}
}

func TestTooManyHeaders(t *testing.T) {
	cfg := testConfig()
	c := newCore(t, cfg)
	must(t, c.Step(epoch, Joined{1}))
	must(t, c.Step(epoch, Headers{1, make([]SealedHeader, MaxHeaders+1)}))
	if r := c.Ready(); len(r.Drops) != 1 || !r.Drops[0].Ban {
		t.Errorf("%+v", r.Drops)
	}
}
