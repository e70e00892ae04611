package node

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain/chaintest"
)

// recorder is a registry that remembers what was registered, with the types of vectors that have no
// values yet.
type recorder struct {
	*prometheus.Registry
	t    *testing.T
	seen map[string]*described
}

// described is what docs/metrics.md says of a metric.
type described struct {
	name, kind, help string
	labels           []string
	by               []string // kinds of nodes
}

var _ Registry = (*recorder)(nil)

func newRecorder(t *testing.T) *recorder {
	return &recorder{prometheus.NewRegistry(), t, map[string]*described{}}
}

func (r *recorder) Register(c prometheus.Collector) error {
	all := make(chan *prometheus.Desc, 16)
	go func() { defer close(all); c.Describe(all) }()
	for d := range all {
		r.note(d, c)
	}
	return r.Registry.Register(c)
}

func (r *recorder) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := r.Register(c); err != nil {
			r.t.Error(err)
		}
	}
}

// vectorType is the type of a vector; empty of what says it itself.
func vectorType(c prometheus.Collector) string {
	switch c.(type) {
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.GaugeVec:
		return "gauge"
	case *prometheus.HistogramVec:
		return "histogram"
	}
	return ""
}

// read fills in the types of what has values.
func (r *recorder) read() {
	families, err := r.Gather()
	if err != nil {
		r.t.Error(err)
	}
	for _, f := range families {
		if m := r.seen[f.GetName()]; m != nil {
			m.kind = strings.ToLower(f.GetType().String())
		} else {
			r.t.Errorf("%s was not described", f.GetName())
		}
	}
	for name, m := range r.seen {
		if m.kind == "" {
			r.t.Errorf("%s has no type", name)
		}
	}
}

// descText is how a description prints itself: nothing else shows its parts.
var descText = regexp.MustCompile(`^Desc\{fqName: ("[^"]*"), help: ("(?:[^"\\]|\\.)*"), constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

func (r *recorder) note(d *prometheus.Desc, c prometheus.Collector) {
	parts := descText.FindStringSubmatch(d.String())
	if parts == nil {
		r.t.Fatalf("the description %s has another form", d)
	}
	m := &described{kind: vectorType(c)}
	var err error
	if m.name, err = strconv.Unquote(parts[1]); err != nil {
		r.t.Fatal(err)
	}
	if m.help, err = strconv.Unquote(parts[2]); err != nil {
		r.t.Fatal(err)
	}
	for s := range strings.SplitSeq(parts[3]+","+parts[4], ",") {
		if label, _, _ := strings.Cut(s, "="); label != "" {
			m.labels = append(m.labels, label)
		}
	}
	slices.Sort(m.labels)
	if old := r.seen[m.name]; old != nil && (old.help != m.help || !slices.Equal(old.labels, m.labels)) {
		r.t.Errorf("%s is registered twice, and differs", m.name)
	}
	r.seen[m.name] = m
}

// metricsOf opens a node and returns what it can show.
func metricsOf(t *testing.T, p *place, change func(*Config)) map[string]*described {
	t.Helper()
	r := newRecorder(t)
	c := p.config("home")
	change(&c)
	n := p.open(c, Options{
		Version: "test", Registry: r, Key: func(context.Context, string) (Signer, error) { return chaintest.NewWallet("alice"), nil },
	})
	r.read()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	return r.seen
}

// documented are the metrics of all kinds of nodes, each with the settings that it takes.
func documented(t *testing.T) []*described {
	t.Helper()
	network, _ := funded(t)
	network.Profile = "public"
	p := newPlace(t, network)
	base := metricsOf(t, p, func(*Config) {})
	all := map[string]*described{}
	for _, k := range []struct {
		setting string
		shown   map[string]*described
	}{
		{"", base},
		{"mine", metricsOf(t, p, func(c *Config) { c.Mine, c.MinerKey = true, "alice" })},
		{"market_key", metricsOf(t, p, func(c *Config) { c.MarketKey = "alice" })},
		{"sell", metricsOf(t, p, func(c *Config) { c.MarketKey, c.Sell = "alice", true })},
	} {
		for name := range base {
			if k.shown[name] == nil {
				t.Errorf("with %s there is no %s", k.setting, name)
			}
		}
		for name, m := range k.shown {
			if all[name] == nil {
				m.by = []string{k.setting}
				all[name] = m
			}
		}
	}
	var sorted []*described
	for _, m := range all {
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(a, b *described) int { return strings.Compare(a.name, b.name) })
	return sorted
}

func metricsReference(all []*described) string {
	var b strings.Builder
	b.WriteString(`# Metrics of a node

Made from the code; see package node. The API shows them at /metrics, in the text format of
Prometheus. Counters only grow while a process runs. A histogram has a bound in the label le, and
the series _bucket, _sum and _count. Base units are the smallest part of a WES: 100,000,000 make one.

Metrics of the market, of proving, of devices and of the wallet join on the labels instance, which
Prometheus adds, job_kind (infer, prove), device_uuid and model (the CID). A setting in the third
column is what a node needs to show the metric; docker/ has dashboards and alert rules. The program wes shows
those of the Go runtime and of its process beside them: go_ and process_.

| metric | type | needs | labels | what |
|---|---|---|---|---|
`)
	for _, m := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", m.name, m.kind, m.by[0], strings.Join(m.labels, ", "), strings.ReplaceAll(m.help, "|", `\|`))
	}
	return b.String()
}

// TestMetricsAreDocumented holds docs/metrics.md to what nodes register.
func TestMetricsAreDocumented(t *testing.T) {
	const file = "../docs/metrics.md"
	all := documented(t)
	want := metricsReference(all)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != want {
		t.Error("docs/metrics.md is out of date: go test ./node -run Documented -update")
	}
	helps := map[string]string{}
	for _, m := range all {
		for _, problem := range badMetric(m) {
			t.Errorf("%s: %s", m.name, problem)
		}
		if other := helps[m.help]; other != "" {
			t.Errorf("%s and %s have the same help", m.name, other)
		}
		helps[m.help] = m.name
	}
}

// units are the suffixes of metrics that are no counts; see
// https://prometheus.io/docs/practices/naming.
var units = []string{"_seconds", "_bytes", "_units", "_ratio", "_info"}

// measures are words that a help begins with whose metric has a unit.
var measures = map[string]string{
	"Time": "_seconds", "Age": "_seconds", "Bytes": "_bytes", "Memory": "_bytes", "Heap": "_bytes", "Prices": "_units",
}

// badMetric says what is wrong with the name, labels or help of a metric.
func badMetric(m *described) []string {
	var all []string
	unless := func(ok bool, problem string) {
		if !ok {
			all = append(all, problem)
		}
	}
	stem, total := strings.CutSuffix(m.name, "_total")
	unit := slices.ContainsFunc(units, func(u string) bool { return strings.HasSuffix(stem, u) })
	word, _, _ := strings.Cut(m.help, " ")
	unless(regexp.MustCompile(`^wes_[a-z0-9]+(_[a-z0-9]+)+$`).MatchString(m.name), "the name is not wes, a subsystem and what it is")
	unless(regexp.MustCompile(`^[A-Z0-9].*\.$`).MatchString(m.help), "the help is no sentence")
	unless(total == (m.kind == "counter"), "counters end in _total, and nothing else does")
	unless(m.kind != "histogram" || unit, "a histogram has no unit")
	if suffix, measured := measures[word]; measured {
		unless(strings.HasSuffix(stem, suffix) || strings.HasSuffix(stem, "_ratio"), "the help speaks of what "+suffix+" is for")
	}
	for _, l := range m.labels {
		unless(regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(l), "label "+l)
	}
	return all
}

func TestBadMetricsAreNoticed(t *testing.T) {
	good := described{name: "wes_works_stage_seconds", kind: "histogram", help: "Time of stages.", labels: []string{"device_uuid"}}
	if bad := badMetric(&good); len(bad) > 0 {
		t.Errorf("a good one: %v", bad)
	}
	for what, change := range map[string]func(*described){
		"prefix":    func(m *described) { m.name = "works_stage_seconds" },
		"subsystem": func(m *described) { m.name = "wes_seconds" },
		"unit":      func(m *described) { m.name = "wes_works_stage" },
		"measure":   func(m *described) { m.name, m.kind = "wes_works_stage", "gauge" },
		"total":     func(m *described) { m.kind = "counter" },
		"no total":  func(m *described) { m.name, m.kind = "wes_works_seconds_total", "gauge" },
		"no help":   func(m *described) { m.help = "" },
		"label":     func(m *described) { m.labels = []string{"Device"} },
	} {
		m := good
		change(&m)
		if len(badMetric(&m)) == 0 {
			t.Errorf("%s: nothing is wrong with %+v", what, m)
		}
	}
}
