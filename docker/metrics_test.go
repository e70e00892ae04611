package docker_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/fleet"
	"gopkg.in/yaml.v3"
)

// series is what a query may name: a metric of docs/metrics.md, or a part of a histogram.
type series struct {
	grows  bool // a counter: rate and increase are for it
	labels []string
}

// scraped are the labels that Prometheus adds.
var scraped = []string{"instance", "job"}

// known reads docs/metrics.md.
func known(t *testing.T) map[string]series {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]series{"up": {labels: scraped}}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 7 || !strings.HasPrefix(line, "| wes_") {
			continue
		}
		name, labels := strings.TrimSpace(cells[1]), slices.Clone(scraped)
		for l := range strings.SplitSeq(cells[4], ",") {
			if l = strings.TrimSpace(l); l != "" {
				labels = append(labels, l)
			}
		}
		switch kind := strings.TrimSpace(cells[2]); kind {
		case "histogram":
			all[name+"_bucket"] = series{true, append(slices.Clone(labels), "le")}
			all[name+"_sum"], all[name+"_count"] = series{true, labels}, series{true, labels}
		default:
			all[name] = series{kind == "counter", labels}
		}
	}
	if len(all) < 50 {
		t.Fatalf("docs/metrics.md has only %d series", len(all))
	}
	return all
}

// values lists what a label can be, where the program says; nil: anything.
func values(metric, label string) []string {
	var codes []string
	for _, c := range market.Codes() {
		codes = append(codes, string(c.Code))
	}
	switch {
	case label == "job_kind":
		return []string{"infer", "prove"}
	case label == "cause":
		return []string{"disk", "peers", "sync", "silence"}
	case label == "settlement":
		var all []string
		for _, s := range []market.Settlement{market.Unfunded, market.Escrowed, market.InChannel, market.Paid, market.Refunded, market.Slashed} {
			all = append(all, string(s))
		}
		return all
	case metric == "wes_wallet_units":
		return []string{"spendable", "reserved", "unconfirmed", "immature", "escrows", "bonds", "pools"}
	case metric == "wes_fleet_outcomes_total":
		return []string{"ok", fleet.ReasonExpired, fleet.ReasonCanceled, fleet.ReasonLost, fleet.ReasonStalled, fleet.ReasonFailed, fleet.ReasonTooLarge, fleet.ReasonProgram}
	case strings.HasPrefix(metric, "wes_market_") && label == "reason":
		return append(codes, "none", "other")
	case strings.HasPrefix(metric, "wes_market_") && label == "answer":
		return append(codes, "bid", "signed", "other")
	}
	return nil
}

// badQuery says what an expression asks for that no node shows.
func badQuery(expr string, all map[string]series) []string {
	q, err := parse(expr)
	if err != nil {
		return []string{err.Error()}
	}
	var bad, labels []string
	for _, s := range q.selectors {
		m, ok := all[s.metric]
		if !ok {
			bad = append(bad, "no node shows "+s.metric)
			continue
		}
		labels = append(labels, m.labels...)
		bad = append(bad, badSelector(&s, &m)...)
	}
	for _, l := range q.labels {
		if !slices.Contains(labels, l) {
			bad = append(bad, "nothing here has a label "+l)
		}
	}
	return bad
}

func badSelector(s *selector, m *series) []string {
	var bad []string
	for _, x := range s.matchers {
		if !slices.Contains(m.labels, x.label) {
			bad = append(bad, s.metric+" has no label "+x.label)
		}
		possible := values(s.metric, x.label)
		for v := range strings.SplitSeq(x.value, "|") {
			if possible != nil && !strings.HasPrefix(v, "$") && !slices.Contains(possible, v) {
				bad = append(bad, fmt.Sprintf("%s of %s is never %q", x.label, s.metric, v))
			}
		}
	}
	growth := s.function == "rate" || s.function == "increase"
	over := growth || strings.HasSuffix(s.function, "_over_time")
	if growth && !m.grows {
		bad = append(bad, s.metric+" does not grow: it has no rate")
	}
	if over != s.ranged {
		bad = append(bad, s.metric+": a range goes with a function over time")
	}
	return bad
}

func TestBadQueriesAreNoticed(t *testing.T) {
	all := known(t)
	for _, good := range []string{
		`wes_node_ready == 0`,
		`sum by (instance, reason) (rate(wes_market_sales_total{reason=~"missed|late"}[5m])) / on (instance) group_left () sum by (instance) (wes_market_tasks) > 0.5`,
		`histogram_quantile(0.5, sum(rate(wes_works_stage_seconds_bucket{model=~"$model"}[$__rate_interval])) by (stage, le))`,
	} {
		if bad := badQuery(good, all); len(bad) > 0 {
			t.Errorf("%s: %v", good, bad)
		}
	}
	for _, broken := range []string{
		"", "wes_node_ready ==", "(wes_node_ready", "wes_node_ready wes_node_ready", "wes_node_ready)", "sum by instance (wes_node_ready)",
		`wes_node_ready{instance="a"`, `wes_node_ready{instance}`, "wes_node_ready[5m", "absent_function(wes_node_ready)", "wes_node_ready & 1",
		"wes_absent", "wes_works_stage_seconds", `wes_node_ready{cause="disk"}`, `wes_node_unready{cause="disc"}`, "rate(wes_chain_height[5m])",
		"rate(wes_market_asks_total)", "wes_market_asks_total[5m]", "sum by (device_uuid) (wes_market_tasks)", `wes_market_sales_total{reason="mised"}`,
		`wes_fleet_outcomes_total{reason="device_lost"}`, `wes_wallet_units{state="free"}`, `wes_market_asks_total{job_kind="call"}`,
	} {
		if bad := badQuery(broken, all); len(bad) == 0 {
			t.Errorf("nothing is wrong with %q", broken)
		}
	}
}

// ruleFile is a file of alert rules.
type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []rule
	}
}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

var (
	duration = regexp.MustCompile(`^(\d+[smhd])?$`)
	template = regexp.MustCompile(`\$labels\.([a-z_]+)`)
)

// badRule says what is wrong with an alert.
func badRule(r *rule, all map[string]series) []string {
	bad := badQuery(r.Expr, all)
	if !regexp.MustCompile(`^[A-Z][A-Za-z]+$`).MatchString(r.Alert) {
		bad = append(bad, "the name of the alert")
	}
	if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
		bad = append(bad, "the severity")
	}
	if !duration.MatchString(r.For) {
		bad = append(bad, "the duration")
	}
	for _, name := range []string{"summary", "description"} {
		if r.Annotations[name] == "" {
			bad = append(bad, "no "+name)
		}
		for _, l := range template.FindAllStringSubmatch(r.Annotations[name], -1) {
			if !strings.Contains(r.Expr, l[1]) && !slices.Contains(scraped, l[1]) {
				bad = append(bad, "the label "+l[1]+" of the "+name+" is not in the expression")
			}
		}
	}
	return bad
}

func TestAlertsAskForWhatNodesShow(t *testing.T) {
	text, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var f ruleFile
	if err := yaml.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	all, seen := known(t), map[string]bool{}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			for _, problem := range badRule(&r, all) {
				t.Errorf("%s: %s", r.Alert, problem)
			}
			if seen[r.Alert] {
				t.Errorf("%s is there twice", r.Alert)
			}
			seen[r.Alert] = true
		}
	}
	for _, name := range []string{
		"NodeNotReady", "HeadIsOld", "NoPeers", "DiskTakesNoWrites", "JobsMissed", "BondSlashed", "BidsRefused", "JobsWithoutOperator", "DeviceLost", "WalletLow",
	} {
		if !seen[name] {
			t.Errorf("there is no alert %s", name)
		}
	}
}

// TestOperatorsAreToldOfEveryAlert holds docs/operator.md to the alerts, and to the metrics it names.
func TestOperatorsAreToldOfEveryAlert(t *testing.T) {
	doc, err := os.ReadFile("../docs/operator.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`alert: (\w+)`).FindAllSubmatch(rules, -1) {
		if !regexp.MustCompile(`\b` + string(m[1]) + `\b`).Match(doc) {
			t.Errorf("docs/operator.md does not have the alert %s", m[1])
		}
	}
	all := known(t)
	for _, text := range [][]byte{doc, rules} {
		for _, name := range regexp.MustCompile(`\bwes_[a-z_]+\b`).FindAll(text, -1) {
			_, plain := all[string(name)]
			if _, histogram := all[string(name)+"_count"]; !plain && !histogram {
				t.Errorf("no node shows %s", name)
			}
		}
	}
}

func TestBadAlertsAreNoticed(t *testing.T) {
	all := known(t)
	good := rule{
		Alert: "NoPeers", Expr: "wes_sync_peers == 0", For: "5m", Labels: map[string]string{"severity": "info"},
		Annotations: map[string]string{"summary": "{{ $labels.instance }}", "description": "text"},
	}
	if bad := badRule(&good, all); len(bad) > 0 {
		t.Fatal(bad)
	}
	for what, change := range map[string]func(*rule){
		"name":     func(r *rule) { r.Alert = "no peers" },
		"query":    func(r *rule) { r.Expr = "wes_peers == 0" },
		"severity": func(r *rule) { r.Labels = map[string]string{"severity": "high"} },
		"for":      func(r *rule) { r.For = "soon" },
		"summary":  func(r *rule) { r.Annotations = map[string]string{"description": "text"} },
		"template": func(r *rule) {
			r.Annotations = map[string]string{"summary": "{{ $labels.model }}", "description": "text"}
		},
	} {
		r := good
		change(&r)
		if len(badRule(&r, all)) == 0 {
			t.Errorf("%s: nothing is wrong with %+v", what, r)
		}
	}
}
