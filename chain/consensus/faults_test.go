package consensus

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
)

func seeds(t *testing.T, n uint64, f func(t *testing.T, seed uint64)) {
	if testing.Short() {
		n = min(n, 3)
	}
	for seed := range n {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { f(t, seed) })
	}
}

func TestNetworkAgreesAfterOneMoreBlock(t *testing.T) {
	seeds(t, 10, func(t *testing.T, seed uint64) {
		n := newNetwork(t, seed, 4)
		n.linkAll()
		n.mineFor(600_000, 8_000, 0, 1, 2, 3)
		n.settle()
		n.agree("after mining")
		if h := n.nodes[0].core.Status().Height; h < 40 {
			t.Errorf("only %d blocks", h)
		}
		if n.nodes[1].banned != 0 {
			t.Error("an honest node was dropped")
		}
	})
}

func TestPartitionOfFiveHealedAfterFiftyBlocksASide(t *testing.T) {
	seeds(t, 3, func(t *testing.T, seed uint64) {
		n := newNetwork(t, seed, 5)
		n.linkAll()
		n.mineFor(100_000, 10_000, 0, 1, 2, 3, 4)
		n.split(2)
		for range 50 {
			n.mineFor(10_000, 8_000, 0, 1)
			n.mineFor(10_000, 6_000, 2, 3, 4)
		}
		if len(n.tips()) < 2 {
			t.Fatal("the partition has one tip")
		}
		n.linkAll()
		n.settle()
		n.agree("after healing")
	})
}

// TestProfilesOfFixedDifficultyAgree: there, equal work is the rule, also of long branches.
func TestProfilesOfFixedDifficultyAgree(t *testing.T) {
	sealing, key := consortium()
	dev := testConfig()
	dev.Profile = Dev
	for _, cfg := range []Config{sealing, dev} {
		t.Run(cfg.Profile.String(), func(t *testing.T) {
			n := newNetworkOf(t, cfg, 3, 4)
			if cfg.Profile == Consortium {
				n.miner.key = key
			}
			n.linkAll()
			n.mineFor(100_000, 4_000, 0, 1, 2, 3)
			n.split(2)
			for range 20 { // one after the other, so that both sides do the same work
				n.run(2_000)
				n.nodes[0].mine()
				n.nodes[2].mine()
			}
			n.run(5_000)
			if a, b := n.nodes[0].core.Status(), n.nodes[2].core.Status(); a.Tip == b.Tip || a.Work != b.Work {
				t.Fatalf("no tie: %+v, %+v", a, b)
			}
			n.linkAll()
			n.run(60_000)
			n.agree("about a deep tie, without another block")
			n.settle()
			n.agree("in the end")
		})
	}
}

// TestRandomSchedules cuts and mends links, breaks bodies, mutes nodes, sets clocks wrong and
// restarts nodes while blocks are found.
func TestRandomSchedules(t *testing.T) {
	seeds(t, 12, func(t *testing.T, seed uint64) {
		n := newNetwork(t, seed, 5)
		n.delay = 50 + n.src.Uint64N(1500)
		n.linkAll()
		for range 40 {
			a, b := n.src.IntN(5), n.src.IntN(5)
			switch n.src.IntN(8) {
			case 0, 1:
				n.cut(a, b)
			case 2, 3:
				n.link(a, b)
			case 4:
				n.nodes[a].mute = a != 0 && !n.nodes[a].mute
			case 5:
				n.nodes[a].offset = n.src.Int64N(4000) - 2000
			case 6:
				n.nodes[a].restart()
			case 7:
				n.forgeBody(n.nodes[a])
			}
			n.mineFor(20_000, 8_000, 0, 1, 2, 3, 4)
		}
		for _, s := range n.nodes {
			s.mute, s.offset = false, 0
		}
		n.run(60_000)
		n.linkAll()
		n.run(120_000)
		n.settle()
		n.agree("in the end")
	})
}

// restart loses everything but records, bodies and the ledger.
func (s *simNode) restart() {
	for _, p := range s.peers() {
		s.net.cut(s.id, p)
	}
	for i := range s.records {
		s.records[i].Stored = s.bodies[s.records[i].Header.Hash()]
	}
	tip := s.net.miner.rules.chain
	if len(s.ledger) > 0 {
		tip = s.ledger[len(s.ledger)-1]
	}
	c, err := New(s.net.cfg, records(slices.Clone(s.records)), tip)
	if err != nil {
		s.net.t.Fatal(err)
	}
	s.core = c
	for i := range s.net.nodes {
		s.net.link(s.id, i)
	}
}

// forgeBody has a node without scruples find a block whose body breaks a rule.
func (n *network) forgeBody(s *simNode) {
	t, err := s.core.Template(s.clock())
	if err != nil {
		return
	}
	h, l := n.miner.child(n.links[t.Parent], t.Time, nil)
	n.headers[l.hash], n.links[l.hash], n.broken[l.hash] = h, l, true
	s.bodies[l.hash] = true
	for _, p := range s.peers() {
		s.send(p, Headers{PeerID(s.id + 1), []SealedHeader{h}})
	}
}

func TestGenesisTwoYearsOld(t *testing.T) {
	n := newNetwork(t, 1, 3)
	const years = 2 * 365 * 24 * 3_600_000
	for _, s := range n.nodes {
		s.offset = years
	}
	n.linkAll()
	n.mineFor(300_000, 10_000, 0, 1, 2)
	n.settle()
	n.agree("on an old genesis block")
	if got := n.links[n.nodes[0].core.Status().Tip].bits; got < 0x20600000 {
		t.Errorf("bits %08x after few blocks on schedule", got)
	}
}

func TestIdleDayThenLoad(t *testing.T) {
	n := newNetwork(t, 1, 3)
	n.linkAll()
	n.mineFor(100_000, 10_000, 0, 1, 2)
	for _, s := range n.nodes {
		s.offset = 24 * 3_600_000
	}
	n.run(5_000)
	before := n.nodes[0].core.Status().Height
	n.mineFor(120_000, 1_500, 0, 1, 2) // much faster than the schedule, as the rule of time allows
	n.settle()
	n.agree("after a day without blocks")
	if got := n.nodes[0].core.Status().Height - before; got < 50 {
		t.Errorf("%d blocks in two minutes", got)
	}
}

// TestClockOffByHours: a slow node holds what comes and catches up once it is set; a fast one
// cannot lead the others astray, and they do not drop it.
func TestClockOffByHours(t *testing.T) {
	const hours = 3 * 3_600_000
	n := newNetwork(t, 4, 4)
	n.linkAll()
	n.mineFor(200_000, 10_000, 0, 1, 2, 3)
	n.settle()
	slow, fast := n.nodes[2], n.nodes[3]
	slow.offset, fast.offset = -hours, hours
	stuck := slow.core.Status().Height
	fast.mine()
	ahead := fast.core.Status().Tip
	n.mineFor(200_000, 10_000, 0, 1)
	n.run(10_000)
	if slow.core.Status().Height != stuck || slow.core.Status().Held == 0 {
		t.Errorf("the slow node: %+v", slow.core.Status())
	}
	if n.nodes[0].core.index.blocks[ahead] != nil {
		t.Error("a header from hours ahead is indexed")
	}
	if n.nodes[0].core.Status().Tip != fast.core.Status().Tip {
		t.Error("the fast node does not follow")
	}
	slow.offset, fast.offset = 0, 0
	n.run(120_000)
	n.settle()
	n.agree("with clocks set")
	for _, s := range n.nodes {
		if s.banned != 0 {
			t.Errorf("node %d was dropped", s.id)
		}
	}
}

func TestNodeSixHoursOfflineCatchesUp(t *testing.T) {
	n := newNetwork(t, 7, 4)
	n.linkAll()
	n.mineFor(100_000, 10_000, 0, 1, 2)
	for i := range 3 {
		n.cut(3, i)
	}
	n.mineFor(6*3_600_000, 10_000, 0)
	n.nodes[3].restart()
	n.run(120_000)
	n.settle()
	n.agree("after six hours")
	if h := n.nodes[3].core.Status().Height; h < 2000 {
		t.Errorf("height %d", h)
	}
}

// TestWithheldBodyHoldsNobody: a header of the most work whose body never comes.
func TestWithheldBodyHoldsNobody(t *testing.T) {
	n := newNetwork(t, 9, 4)
	n.linkAll()
	n.mineFor(100_000, 10_000, 0, 1, 2)
	n.settle()
	liar := n.nodes[3]
	tip, at := n.links[liar.core.Status().Tip], n.now
	for range 3 { // three blocks ahead of everyone
		h, l := n.miner.child(tip, max(at, tip.time+1000), nil)
		n.headers[l.hash], n.links[l.hash], tip = h, l, l
		for _, p := range liar.peers() {
			liar.send(p, Headers{4, []SealedHeader{h}})
		}
		n.run(300)
	}
	before := n.nodes[0].core.Status().Height
	n.mineFor(100_000, 10_000, 0, 1, 2)
	n.settle()
	if len(n.tips()) != 1 || n.nodes[0].core.Status().Height < before+5 {
		t.Errorf("%d tips, height %d after %d", len(n.tips()), n.nodes[0].core.Status().Height, before)
	}
}

// TestSameSeedSameRun: the core has no source of chance, and the simulator one seed.
func TestSameSeedSameRun(t *testing.T) {
	run := func() chain.Hash {
		n := newNetwork(t, 42, 4)
		n.linkAll()
		n.mineFor(300_000, 5_000, 0, 1, 2, 3)
		return n.nodes[2].core.Status().Tip
	}
	if first, second := run(), run(); first != second {
		t.Error("two runs of one seed differ")
	}
}
