package trade

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// counted returns the values of a metric, by its labels in their order.
func counted(t *testing.T, g prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			labels := ""
			for _, l := range m.Label {
				labels += " " + l.GetValue()
			}
			if f.GetName() == name {
				all[labels] += m.GetCounter().GetValue()
			}
		}
	}
	return all
}

func TestAnswersAreCountedByReason(t *testing.T) {
	r := prometheus.NewRegistry()
	m, err := newMetrics(r)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(c market.Code) []market.Refusal { return []market.Refusal{{Code: c}} }
	for _, reply := range []market.Reply{
		{Answer: &market.Answer{Bid: []market.Bid{{}}}},
		{Answer: &market.Answer{Refusal: refused(market.CodeBusy)}},
		{Answer: &market.Answer{Refusal: refused(market.CodeBusy)}},
		{Countersigned: &market.Countersigned{Partial: []byte{1}}},
		{Countersigned: &market.Countersigned{Refusal: refused(market.CodeExpired)}},
		{Refusal: &market.Refusal{Code: market.CodeTerms}}, // of a request for news
		{},
	} {
		m.answered(chain.JobInfer, &reply)
	}
	for name, want := range map[string]map[string]float64{
		"wes_market_asks_total":   {" bid infer": 1, " busy infer": 2},
		"wes_market_awards_total": {" signed infer": 1, " expired infer": 1},
	} {
		got := counted(t, r, name)
		for labels, n := range want {
			if got[labels] != n || len(got) != len(want) {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	}
}

func TestReasonsOfPeersAreNoLabels(t *testing.T) {
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[market.Code]string{
		market.CodeOK: "none", market.CodeNoBid: "no_bid", "made up by a peer": "other",
	} {
		if got := m.reason(code); got != want {
			t.Errorf("%q is %q, want %q", code, got, want)
		}
	}
}
