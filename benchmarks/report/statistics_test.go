package report

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestMedianSplitsTheValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1e6), 1, 20).Draw(t, "values")
		before := slices.Clone(values)
		m := median(values)
		below, above := 0, 0
		for _, v := range values {
			if v < m {
				below++
			}
			if v > m {
				above++
			}
		}
		if below > len(values)/2 || above > len(values)/2 {
			t.Fatalf("%d of %d values are below %v, %d above", below, len(values), m, above)
		}
		if !slices.Equal(values, before) {
			t.Fatal("values were reordered")
		}
	})
}

func TestRatioIsThatOfThePairs(t *testing.T) {
	// A machine that is ten times slower in one run changes neither ratio nor its median.
	m := Metric{Values: []float64{1, 20, 3}, Baseline: &Baseline{Values: []float64{2, 40, 6}}}
	m.Summarise()
	if m.Baseline.Ratio != .5 || m.Median != 3 || m.Min != 1 || m.Max != 20 || m.Baseline.Median != 6 {
		t.Errorf("%+v, baseline %+v", m, m.Baseline)
	}
}

func TestReadingsGoToTheirMetrics(t *testing.T) {
	var r Result
	r.Add([]Reading{{Metric: "a", Unit: Seconds, Value: 1, Against: "x", Baseline: 2}, {Metric: "b", Unit: Bytes, Value: 3}})
	r.Add([]Reading{{Metric: "b", Unit: Bytes, Value: 4}, {Metric: "a", Unit: Seconds, Value: 5, Against: "x", Baseline: 6}})
	a, b := r.Metric("a"), r.Metric("b")
	if !slices.Equal(a.Values, []float64{1, 5}) || !slices.Equal(a.Baseline.Values, []float64{2, 6}) || !slices.Equal(b.Values, []float64{3, 4}) || b.Baseline != nil {
		t.Errorf("%+v", r.Metrics)
	}
}

func TestFiguresHaveThreeDigits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{secondsText(0), "0.00 ns"},
		{secondsText(.0000005), "500 ns"},
		{secondsText(-.0025), "-2.50 ms"},
		{secondsText(.0000123), "12.3 µs"},
		{secondsText(.01234), "12.3 ms"},
		{secondsText(123.4), "123 s"},
		{bytesText(999), "999 B"},
		{bytesText(15_000), "15.0 kB"},
		{bytesText(3.32e9), "3.32 GB"},
		{countText(91_800), "91.8 k"},
		{countText(7), "7"},
		{ticks(axisSeconds).label(.01, 0), "10 ms"},
		{ticks(Points).label(1024, 10), "2^10"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestTicksLieOnTheAxis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := math.Pow(10, rapid.Float64Range(-6, 9).Draw(t, "least"))
		most := least * rapid.Float64Range(1.5, 1e6).Draw(t, "factor")
		for _, label := range []ticks{axisSeconds, Points} {
			list := label.Ticks(least, most)
			for _, x := range list {
				if x.Value < least || x.Value > most {
					t.Fatalf("tick %v outside [%v, %v]", x.Value, least, most)
				}
			}
			if len(list) == 0 && most/least > 10 {
				t.Fatalf("no tick in [%v, %v]", least, most)
			}
		}
	})
}
