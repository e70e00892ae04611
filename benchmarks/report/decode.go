package report

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
)

// The limits of what Decode reads.
const (
	MaxReport  = 64 << 20 // bytes
	maxResults = 10_000
	maxMetrics = 100
	MaxRuns    = 1000
	MaxText    = 4096 // bytes of a text
	maxEntries = 256  // devices, parameters of a result
)

var (
	// ErrReport is returned by Decode for what is not a report of Run.
	ErrReport = errors.New("not a benchmark report")
	// ErrVersion is returned by Decode for a report of another version.
	ErrVersion = errors.New("benchmark report of another version")
)

// Encode is the report as JSON.
func (r *Report) Encode() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	return append(data, '\n'), err
}

// Decode reads a report. It may come from a stranger: sizes are bounded, unknown fields are
// refused, and what follows from the values is computed again and must agree.
func Decode(in io.Reader) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(in, MaxReport+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxReport {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrReport, MaxReport)
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrReport, err)
	}
	if head.Version != Version {
		return nil, fmt.Errorf("%w: version %d, this program reads %d", ErrVersion, head.Version, Version)
	}
	var r Report
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrReport, err)
	}
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReport, err)
	}
	return &r, nil
}

func (r *Report) validate() error {
	if _, err := time.Parse(time.RFC3339, r.Time); err != nil {
		return fmt.Errorf("time: %v", err)
	}
	if r.Machine.Cores < 1 || r.Machine.Memory < 0 {
		return fmt.Errorf("machine of %d cores and %d bytes", r.Machine.Cores, r.Machine.Memory)
	}
	if len(r.Results) > maxResults || len(r.Missing) > maxResults || len(r.Devices) > maxEntries {
		return fmt.Errorf("%d results, %d missing, %d devices", len(r.Results), len(r.Missing), len(r.Devices))
	}
	if err := texts(reflect.ValueOf(*r)); err != nil {
		return err
	}
	seen := map[key]bool{}
	for i := range r.Results {
		x := &r.Results[i]
		k := keyOf(x)
		if err := x.Validate(); err != nil {
			return fmt.Errorf("result %d, %s: %w", i, k, err)
		}
		if seen[k] {
			return fmt.Errorf("result %d, %s: it is there twice", i, k)
		}
		seen[k] = true
	}
	return nil
}

// texts checks every string that a value holds: a terminal may show it.
func texts(v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		if v.Len() > MaxText {
			return fmt.Errorf("text of %d bytes, at most %d", v.Len(), MaxText)
		}
		if strings.ContainsFunc(v.String(), unicode.IsControl) {
			return fmt.Errorf("text with control characters: %q", v.String())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if err := texts(v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := texts(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if err := texts(k); err != nil {
				return err
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return texts(v.Elem())
		}
	}
	return nil
}

// Validate refuses what Decode refuses.
func (r *Result) Validate() error {
	digest, err := hex.DecodeString(r.Input)
	switch {
	case r.Suite == "" || r.Case == "" || r.Title == "" || r.Engine == "":
		return errors.New("suite, case, title and engine have to be named")
	case err != nil || len(digest) != 32:
		return fmt.Errorf("input_sha256 %q", r.Input)
	case r.Runs < 1 || r.Runs > MaxRuns:
		return fmt.Errorf("%d runs, want 1 to %d", r.Runs, MaxRuns)
	case len(r.Metrics) < 1 || len(r.Metrics) > maxMetrics || len(r.Parameters) > maxEntries:
		return fmt.Errorf("%d metrics and %d parameters", len(r.Metrics), len(r.Parameters))
	}
	for name, v := range r.Parameters {
		if v < 0 {
			return fmt.Errorf("parameter %s is %d", name, v)
		}
	}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		if r.Metric(m.Name) != m {
			return fmt.Errorf("metric %q is there twice", m.Name)
		}
		if err := m.validate(r.Runs); err != nil {
			return fmt.Errorf("metric %q: %w", m.Name, err)
		}
	}
	return nil
}

func (m *Metric) validate(runs int) error {
	switch {
	case m.Name == "" || !slices.Contains([]Unit{Seconds, Bytes, Cores, Share}, m.Unit):
		return fmt.Errorf("unit %q", m.Unit)
	case len(m.Values) != runs && len(m.Values) != 1:
		return fmt.Errorf("%d values of %d runs", len(m.Values), runs)
	case !measurable(m.Values, true) || !measurable([]float64{m.Goal}, true):
		return errors.New("no measurement has such a value")
	}
	if b := m.Baseline; b != nil {
		if len(b.Values) != len(m.Values) || b.Name == "" {
			return fmt.Errorf("%d values of baseline %q, want %d", len(b.Values), b.Name, len(m.Values))
		}
		if !measurable(b.Values, false) {
			return errors.New("no baseline has such a value")
		}
	}
	again := *m
	if m.Baseline != nil {
		b := *m.Baseline
		again.Baseline = &b
	}
	again.Summarise()
	if !reflect.DeepEqual(*m, again) {
		return errors.New("summary does not follow from the values")
	}
	return nil
}

// measurable tells whether values can have been measured, so that their ratios are numbers.
func measurable(values []float64, zero bool) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return (v < 1e-12 || v > 1e18) && (v != 0 || !zero) })
}
