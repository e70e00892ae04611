package report

import "slices"

// Version is that of the JSON form of a Report. It grows when a field changes its meaning
// or goes away.
const Version = 1

// Report is everything one call measured.
type Report struct {
	Version  int       `json:"version"`
	Time     string    `json:"time"` // of the start, RFC 3339, UTC
	Seed     uint64    `json:"seed"`
	Quick    bool      `json:"quick,omitempty"` // small sizes: a test of the benchmark, nothing to publish
	Machine  Machine   `json:"machine"`
	Devices  []Device  `json:"devices"`
	Versions Versions  `json:"versions"`
	Results  []Result  `json:"results"`
	Missing  []Missing `json:"missing,omitempty"`
}

// Machine is where a report was measured.
type Machine struct {
	CPU    string `json:"cpu"`
	Flags  string `json:"vector_extensions"`
	Cores  int    `json:"cores"` // that Go uses
	Memory int64  `json:"memory_bytes"`
	System string `json:"system"`
	Go     string `json:"go"`
}

// Device is an accelerator of the machine.
type Device struct {
	UUID   string `json:"uuid"`
	Name   string `json:"name"`
	Driver string `json:"driver"`
	Memory int64  `json:"memory_bytes"`
	Start  int    `json:"start_celsius"` // temperature before the first case, 0 if it is not known
	End    int    `json:"end_celsius"`   // temperature after the last case, 0 if it is not known
}

// Versions are those of the code that was measured, empty for what this build or machine has
// not.
type Versions struct {
	WES         string `json:"wes"` // revision of the source
	Gnark       string `json:"gnark"`
	GnarkCrypto string `json:"gnark_crypto"`
	ICICLE      string `json:"icicle"`
	ONNXRuntime string `json:"onnx_runtime"`
}

// Result is what the runs of a case measured.
type Result struct {
	Suite      string           `json:"suite"`
	Case       string           `json:"case"`
	Title      string           `json:"title"`
	Series     string           `json:"series,omitempty"` // cases of one series differ in one respect, and are plotted as a line
	Engine     string           `json:"engine"`
	Parameters map[string]int64 `json:"parameters"` // sizes, and counts of the work
	Elsewhere  string           `json:"elsewhere,omitempty"`
	Input      string           `json:"input_sha256"`
	Runs       int              `json:"runs"`
	Metrics    []Metric         `json:"metrics"`
}

// Unit is what a metric's values count.
type Unit string

// The units.
const (
	Seconds Unit = "s"
	Bytes   Unit = "bytes"
	Cores   Unit = "cores" // of a processor, kept busy
	Share   Unit = "share" // a part of a whole
)

// Metric is one quantity of a case, smaller being better.
type Metric struct {
	Name     string    `json:"name"`
	Unit     Unit      `json:"unit"`
	Median   float64   `json:"median"`
	Min      float64   `json:"min"`
	Max      float64   `json:"max"`
	Values   []float64 `json:"values"` // by run; one value where it was measured once
	Baseline *Baseline `json:"baseline,omitempty"`
	Goal     float64   `json:"goal,omitempty"` // of the design, 0 for none
}

// Baseline is what another implementation took for the same input in the same runs.
type Baseline struct {
	Name   string    `json:"name"`
	Median float64   `json:"median"`
	Values []float64 `json:"values"` // by run
	Ratio  float64   `json:"ratio"`  // median over the runs of the metric over the baseline: below 1 is faster
}

// Missing is a case, an engine or a suite that gave no result.
type Missing struct {
	Suite  string `json:"suite"`
	Case   string `json:"case,omitempty"`   // empty: the whole suite
	Engine string `json:"engine,omitempty"` // empty: all engines
	Reason string `json:"reason"`
	Failed bool   `json:"failed,omitempty"` // it ought to have worked
}

// Failed tells whether something went wrong that ought to have worked.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Missing, func(m Missing) bool { return m.Failed })
}

// Metric finds a metric by name, nil if the result has none.
func (r *Result) Metric(name string) *Metric {
	for i := range r.Metrics {
		if r.Metrics[i].Name == name {
			return &r.Metrics[i]
		}
	}
	return nil
}

// median is that of a metric, 0 if the result has none.
func (r *Result) median(name string) float64 {
	if m := r.Metric(name); m != nil {
		return m.Median
	}
	return 0
}

// Of lists the results of a suite.
func (r *Report) Of(suite string) []*Result {
	var list []*Result
	for i := range r.Results {
		if r.Results[i].Suite == suite {
			list = append(list, &r.Results[i])
		}
	}
	return list
}
