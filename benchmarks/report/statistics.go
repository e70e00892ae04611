package report

import "slices"

// Reading is the value of a metric in one run.
type Reading struct {
	Metric   string
	Unit     Unit
	Value    float64
	Against  string  // name of the baseline, empty for none
	Baseline float64 // what the baseline took in the same run
}

// Add appends the readings of a run.
func (r *Result) Add(readings []Reading) {
	for _, x := range readings {
		m := r.Metric(x.Metric)
		if m == nil {
			r.Metrics = append(r.Metrics, Metric{Name: x.Metric, Unit: x.Unit})
			m = &r.Metrics[len(r.Metrics)-1]
			if x.Against != "" {
				m.Baseline = &Baseline{Name: x.Against}
			}
		}
		m.Values = append(m.Values, x.Value)
		if m.Baseline != nil {
			m.Baseline.Values = append(m.Baseline.Values, x.Baseline)
		}
	}
}

// Summarise computes what follows from the values.
func (m *Metric) Summarise() {
	m.Median, m.Min, m.Max = median(m.Values), slices.Min(m.Values), slices.Max(m.Values)
	if m.Baseline != nil {
		m.Baseline.Median, m.Baseline.Ratio = median(m.Baseline.Values), pairedRatio(m.Values, m.Baseline.Values)
	}
}

// median is the middle value, or the mean of the two middle ones.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

// pairedRatio is the median of a[i]/b[i].
func pairedRatio(a, b []float64) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}
