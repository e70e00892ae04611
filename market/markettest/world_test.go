package markettest_test

import (
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

// scene is a world under test with one client, c, and operators a and b as asked for.
type scene struct {
	*markettest.World
	t *testing.T
	c *markettest.Client
}

func newScene(t *testing.T, o markettest.Options, cheats ...markettest.Cheat) *scene {
	t.Helper()
	w, err := markettest.New(o, "c", "d", "a", "b", "e", "f")
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			for _, line := range w.Trace() {
				t.Log(line)
			}
		}
	})
	return &scene{w, t, w.Client("c", cheats...)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *scene) pass(ms uint64) {
	s.t.Helper()
	must(s.t, s.Run(ms))
}

// order places an order of one job, j, at level zk.
func (s *scene) order(o markettest.Order) {
	s.t.Helper()
	if o.Program == "" {
		o.Program = "model"
	}
	if o.Level == 0 {
		o.Level = chain.LevelZK
	}
	if o.MaxPrice == 0 {
		o.MaxPrice = 1000
	}
	if o.Within == 0 {
		o.Within = 600_000
	}
	if o.Payload == "" {
		o.Payload = "input"
	}
	must(s.t, s.c.Submit("j", o))
}

func (s *scene) job(name string) market.Purchase {
	s.t.Helper()
	p, ok := s.Job(name)
	if !ok {
		s.t.Fatalf("no job %s", name)
	}
	return p
}

// expect requires where a job is.
func (s *scene) expect(name string, settlement market.Settlement, code market.Code) {
	s.t.Helper()
	if p := s.job(name); p.Settlement != settlement || p.Code != code {
		s.t.Fatalf("%s is %s %q (%s), want %s %q", name, p.Settlement, p.Code, p.Text, settlement, code)
	}
}

func TestHonestJobIsPaid(t *testing.T) {
	for _, level := range []chain.Level{chain.LevelZK, chain.LevelOptimistic} {
		s := newScene(t, markettest.Options{Spacing: 10_000})
		s.Operator("a", nil)
		s.pass(100)
		s.order(markettest.Order{Level: level})
		s.pass(120_000)
		s.expect("j", market.Paid, market.CodeAccepted)
	}
}
