package report

import (
	"slices"
	"strings"
	"testing"
)

func TestVerdictsFollowTheSpreads(t *testing.T) {
	metric := func(values ...float64) *Metric {
		m := &Metric{Values: values}
		m.Summarise()
		return m
	}
	for _, c := range []struct {
		a, b *Metric
		want Verdict
	}{
		{metric(2, 3), metric(1, 1.9), Less},
		{metric(2, 3), metric(3.1, 9), More},
		{metric(2, 3), metric(1, 2), WithinNoise},
		{metric(2, 3), metric(2.1, 2.9), WithinNoise},
		{metric(2), metric(1, 1.9), Unclear},
	} {
		if got := verdict(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %s, want %s", c.a.Values, c.b.Values, got, c.want)
		}
	}
}

func TestAReportIsWithinItsOwnNoise(t *testing.T) {
	c := Compare(sample(), sample())
	if len(c.Conditions)+len(c.OnlyA)+len(c.OnlyB) > 0 {
		t.Errorf("%+v", c)
	}
	for _, d := range c.Differences {
		if d.Ratio != 1 || d.Verdict != WithinNoise && d.Verdict != Unclear {
			t.Errorf("%+v", d)
		}
	}
}

func TestComparisonSaysWhatElseDiffers(t *testing.T) {
	a, b := sample(), sample()
	b.Machine.Cores, b.Devices, b.Versions.WES, b.Seed = 4, nil, "def", 8
	b.Results[0].Case = "new"
	b.Results[1].Input = strings.Repeat("ab", 32)
	c := Compare(a, b)
	var names []string
	for _, d := range c.Conditions {
		names = append(names, d.Name)
	}
	if want := []string{"machine", "devices", "wes", "seed"}; !slices.Equal(names, want) {
		t.Errorf("conditions %v, want %v", names, want)
	}
	if !slices.Equal(c.OnlyA, []string{"msm, a, cpu"}) || !slices.Equal(c.OnlyB, []string{"msm, new, cpu"}) {
		t.Errorf("only in A %v, only in B %v", c.OnlyA, c.OnlyB)
	}
	if c.Differences[0].Verdict != OtherInput {
		t.Errorf("%+v", c.Differences[0])
	}
}

func TestComparisonShowsBothRatiosToTheBaseline(t *testing.T) {
	a, b := sample(), sample()
	m := &b.Results[0].Metrics[0]
	for i := range m.Values {
		m.Values[i] /= 2
	}
	m.Summarise()
	d := Compare(a, b).Differences[0]
	if d.Ratio != .5 || d.RatioA != .5 || d.RatioB != .25 || d.Verdict != Less {
		t.Errorf("%+v", d)
	}
}
