package consensus

import (
	"testing"

	"github.com/weisyn/wes/chain"
)

// requests returns how many requests for headers and for blocks there are for a peer now.
func requests(c *Core, p PeerID) (headers, blocks int) {
	for _, q := range c.Ready().Requests {
		switch {
		case q.Peer != p:
		case q.Locator != nil:
			headers++
		default:
			blocks++
		}
	}
	return headers, blocks
}

func TestPeerThatRepeatsItselfIsNotAskedForEver(t *testing.T) {
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, _ := m.run(m.genesisLink(), MaxHeaders, 10_000)
	now := hs[MaxHeaders-1].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	c.Ready()
	must(t, c.Step(now, Headers{1, hs}))
	if headers, _ := requests(c, 1); headers != 0 {
		t.Error("asked again after nothing new")
	}
}

func TestAnnouncementsWhileAPeerIsAskedDoNotCount(t *testing.T) {
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, _ := m.run(m.genesisLink(), 40, 10_000)
	now := hs[39].Time
	must(t, c.Step(now, Joined{1}))
	c.Ready()
	for i := 5; i < 40; i++ {
		must(t, c.Step(now, Headers{1, hs[i : i+1]}))
	}
	r := c.Ready()
	if len(r.Drops) != 0 || len(r.Requests) != 0 {
		t.Errorf("%+v", r)
	}
	must(t, c.Step(now, Headers{1, hs}))
	if c.Status().Headers != 40 {
		t.Error("the answer is not heard")
	}
}

// TestAnnouncementThatOvertakesAnAnswerIsNotLost: a peer answers, moves to another block and
// announces it, and the announcement comes first.
func TestAnnouncementThatOvertakesAnAnswerIsNotLost(t *testing.T) {
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, _ := m.run(m.genesisLink(), 9, 10_000)
	now := hs[8].Time
	must(t, c.Step(now, Joined{1}))
	c.Ready()
	must(t, c.Step(now, Headers{1, hs[8:]}))
	must(t, c.Step(now, Headers{1, hs[:5]}))
	if headers, _ := requests(c, 1); headers != 1 || !c.Status().Initial {
		t.Errorf("asked %d times; %+v", headers, c.Status())
	}
	must(t, c.Step(now, Headers{1, hs[4:]}))
	if headers, _ := requests(c, 1); headers != 0 || c.Status().Headers != 9 {
		t.Errorf("asked %d times; %+v", headers, c.Status())
	}
}

// TestManyHeldHeadersAreAskedForAgain: what is held is bounded, the rest is not forgotten.
func TestManyHeldHeadersAreAskedForAgain(t *testing.T) {
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, _ := m.run(m.genesisLink(), maxHeld+10, 1_000)
	must(t, c.Step(epoch-60_000, Joined{1}))
	must(t, c.Step(epoch-60_000, Headers{1, hs}))
	c.Ready()
	if p := c.peer(1); len(p.held) != maxHeld {
		t.Fatalf("%d held", len(p.held))
	}
	c.Tick(epoch + 100_000)
	headers, _ := requests(c, 1)
	if c.Status().Headers != maxHeld || headers != 1 {
		t.Errorf("height %d, asked %d times", c.Status().Headers, headers)
	}
}

// TestDeliveryForgivesStrikes: a peer is dropped for letting requests time out in a row.
func TestDeliveryForgivesStrikes(t *testing.T) {
	cfg := testConfig()
	cfg.Timeout, cfg.Retry, cfg.PeerBlocks = 2, 1, 1
	m, c := newMiner(t, cfg), newCore(t, cfg)
	hs, links := m.run(m.genesisLink(), 3, 10_000)
	now := hs[2].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	stall := func(times int) {
		for before := c.peer(1).strikes; c.peer(1) != nil && c.peer(1).strikes < before+times; {
			c.Tick(now)
		}
	}
	stall(2)
	must(t, c.Step(now, Body{Peer: 1, Block: links[0].hash}))
	stall(2)
	if c.peer(1) == nil {
		t.Fatal("dropped between deliveries")
	}
	for range 10 {
		c.Tick(now)
	}
	if c.peer(1) != nil {
		t.Error("never dropped")
	}
}

func TestBranchOnAnInvalidBlockIsNotWeighed(t *testing.T) {
	c, m, _, links := grown(t, nearTip+20)
	now := links[len(links)-1].time
	h, side := m.child(m.genesisLink(), epoch+2_000, nil)
	b := c.store(c.index.blocks[m.genesisLink().hash], side, &h)
	c.condemn(b)
	child, _ := m.child(side, epoch+4_000, nil)
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, []SealedHeader{child}}))
	if r := c.Ready(); len(r.Drops) != 1 || len(r.Invalid) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestUnwantedBodiesChangeNothing(t *testing.T) {
	cfg := testConfig()
	cfg.Window = 4
	m, c := newMiner(t, cfg), newCore(t, cfg)
	hs, links := m.run(m.genesisLink(), 10, 10_000)
	now := hs[9].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	if !c.Wants(links[3].hash) || c.Wants(links[4].hash) || c.Wants(chain.Hash{1}) {
		t.Error("wants another part of the branch than the window")
	}
	must(t, c.Step(now, Body{1, links[7].hash, []chain.Hash{{1}}}))
	must(t, c.Step(now, Body{Peer: 1, Block: links[8].hash}))
	if c.Status().Wanted != 4 || c.index.blocks[links[8].hash].received {
		t.Error("a body that is not wanted is taken")
	}
}

// TestAttachmentsAreAskedOfWhoLackedTheBody: they may have come to it since, or from elsewhere.
func TestAttachmentsAreAskedOfWhoLackedTheBody(t *testing.T) {
	cfg := testConfig()
	m, c := newMiner(t, cfg), newCore(t, cfg)
	hs, links := m.run(m.genesisLink(), 1, 10_000)
	now, b := hs[0].Time, links[0].hash
	for p := PeerID(1); p <= 2; p++ {
		must(t, c.Step(now, Joined{p}))
		must(t, c.Step(now, Headers{p, hs}))
	}
	must(t, c.Step(now, NotFound{1, b}))
	must(t, c.Step(now, Body{2, b, []chain.Hash{{1}}}))
	must(t, c.Step(now, NotFound{c.items[c.index.blocks[b]].peer, b}))
	if got := c.items[c.index.blocks[b]].peer; got == 0 {
		t.Error("nobody else is asked")
	}
}

func TestPeerThatComesBackIsAskedAgain(t *testing.T) {
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, links := m.run(m.genesisLink(), 1, 10_000)
	now := hs[0].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	must(t, c.Step(now, NotFound{1, links[0].hash}))
	must(t, c.Step(now, Left{1}))
	c.Ready()
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	if _, blocks := requests(c, 1); blocks != 1 {
		t.Errorf("asked for %d blocks", blocks)
	}
}

func TestPeersArePolledOnlyWhenNothingIsHeard(t *testing.T) {
	cfg := testConfig()
	cfg.Poll = 5
	m, c := newMiner(t, cfg), newCore(t, cfg)
	hs, _ := m.run(m.genesisLink(), 2, 10_000)
	now := hs[1].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs[:1]}))
	asked := 0
	tick := func() {
		for range 4 {
			c.Tick(now)
		}
		headers, _ := requests(c, 1)
		asked += headers
	}
	c.Ready()
	tick()
	must(t, c.Step(now, Headers{1, hs[1:]}))
	tick()
	if asked != 0 {
		t.Error("polled although it speaks")
	}
	tick()
	if asked != 1 {
		t.Errorf("polled %d times in its silence", asked)
	}
}

func TestPassOfASilentPeerEnds(t *testing.T) {
	cfg := testConfig()
	cfg.MinWork, cfg.Timeout = Work{1 << 40}, 3
	m, c := newMiner(t, cfg), newCore(t, cfg)
	hs, _ := m.run(m.genesisLink(), MaxHeaders, 10_000)
	now := hs[MaxHeaders-1].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	if c.peer(1).pass == nil {
		t.Fatal("no pass")
	}
	for range 3 {
		c.Tick(now)
	}
	if c.peer(1).pass != nil {
		t.Error("it is kept")
	}
}
