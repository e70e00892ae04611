package report

import (
	"fmt"
	"strconv"
	"strings"
)

// none stands in a table for what was not measured.
const none = "—"

// text shows a value of a unit with three digits.
func (u Unit) text(v float64) string {
	switch u {
	case Bytes:
		return bytesText(v)
	case Cores, Share:
		return digits(100*v) + " %"
	}
	return secondsText(v)
}

func secondsText(s float64) string {
	switch {
	case s < 0: // a difference
		return "-" + secondsText(-s)
	case s < 1e-6:
		return digits(s*1e9) + " ns"
	case s < 1e-3:
		return digits(s*1e6) + " µs"
	case s < 1:
		return digits(s*1e3) + " ms"
	}
	return digits(s) + " s"
}

func bytesText(v float64) string {
	switch {
	case v >= 1e9:
		return digits(v/1e9) + " GB"
	case v >= 1e6:
		return digits(v/1e6) + " MB"
	case v >= 1e3:
		return digits(v/1e3) + " kB"
	}
	return digits(v) + " B"
}

func countText(v float64) string {
	switch {
	case v >= 1e9:
		return digits(v/1e9) + " G"
	case v >= 1e6:
		return digits(v/1e6) + " M"
	case v >= 1e3:
		return digits(v/1e3) + " k"
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func digits(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// short drops the decimals of a round number.
func short(text string) string {
	for _, zeros := range []string{".00", ".0"} {
		text = strings.Replace(text, zeros+" ", " ", 1)
	}
	return text
}

// middle is a metric's median, spread its least and largest value; m may be nil.
func (m *Metric) middle() string {
	if m == nil {
		return none
	}
	return m.Unit.text(m.Median)
}

func (m *Metric) spread() string {
	if m == nil || len(m.Values) < 2 {
		return none
	}
	return m.Unit.text(m.Min) + " – " + m.Unit.text(m.Max)
}

// against is the baseline's median, ratio what the metric takes of it.
func (m *Metric) against() string {
	if m == nil || m.Baseline == nil {
		return none
	}
	return m.Unit.text(m.Baseline.Median)
}

func (m *Metric) ratio() string {
	if m == nil || m.Baseline == nil {
		return none
	}
	return fmt.Sprintf("%.3f", m.Baseline.Ratio)
}

// withGoal shows a median next to the design's goal.
func (m *Metric) withGoal() string {
	if m == nil || m.Goal == 0 {
		return m.middle()
	}
	return fmt.Sprintf("%s (%.2f of %s)", m.middle(), m.Median/m.Goal, short(m.Unit.text(m.Goal)))
}

// Text shows a value of the metric with its unit.
func (m *Metric) Text(v float64) string { return m.Unit.text(v) }
