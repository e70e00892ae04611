package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

func encode(t testing.TB, r *Report) []byte {
	t.Helper()
	data, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestReportSurvivesItsJSON(t *testing.T) {
	want := sample()
	got, err := Decode(bytes.NewReader(encode(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestFormatIsThatOfItsVersion compares with a file: who changes the format changes Version
// as well, or adds a field that older readers may refuse.
func TestFormatIsThatOfItsVersion(t *testing.T) {
	want, err := os.ReadFile("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	got, lines := encode(t, sample()), strings.Split(string(want), "\n")
	for i, line := range strings.Split(string(got), "\n") {
		if i >= len(lines) || line != lines[i] {
			t.Fatalf("testdata/report.json differs in line %d, which is now %q", i+1, line)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d bytes, testdata/report.json has %d", len(got), len(want))
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Report){
		"another version":            func(r *Report) { r.Version++ },
		"no time":                    func(r *Report) { r.Time = "yesterday" },
		"a machine without cores":    func(r *Report) { r.Machine.Cores = 0 },
		"a text too long":            func(r *Report) { r.Devices[0].Name = strings.Repeat("x", MaxText+1) },
		"a text that moves a cursor": func(r *Report) { r.Missing[0].Reason = "\x1b[2J" },
		"a parameter's name":         func(r *Report) { r.Results[0].Parameters["\n"] = 1 },
		"a negative parameter":       func(r *Report) { r.Results[0].Parameters["points"] = -1 },
		"no digest":                  func(r *Report) { r.Results[0].Input = "00" },
		"a result twice":             func(r *Report) { r.Results = append(r.Results, r.Results[0]) },
		"a result without a case":    func(r *Report) { r.Results[0].Case = "" },
		"no runs":                    func(r *Report) { r.Results[0].Runs = 0 },
		"no metric":                  func(r *Report) { r.Results[0].Metrics = nil },
		"a metric twice":             func(r *Report) { x := &r.Results[0]; x.Metrics = append(x.Metrics, x.Metrics[0]) },
		"another unit":               func(r *Report) { r.Results[0].Metrics[0].Unit = "h" },
		"too few values":             func(r *Report) { m := &r.Of("inference")[0].Metrics[0]; m.Values = m.Values[:2] },
		"no values":                  func(r *Report) { r.Results[0].Metrics[0].Values = nil },
		"a negative value":           func(r *Report) { r.Results[0].Metrics[0].Values[0] = -1 },
		"a negative goal":            func(r *Report) { r.Results[0].Metrics[0].Goal = -1 },
		"another median":             func(r *Report) { r.Results[0].Metrics[0].Median *= 2 },
		"another ratio":              func(r *Report) { r.Results[0].Metrics[0].Baseline.Ratio /= 2 },
		"a baseline of zero":         func(r *Report) { r.Results[0].Metrics[0].Baseline.Values[0] = 0 },
		"a baseline without name":    func(r *Report) { r.Results[0].Metrics[0].Baseline.Name = "" },
		"a shorter baseline":         func(r *Report) { b := r.Results[0].Metrics[0].Baseline; b.Values = b.Values[:1] },
		"too many results":           func(r *Report) { r.Missing = make([]Missing, maxResults+1) },
	} {
		r := sample()
		spoil(r)
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(bytes.NewReader(data)); !errors.Is(err, ErrReport) && !errors.Is(err, ErrVersion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeRefusesOtherText(t *testing.T) {
	whole := encode(t, sample())
	for name, data := range map[string][]byte{
		"nothing":          nil,
		"another document": []byte(`{"version": 1}`),
		"an unknown field": bytes.Replace(whole, []byte(`"seed"`), []byte(`"extra": 1, "seed"`), 1),
		"a second report":  append(bytes.Clone(whole), whole...),
		"half of it":       whole[:len(whole)/2],
		"too much":         append(bytes.Clone(whole), bytes.Repeat([]byte(" "), MaxReport)...),
	} {
		if _, err := Decode(bytes.NewReader(data)); !errors.Is(err, ErrReport) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecode demands of whatever is decoded that all that is done with reports works.
func FuzzDecode(f *testing.F) {
	f.Add(encode(f, sample()))
	f.Add([]byte(`{"version": 1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := Decode(bytes.NewReader(encode(t, r)))
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("re-encoded: %v", err)
		}
		if _, err := r.HTML(); err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(Compare(r, sample())); err != nil {
			t.Fatal(err)
		}
		r.Markdown()
		Compare(sample(), r).Rows()
	})
}

func TestTablesAreRectangular(t *testing.T) {
	r := sample()
	for _, s := range append(r.Sections(), Section{"gaps", "", r.Gaps(), nil}, Section{"comparison", "", Compare(r, r).Rows(), nil}) {
		if len(s.Rows) < 2 {
			t.Errorf("%s: no rows", s.Title)
		}
		for i, row := range s.Rows {
			if len(row) != len(s.Rows[0]) {
				t.Errorf("%s: row %d has %d cells, want %d", s.Title, i, len(row), len(s.Rows[0]))
			}
		}
	}
}

func TestSeriesShowsWhatAFurtherActivationCosts(t *testing.T) {
	rows := seriesRows(sample().Of("inference"), ByActivations)
	if got, want := rows[2][6], "40.0 ms"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPageNeedsNothingFromOutside(t *testing.T) {
	page, err := sample().HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<script", "<link", "src=", "url(", "href=\"http"} {
		if strings.Contains(string(page), part) {
			t.Errorf("page contains %q", part)
		}
	}
	if !strings.Contains(string(page), "&lt;cpu&gt;") {
		t.Error("page lacks the machine, escaped")
	}
	if got, want := strings.Count(string(page), "<svg"), 8; got != want {
		t.Errorf("page has %d plots, want %d", got, want)
	}
}

func TestMarkdownKeepsStrangersInTheirCells(t *testing.T) {
	r := sample()
	r.Results[0].Title = "a|b<script>"
	if text := r.Markdown(); !strings.Contains(text, `| a\|b&lt;script> |`) {
		t.Errorf("%s", text)
	}
}
