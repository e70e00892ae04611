package report

import (
	"fmt"
	"slices"
)

// Verdict is what a comparison says of one metric of a case: what the second report has,
// as seen from the first.
type Verdict string

// The verdicts. Two metrics differ when all values of one are below all values of the other.
const (
	Less        Verdict = "less"
	More        Verdict = "more"
	WithinNoise Verdict = "within noise"
	Unclear     Verdict = "unclear"     // measured once, so that nothing is known of the noise
	OtherInput  Verdict = "other input" // the inputs differ, so the values may for that reason
)

// Difference is one metric of a case in two reports.
type Difference struct {
	Suite   string  `json:"suite"`
	Case    string  `json:"case"`
	Engine  string  `json:"engine"`
	Metric  string  `json:"metric"`
	Unit    Unit    `json:"unit"`
	A       float64 `json:"a_median"`
	B       float64 `json:"b_median"`
	Ratio   float64 `json:"ratio"`             // of B over A, 0 if A is 0
	RatioA  float64 `json:"a_ratio,omitempty"` // of A over its baseline
	RatioB  float64 `json:"b_ratio,omitempty"`
	Verdict Verdict `json:"verdict"`
}

// Comparison is report B as seen from report A.
type Comparison struct {
	Conditions  []Condition  `json:"conditions"` // that differ
	Differences []Difference `json:"differences"`
	OnlyA       []string     `json:"only_a,omitempty"`
	OnlyB       []string     `json:"only_b,omitempty"`
}

// Condition is a circumstance in which two reports differ.
type Condition struct {
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// key names what is compared with what.
type key struct{ suite, name, engine string }

func keyOf(r *Result) key { return key{r.Suite, r.Case, r.Engine} }

func (k key) String() string { return fmt.Sprintf("%s, %s, %s", k.suite, k.name, k.engine) }

// Compare sets two reports side by side.
func Compare(a, b *Report) *Comparison {
	c := &Comparison{Conditions: conditions(a, b), Differences: []Difference{}}
	others := map[key]*Result{}
	for i := range b.Results {
		others[keyOf(&b.Results[i])] = &b.Results[i]
	}
	for i := range a.Results {
		x := &a.Results[i]
		y := others[keyOf(x)]
		if y == nil {
			c.OnlyA = append(c.OnlyA, keyOf(x).String())
			continue
		}
		delete(others, keyOf(x))
		c.Differences = append(c.Differences, differences(x, y)...)
	}
	for i := range b.Results {
		if k := keyOf(&b.Results[i]); others[k] != nil {
			c.OnlyB = append(c.OnlyB, k.String())
		}
	}
	return c
}

func conditions(a, b *Report) []Condition {
	list := []Condition{
		{"machine", a.Machine.String(), b.Machine.String()},
		{"Go", a.Machine.Go, b.Machine.Go},
		{"devices", deviceNames(a.Devices), deviceNames(b.Devices)},
		{"wes", a.Versions.WES, b.Versions.WES},
		{"gnark", a.Versions.Gnark, b.Versions.Gnark},
		{"gnark-crypto", a.Versions.GnarkCrypto, b.Versions.GnarkCrypto},
		{"ICICLE", a.Versions.ICICLE, b.Versions.ICICLE},
		{"ONNX Runtime", a.Versions.ONNXRuntime, b.Versions.ONNXRuntime},
		{"seed", fmt.Sprint(a.Seed), fmt.Sprint(b.Seed)},
		{"quick", fmt.Sprint(a.Quick), fmt.Sprint(b.Quick)},
	}
	return slices.DeleteFunc(list, func(c Condition) bool { return c.A == c.B })
}

// String names what makes one machine faster than another.
func (m Machine) String() string {
	return fmt.Sprintf("%s (%s), %d cores, %s, %s", m.CPU, m.Flags, m.Cores, bytesText(float64(m.Memory)), m.System)
}

// deviceNames lists devices with what tells them apart, in the order of the report.
func deviceNames(devices []Device) string {
	text := ""
	for i, d := range devices {
		if i > 0 {
			text += "; "
		}
		text += fmt.Sprintf("%s %s, driver %s", d.Name, d.UUID, d.Driver)
	}
	return text
}

func differences(x, y *Result) []Difference {
	var list []Difference
	for i := range x.Metrics {
		m := &x.Metrics[i]
		n := y.Metric(m.Name)
		if n == nil || n.Unit != m.Unit {
			continue
		}
		d := Difference{Suite: x.Suite, Case: x.Case, Engine: x.Engine, Metric: m.Name, Unit: m.Unit, A: m.Median, B: n.Median}
		if m.Median > 0 {
			d.Ratio = n.Median / m.Median
		}
		if m.Baseline != nil && n.Baseline != nil && m.Baseline.Name == n.Baseline.Name {
			d.RatioA, d.RatioB = m.Baseline.Ratio, n.Baseline.Ratio
		}
		d.Verdict = verdict(m, n)
		if x.Input != y.Input {
			d.Verdict = OtherInput
		}
		list = append(list, d)
	}
	return list
}

func verdict(a, b *Metric) Verdict {
	switch {
	case len(a.Values) < 2 || len(b.Values) < 2:
		return Unclear
	case b.Max < a.Min:
		return Less
	case b.Min > a.Max:
		return More
	}
	return WithinNoise
}

// Rows are the differences as a table.
func (c *Comparison) Rows() [][]string {
	rows := [][]string{{"suite", "case", "engine", "metric", "A", "B", "B/A", "A/baseline", "B/baseline", ""}}
	for _, d := range c.Differences {
		ratio := func(v float64) string {
			if v == 0 {
				return none
			}
			return fmt.Sprintf("%.3f", v)
		}
		mark := string(d.Verdict)
		if d.Verdict == WithinNoise {
			mark = ""
		}
		rows = append(rows, []string{
			d.Suite, d.Case, d.Engine, d.Metric, d.Unit.text(d.A), d.Unit.text(d.B),
			ratio(d.Ratio), ratio(d.RatioA), ratio(d.RatioB), mark,
		})
	}
	return rows
}
