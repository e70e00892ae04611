package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Section is a table of a report, with what belongs to it. The first row is the head.
type Section struct {
	Title string
	Note  string
	Rows  [][]string
	Plots []Plot
}

// Plot is a diagram with logarithmic axes, but for that of ratios, which begins at 0.
type Plot struct {
	Title, X, Y string
	Lines       []Line
}

// Line is a set of points of a plot, in the order of x.
type Line struct {
	Name   string
	Points []Point
	Dots   bool // points that no line connects
}

// The parameters that say how large a case is.
const (
	Points      = "points"
	Values      = "values"
	Constraints = "constraints"
	// Transactions is how many a measured block or chain has.
	Transactions = "transactions"
	// Jobs is how many jobs of the market a run makes.
	Jobs = "jobs"
)

// The series of models that show what proving time grows with.
const (
	ByActivations = "activations"
	ByMACs        = "multiply-accumulates"
)

// What the other axes of plots count.
const (
	axisSeconds = "seconds"
	axisRatio   = "ratio"
)

// Point is positive in both coordinates.
type Point struct{ X, Y float64 }

// Sections are the tables of a report, suite by suite; suites without results have none.
func (r *Report) Sections() []Section {
	var list []Section
	for _, s := range [][]Section{
		kernelSections("Multi-scalar multiplication", Points, r.Of("msm")),
		kernelSections("Number-theoretic transform", Values, r.Of("ntt")),
		circuitSections(slices.Concat(r.Of("groth16"), r.Of("plonk"))),
		inferenceSections(r),
		ledgerSections(r.Of("ledger")),
		networkSections(r.Of("network")),
		marketSections(r.Of("market")),
		executionSections(r.Of("onnx")),
	} {
		list = append(list, s...)
	}
	return list
}

// kernelSections show the metric "time" of cases that have a baseline, by size, which is a
// parameter.
func kernelSections(title, size string, results []*Result) []Section {
	if len(results) == 0 {
		return nil
	}
	s := Section{Title: title, Note: "Ratio: the median over the runs of the time over that of the baseline in the same run, for the same result. Below 1 is faster. " +
		"A run of short calls makes as many as take 50 ms."}
	s.Rows = [][]string{{"case", "engine", "time", "least – most", "gnark-crypto", "ratio"}}
	for _, x := range results {
		m := x.Metric("time")
		s.Rows = append(s.Rows, []string{x.Title, x.Engine, m.middle(), m.spread(), m.against(), m.ratio()})
	}
	times, ratios := kernelLines(size, results)
	s.Plots = []Plot{
		{Title: "Time for each " + strings.TrimSuffix(size, "s"), X: size, Y: axisSeconds, Lines: times},
		{Title: "Time over that of gnark-crypto", X: size, Y: axisRatio, Lines: ratios},
	}
	return []Section{s}
}

// kernelLines are times by size and ratios, by series and engine. A batch is no point of the
// times.
func kernelLines(size string, results []*Result) (times, ratios []Line) {
	for _, x := range results {
		m := x.Metric("time")
		if m == nil || m.Baseline == nil {
			continue
		}
		at, name := float64(x.Parameters[size]), x.Series+", "+x.Engine
		batch := x.Parameters["batch"] > 1
		ratios = extend(ratios, Line{Name: name, Dots: batch}, Point{at, m.Baseline.Ratio})
		if !batch {
			times = extend(times, Line{Name: name}, Point{at, m.Median / at})
		}
	}
	// The same series has the same place, and so the same colour, in both.
	slices.SortStableFunc(ratios, func(a, b Line) int { return cmp.Compare(rank(a), rank(b)) })
	return times, ratios
}

// rank puts points that no line connects last.
func rank(l Line) int {
	if l.Dots {
		return 1
	}
	return 0
}

// extend adds a point to the line of that name, or begins it. Points that a logarithmic
// axis cannot show are left out.
func extend(lines []Line, l Line, p Point) []Line {
	if p.X <= 0 || p.Y <= 0 {
		return lines
	}
	i := slices.IndexFunc(lines, func(x Line) bool { return x.Name == l.Name })
	if i < 0 {
		lines, i = append(lines, l), len(lines)
	}
	lines[i].Points = append(lines[i].Points, p)
	return lines
}

// circuitSections show proofs of circuits.
func circuitSections(results []*Result) []Section {
	if len(results) == 0 {
		return nil
	}
	s := Section{Title: "Proofs of circuits", Note: "Prove: in the process that keeps the keys, from the arrival of the witness to the encoded proof. " +
		"Gnark: the same by calling gnark directly; the ratio is that of the runs. Second start: what a further job with the same keys takes " +
		"until gnark proves. Job: from asking for the proof to having it verified. Load: reading the keys for the first job. " +
		"Setup: only where this run made the keys."}
	s.Rows = [][]string{{"circuit", "engine", "prove", "least – most", "gnark", "ratio", "second start", "job", "verify", "proof", "load", "setup"}}
	var lines []Line
	for _, x := range results {
		m := x.Metric("prove")
		row := []string{x.Title, x.Engine, m.middle(), m.spread(), m.against(), m.ratio()}
		for _, name := range []string{"second_start", "job", "verify", "proof", "load", "setup"} {
			row = append(row, x.Metric(name).middle())
		}
		s.Rows = append(s.Rows, row)
		lines = extend(lines, Line{Name: x.Series + ", " + x.Engine}, Point{float64(x.Parameters[Constraints]), x.median("prove")})
	}
	s.Plots = []Plot{{Title: "Proving time by constraints", X: Constraints, Y: axisSeconds, Lines: lines}}
	return []Section{s}
}

// executionSections show inference on ONNX Runtime.
func executionSections(results []*Result) []Section {
	if len(results) == 0 {
		return nil
	}
	s := Section{Title: "Inference on ONNX Runtime", Note: "Start: a process with the library, until it passed its self-test. Load: the model. Neither is part of an inference."}
	s.Rows = [][]string{{"model", "provider", "inference", "least – most", "MACs", "MAC/s", "start", "load"}}
	var lines []Line
	for _, x := range results {
		m, macs := x.Metric("inference"), float64(x.Parameters["macs"])
		rate := none
		if m != nil && m.Median > 0 {
			rate = countText(macs / m.Median)
			lines = extend(lines, Line{Name: x.Engine, Dots: true}, Point{macs, m.Median})
		}
		s.Rows = append(s.Rows, []string{x.Title, x.Engine, m.middle(), m.spread(), countText(macs), rate, x.Metric("start").middle(), x.Metric("load").middle()})
	}
	s.Plots = []Plot{{Title: "Inference by multiply-accumulates", X: "multiply-accumulates", Y: axisSeconds, Lines: lines}}
	return []Section{s}
}

// Conditions say where and with what a report was measured, one sentence each.
func (r *Report) Conditions() []string {
	list := []string{
		fmt.Sprintf("%s (%s), %d cores, %s; %s, %s.", cmp.Or(r.Machine.CPU, "unknown"), cmp.Or(r.Machine.Flags, "unknown"), r.Machine.Cores, bytesText(float64(r.Machine.Memory)), r.Machine.System, r.Machine.Go),
	}
	for _, d := range r.Devices {
		list = append(list, fmt.Sprintf("%s, %s, driver %s, UUID %s, %s before and %s after.", d.Name, bytesText(float64(d.Memory)), cmp.Or(d.Driver, "unknown"), d.UUID, celsius(d.Start), celsius(d.End)))
	}
	if len(r.Devices) == 0 {
		list = append(list, "No accelerator.")
	}
	list = append(list, "Measured "+r.Time+" with "+r.Versions.String()+fmt.Sprintf("; seed %d.", r.Seed))
	if r.Quick {
		list = append(list, "A quick run with the smallest sizes: it shows that the benchmark works, not how fast the program is.")
	}
	return list
}

// String lists what there is.
func (v Versions) String() string {
	parts := []string{"wes " + v.WES}
	for _, p := range [][2]string{{"gnark", v.Gnark}, {"gnark-crypto", v.GnarkCrypto}, {"ICICLE", v.ICICLE}, {"ONNX Runtime", v.ONNXRuntime}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	return strings.Join(parts, ", ")
}

func celsius(degrees int) string {
	if degrees == 0 {
		return "unknown temperature"
	}
	return fmt.Sprintf("%d °C", degrees)
}

// Gaps are what was not measured and why, as a table; none when there is nothing to say.
func (r *Report) Gaps() [][]string {
	if len(r.Missing) == 0 {
		return nil
	}
	rows := [][]string{{"suite", "case", "engine", "why"}}
	for _, m := range r.Missing {
		why := m.Reason
		if m.Failed {
			why = "failed: " + why
		}
		rows = append(rows, []string{m.Suite, cmp.Or(m.Case, "all"), cmp.Or(m.Engine, "all"), why})
	}
	return rows
}
