package consensus

import "testing"

// BenchmarkHeaders is the cost of one header of a long message, checked and entered.
func BenchmarkHeaders(b *testing.B) {
	m := newMiner(b, testConfig())
	hs, _ := m.run(m.genesisLink(), MaxHeaders, 10_000)
	now := hs[len(hs)-1].Time
	for b.Loop() {
		c := newCore(b, testConfig())
		must(b, c.Step(now, Joined{1}))
		must(b, c.Step(now, Headers{1, hs}))
		if c.index.header.height != MaxHeaders {
			b.Fatal("not entered")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxHeaders, "ns/header")
}

// BenchmarkSync is the cost of one block, of which its header is a part, while 8 peers serve a long branch.
func BenchmarkSync(b *testing.B) {
	m := newMiner(b, testConfig())
	hs, _ := m.run(m.genesisLink(), MaxHeaders, 10_000)
	now := hs[len(hs)-1].Time
	for b.Loop() {
		c := newCore(b, testConfig())
		for p := range PeerID(8) {
			must(b, c.Step(now, Joined{p + 1}))
		}
		must(b, c.Step(now, Headers{1, hs}))
		for p := range PeerID(7) {
			must(b, c.Step(now, Headers{p + 2, hs[MaxHeaders-1:]}))
		}
		for c.Status().Height < MaxHeaders {
			r := c.Ready()
			for _, q := range r.Requests {
				if q.Locator == nil {
					must(b, c.Step(now, Body{Peer: q.Peer, Block: q.Block}))
				}
			}
			if r.Switch != nil {
				must(b, c.Step(now, Switched{Tip: r.Switch.goal()}))
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxHeaders, "ns/block")
}
