package works

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/trade"
)

// series lists those of some metrics, with their labels.
func series(t *testing.T, g prometheus.Gatherer, prefix string) string {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range families {
		for _, m := range f.Metric {
			text := strings.TrimPrefix(f.GetName(), prefix)
			for _, l := range m.Label {
				text += " " + l.GetValue()
			}
			if strings.HasPrefix(f.GetName(), prefix) && len(m.Label) > 0 {
				all = append(all, text)
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// TestMetricsFollowProgramsAndDevices: what is gone leaves no series behind.
func TestMetricsFollowProgramsAndDevices(t *testing.T) {
	r := prometheus.NewRegistry()
	m, err := newMetrics(r, func() counts { return counts{} })
	if err != nil {
		t.Fatal(err)
	}
	p := &trade.Program{Content: "cid", Kind: chain.JobInfer}
	m.joined(&fleet.Slot{Device: "gpu", Class: "h", Memory: 7})
	m.ran(p, "gpu", &result{Took: 30, Memory: 5, Stages: []stage{{Name: "commit", Took: 1000}}}, 20)
	const device = "device_memory_bytes h gpu"
	for _, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, device + ", estimate_ratio gpu infer cid, heap_bytes gpu, stage_seconds gpu infer cid commit"},
		{func() { m.withdrawn(p) }, device + ", heap_bytes gpu"},
		{func() { m.ran(p, "gpu", &result{Took: 30}, 0) }, device + ", heap_bytes gpu"}, // without an estimate
		{func() { m.left("gpu") }, ""},
	} {
		step.do()
		if got := series(t, r, "wes_works_"); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
}
