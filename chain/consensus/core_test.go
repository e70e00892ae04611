package consensus

import (
	"errors"
	"testing"

	"github.com/weisyn/wes/chain"
)

// grown returns a core that stands on n blocks of its own.
func grown(t *testing.T, n int) (*Core, *miner, []SealedHeader, []link) {
	t.Helper()
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, links := m.run(m.genesisLink(), n, 10_000)
	for i := range hs {
		must(t, c.Step(hs[i].Time, Mined{hs[i]}))
		must(t, c.Step(hs[i].Time, Switched{Tip: c.Ready().Switch.goal()}))
	}
	return c, m, hs, links
}

func TestRecordsOfAnotherRun(t *testing.T) {
	_, m, hs, links := grown(t, 3)
	all := []Record{{Header: hs[0], Stored: true}, {Header: hs[1], Stored: true}, {Header: hs[2], Bad: true}}
	c, err := New(testConfig(), records(all), links[1].hash)
	must(t, err)
	if s := c.Status(); s.Height != 2 || s.Headers != 2 {
		t.Errorf("%+v", s)
	}
	genesis := m.genesisLink().hash
	wrong := hs[1]
	wrong.Bits--
	for name, bad := range map[string]struct {
		records []Record
		tip     chain.Hash
	}{
		"tip unknown":    {all[:1], links[2].hash},
		"tip invalid":    {all, links[2].hash},
		"out of order":   {[]Record{all[1], all[0]}, genesis},
		"breaks a rule":  {[]Record{all[0], {Header: wrong}}, genesis},
		"tip is nothing": {nil, chain.Hash{}},
	} {
		if _, err := New(testConfig(), records(bad.records), bad.tip); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTemplateLeadsToABlockThatKeepsTheRules(t *testing.T) {
	c, m, _, links := grown(t, 3)
	now := links[2].time + 5_000
	tmpl, err := c.Template(now)
	must(t, err)
	h := SealedHeader{Header: tmpl.Header()}
	m.solve(&h.Header, nil)
	must(t, c.Step(now, Mined{h}))
	if tmpl.Now != links[2].time || h.Time != now || c.Ready().Switch.goal() != h.Hash() {
		t.Errorf("%+v", tmpl)
	}
}

func TestAboveIsTheWorkThatUndoingABlockCosts(t *testing.T) {
	c, m, _, links := grown(t, 5)
	above, ok := c.Above(links[1].hash)
	if want := links[4].work.sub(links[1].work); !ok || above != want || above.String() != "6" {
		t.Errorf("%v, want %v", above, want)
	}
	_, aside := m.child(links[1], links[1].time+2000, nil)
	if _, ok := c.Above(aside.hash); ok {
		t.Error("of a block that is not applied")
	}
}

func TestAfterAnswersWithTheBranchOfTheTip(t *testing.T) {
	c, m, _, links := grown(t, 5)
	side, _ := m.child(links[1], links[1].time+2000, nil)
	must(t, c.Step(links[4].time, Joined{1}))
	must(t, c.Step(links[4].time, Headers{1, []SealedHeader{side}}))
	for name, q := range map[string]struct {
		locator []chain.Hash
		want    []link
	}{
		"from the start":        {[]chain.Hash{m.genesisLink().hash}, links},
		"from the middle":       {[]chain.Hash{{1}, links[2].hash}, links[3:]},
		"from the tip":          {[]chain.Hash{links[4].hash}, nil},
		"from a branch":         {[]chain.Hash{side.Hash(), links[0].hash}, links[2:]},
		"the first known rules": {[]chain.Hash{links[3].hash, links[0].hash}, links[4:]},
	} {
		got, ok := c.After(q.locator)
		if !ok || len(got) != len(q.want) || len(got) > 0 && got[0] != q.want[0].hash {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, ok := c.After([]chain.Hash{{1}}); ok {
		t.Error("a locator of another chain")
	}
}

func TestReportsOfSwitchesAreChecked(t *testing.T) {
	c, m, _, _ := grown(t, 1)
	hs, links := m.run(m.genesisLink(), 3, 10_000)
	now := hs[2].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	for i := range hs {
		must(t, c.Step(now, Body{Peer: 1, Block: links[i].hash}))
	}
	if s := c.Ready().Switch; s == nil || len(s.Undo) != 1 || len(s.Apply) != 3 {
		t.Fatalf("%+v", s)
	}
	old := c.applied.hash
	for name, m := range map[string]Switched{
		"an unknown tip":              {Tip: chain.Hash{1}},
		"the old tip without reason":  {Tip: old},
		"the middle of a reorg":       {Tip: links[0].hash, Invalid: links[1].hash},
		"the goal, and a reason":      {Tip: links[2].hash, Invalid: links[2].hash},
		"two reasons":                 {Tip: old, Invalid: links[0].hash, Unavailable: links[1].hash},
		"a reason that is not a part": {Tip: old, Invalid: old},
	} {
		if err := c.Step(now, m); !errors.Is(err, ErrSwitch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, c.Step(now, Switched{Tip: links[2].hash}))
	if err := c.Step(now, Switched{Tip: links[2].hash}); !errors.Is(err, ErrSwitch) {
		t.Errorf("a second report: %v", err)
	}
}

// TestLongBranchIsFetchedWhole: a fork needs more blocks than the window before it wins.
func TestLongBranchIsFetchedWhole(t *testing.T) {
	cfg := testConfig()
	cfg.Window, cfg.PeerBlocks = 4, 100
	m, c := newMiner(t, cfg), newCore(t, cfg)
	mine, _ := m.run(m.genesisLink(), 20, 10_000)
	other, _ := m.run(m.genesisLink(), 21, 10_000)
	now := other[20].Time
	for i := range mine {
		must(t, c.Step(now, Mined{mine[i]}))
	}
	for c.Status().Height < 20 {
		must(t, c.Step(now, Switched{Tip: c.Ready().Switch.goal()}))
	}
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, other}))
	most := 0
	for range 100 {
		r := c.Ready()
		if r.Switch != nil {
			must(t, c.Step(now, Switched{Tip: r.Switch.goal()}))
		}
		bodies := 0
		for _, q := range r.Requests {
			if q.Locator == nil {
				bodies++
				must(t, c.Step(now, Body{Peer: 1, Block: q.Block}))
			}
		}
		most = max(most, bodies)
	}
	if s := c.Status(); s.Height != 21 || s.Tip != other[20].Hash() {
		t.Errorf("%+v", s)
	}
	if most > 8 {
		t.Errorf("%d bodies asked for at once", most)
	}
}

// TestWindowBoundsWhatIsStaged: while the ledger is slow, bodies do not pile up.
func TestWindowBoundsWhatIsStaged(t *testing.T) {
	cfg := testConfig()
	cfg.Window, cfg.PeerBlocks = 4, 100
	m, c := newMiner(t, cfg), newCore(t, cfg)
	hs, _ := m.run(m.genesisLink(), 20, 10_000)
	now := hs[19].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	staged := 0
	for range 20 {
		for _, q := range c.Ready().Requests {
			if q.Locator == nil {
				staged++
				must(t, c.Step(now, Body{Peer: 1, Block: q.Block}))
			}
		}
	}
	if staged != 4 {
		t.Errorf("%d bodies are staged", staged)
	}
}

func TestBodyFromTheMempoolNeedsNoPeer(t *testing.T) {
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, links := m.run(m.genesisLink(), 1, 10_000)
	must(t, c.Step(hs[0].Time, Joined{1}))
	must(t, c.Step(hs[0].Time, Headers{1, hs}))
	must(t, c.Step(hs[0].Time, Body{Block: links[0].hash}))
	if r := c.Ready(); r.Switch == nil || r.Switch.goal() != links[0].hash || c.peer(1).items != 0 {
		t.Errorf("%+v", r)
	}
}

func TestDownloadIsSharedAmongPeers(t *testing.T) {
	cfg := testConfig()
	cfg.PeerBlocks = 8
	m, c := newMiner(t, cfg), newCore(t, cfg)
	hs, links := m.run(m.genesisLink(), 24, 10_000)
	now := hs[23].Time
	count := map[PeerID]int{}
	for p := PeerID(1); p <= 3; p++ {
		must(t, c.Step(now, Joined{p}))
	}
	for p := PeerID(1); p <= 3; p++ {
		must(t, c.Step(now, Headers{p, hs}))
	}
	for _, q := range c.Ready().Requests {
		if q.Locator == nil {
			count[q.Peer]++
		}
	}
	if count[1] != 8 || count[2] != 8 || count[3] != 8 || len(links) != 24 {
		t.Errorf("requests: %v", count)
	}
}

func TestSwitchWithoutUndoIsABatch(t *testing.T) {
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, links := m.run(m.genesisLink(), maxBatch+5, 10_000)
	now := hs[len(hs)-1].Time
	for i := range hs {
		must(t, c.Step(now, Mined{hs[i]}))
	}
	if s := c.Ready().Switch; len(s.Apply) != maxBatch {
		t.Fatalf("%d blocks", len(s.Apply))
	}
	// It may stop on the way, below the block that is at fault.
	if err := c.Step(now, Switched{Tip: links[3].hash, Invalid: links[2].hash}); !errors.Is(err, ErrSwitch) {
		t.Errorf("stands on what it could not apply: %v", err)
	}
	must(t, c.Step(now, Switched{Tip: links[3].hash, Invalid: links[4].hash}))
	if st := c.Status(); st.Height != 4 || st.Headers != 4 || c.Ready().Switch != nil {
		t.Errorf("%+v", st)
	}
}

func TestOnlyWorkBuriesABlock(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   bool
	}{
		"deep":            {func(*Config) {}, true},
		"not deep enough": {func(c *Config) { c.AttachmentDepth = 9 }, false},
		"too little work": {func(c *Config) { c.MinWork = Work{1000} }, false},
		"archive":         {func(c *Config) { c.Archive = true }, false},
	} {
		cfg := testConfig()
		cfg.AttachmentDepth = 5
		c.change(&cfg)
		m, core := newMiner(t, cfg), newCore(t, cfg)
		hs, links := m.run(m.genesisLink(), 10, 10_000)
		for i := range hs {
			must(t, core.Step(hs[9].Time, Mined{hs[i]}))
		}
		if got := core.buried(core.index.blocks[links[1].hash]); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		side, l := m.child(links[0], epoch+30_000, nil)
		must(t, core.Step(hs[9].Time, Mined{side}))
		if core.buried(core.index.blocks[l.hash]) {
			t.Errorf("%s: on a side branch", name)
		}
	}
}

func TestNodeAloneStaysInItsInitialSync(t *testing.T) {
	c, _, _, links := grown(t, 3)
	if !c.Status().Initial {
		t.Error("nobody has said that there is no more")
	}
	must(t, c.Step(links[2].time, Joined{1}))
	must(t, c.Step(links[2].time, Headers{Peer: 1}))
	if c.Status().Initial {
		t.Error("a peer has said that there is no more")
	}
}

func TestNothingIsWantedAboveAnInvalidBlock(t *testing.T) {
	m, c := newMiner(t, testConfig()), newCore(t, testConfig())
	hs, links := m.run(m.genesisLink(), 4, 10_000)
	now := hs[3].Time
	must(t, c.Step(now, Joined{1}))
	must(t, c.Step(now, Headers{1, hs}))
	must(t, c.Step(now, Body{Peer: 1, Block: links[0].hash}))
	c.Ready()
	must(t, c.Step(now, Switched{Tip: m.rules.chain, Invalid: links[0].hash}))
	if s := c.Status(); s.Wanted != 0 || s.Headers != 0 || c.peer(1).items != 0 {
		t.Errorf("%+v", s)
	}
}
