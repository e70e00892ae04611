package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
	"github.com/weisyn/wes/prover/model/tensor"
)

// TestCasesHaveTheStatusOfTheirFolder runs the cases that are kept here.
func TestCasesHaveTheStatusOfTheirFolder(t *testing.T) {
	for _, want := range []Status{Passed, Partial, Folded, Refused} {
		r, err := Run(t.Context(), os.DirFS(path.Join("testdata", string(want))), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Cases) == 0 {
			t.Errorf("no cases are %s", want)
		}
		for _, c := range r.Cases {
			if c.Status != want || (want == Refused) != (c.Reason != "") {
				t.Errorf("%s (%s) is %s, want %s: %s", c.Name, c.Operator, c.Status, want, c.Reason)
			}
		}
	}
}

// TestEveryOperatorThatPassesHasACaseHere: of those that the nightly run records.
func TestEveryOperatorThatPassesHasACaseHere(t *testing.T) {
	r, err := Run(t.Context(), os.DirFS("testdata"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range record(t) {
		here := slices.ContainsFunc(r.Cases, func(c Case) bool { return c.Operator == row.Operator && c.Status != Refused })
		if row.Passed+row.Partial+row.Folded > 0 && !here {
			t.Errorf("no case of %s", row.Operator)
		}
	}
}

func record(t *testing.T) []Row {
	t.Helper()
	data, err := os.ReadFile(resultsJSON)
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// copied holds a case in memory, to be spoiled.
func copied(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	src := os.DirFS(dir)
	err := fs.WalkDir(src, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(src, name)
		m["case/"+name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSpoiledCasesFail(t *testing.T) {
	const model, input, output = "case/model.onnx", "case/test_data_set_0/input_0.pb", "case/test_data_set_0/output_0.pb"
	for _, c := range []struct {
		name, reason string
		spoil        func(m fstest.MapFS)
	}{
		{"a wrong value", "float output 0: cell 59", func(m fstest.MapFS) {
			d := m[output].Data
			d[len(d)-1] ^= 1
		}},
		{"no output", "0 output files for 1 outputs", func(m fstest.MapFS) { delete(m, output) }},
		{"no input", "0 input files for 1 inputs", func(m fstest.MapFS) { delete(m, input) }},
		{"an input too many", "2 input files for 1 inputs", func(m fstest.MapFS) { m[strings.Replace(input, "0.pb", "1.pb", 1)] = m[input] }},
		{"a cut tensor", "input 0", func(m fstest.MapFS) { m[input].Data = m[input].Data[:len(m[input].Data)-1] }},
		{"a cut model", "malformed", func(m fstest.MapFS) { m[model].Data = m[model].Data[:len(m[model].Data)-1] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := copied(t, "testdata/passed/test_abs")
			c.spoil(m)
			r, err := Run(t.Context(), m, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Cases[0]; got.Status != Failed || !strings.Contains(got.Reason, c.reason) {
				t.Errorf("%s: %q, want %q", got.Status, got.Reason, c.reason)
			}
		})
	}
}

func TestTimeEndsACaseAndTheRun(t *testing.T) {
	m := copied(t, "testdata/passed/test_abs")
	r, err := Run(t.Context(), m, Options{CaseTimeout: time.Nanosecond})
	if err != nil || r.Cases[0].Status != Failed || !strings.Contains(r.Cases[0].Reason, context.DeadlineExceeded.Error()) {
		t.Errorf("%+v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, m, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestIntegerResultsMustStayWithinTheBound: y = exp(x), whose largest value is e² and largest slope too.
func TestIntegerResultsMustStayWithinTheBound(t *testing.T) {
	m := &onnx.Model{
		IRVersion: 8, Opsets: []onnx.Opset{{Version: 13}},
		Graph: onnx.Graph{
			Name:    "g",
			Inputs:  []onnx.ValueInfo{{Name: "x", Type: onnx.Float32, HasShape: true, Dims: []onnx.Dim{{Known: true, Value: 2}}}},
			Nodes:   []onnx.Node{{Op: "Exp", Inputs: []string{"x"}, Outputs: []string{"y"}}},
			Outputs: []onnx.ValueInfo{{Name: "y", Type: onnx.Float32}},
		},
	}
	g, err := float.Import(m, float.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := []float.Tensor{{Shape: []int{2}, Data: []float32{0, 2}}}
	unit := math.Exp(2) / 127
	for _, c := range []struct {
		off  float64
		want bool
	}{{0, true}, {2, true}, {-2, true}, {3.01, false}, {-3.01, false}, {math.NaN(), false}} {
		got := []tensor.Tensor{{Shape: []int{2}, Data: []float64{1 + c.off*unit, math.Exp(2)}}}
		if err := compareInteger(t.Context(), g, x, got, 8, 1); (err == nil) != c.want {
			t.Errorf("off by %g units: %v", c.off, err)
		}
	}
}

func TestWorseFindsWhatIsWorse(t *testing.T) {
	was := []Row{{Operator: "Add", Cases: 9, Passed: 3, Partial: 2, Folded: 1, Refused: 3}, {Operator: "Sub", Cases: 1, Refused: 1}}
	for _, c := range []struct {
		name string
		now  []Row
		want int
	}{
		{"the same", was, 0},
		{"better", []Row{{Operator: "Add", Cases: 9, Passed: 9}, {Operator: "Sub", Cases: 1, Folded: 1}}, 0},
		{"a new operator", append(slices.Clone(was), Row{Operator: "Mul", Cases: 1, Refused: 1}), 0},
		{"parsed now", []Row{{Operator: "Add", Cases: 10, Passed: 4, Partial: 2, Folded: 1, Refused: 3}}, 0},
		{"one passes in part", []Row{{Operator: "Add", Cases: 9, Passed: 2, Partial: 3, Folded: 1, Refused: 3}, was[1]}, 1},
		{"one is folded only", []Row{{Operator: "Add", Cases: 9, Passed: 3, Partial: 1, Folded: 2, Refused: 3}, was[1]}, 1},
		{"one is refused", []Row{{Operator: "Add", Cases: 9, Passed: 3, Partial: 2, Refused: 4}, was[1]}, 1},
		{"one fails", []Row{was[0], {Operator: "Sub", Cases: 1, Failed: 1, Reason: "it"}}, 1},
		{"an operator is gone", []Row{was[1]}, 4},
		{"a case is gone", []Row{was[0]}, 1},
	} {
		if got := Worse(was, c.now); len(got) != c.want {
			t.Errorf("%s: %q, want %d", c.name, got, c.want)
		}
	}
}

func TestMarkdownCountsCasesAndReasons(t *testing.T) {
	r := &Report{Cases: []Case{
		{"a", "Relu", Passed, ""},
		{"b", "Loop", Refused, "a|b"},
		{"c", "Relu", Refused, "a|b"},
		{"d", "Relu", Folded, ""},
		{"e", Several, Partial, ""},
		{"f", "Loop", Failed, "wrong"},
	}}
	var b bytes.Buffer
	if err := r.Markdown(&b); err != nil {
		t.Fatal(err)
	}
	want := `| operator | cases | passed | partial | folded | refused | failed | first reason |
|---|--:|--:|--:|--:|--:|--:|---|
| (several) | 1 | 0 | 1 | 0 | 0 | 0 |  |
| Loop | 2 | 0 | 0 | 0 | 1 | 1 | wrong |
| Relu | 3 | 1 | 0 | 1 | 1 | 0 | a\|b |
| all | 6 | 1 | 1 | 1 | 2 | 1 |  |

| refused | reason |
|--:|---|
| 2 | a\|b |
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// TestOperatorsAreWhatTheirDescriptionsSay: the recorded results of every operator with a rule fit its
// form, and none without a rule passes.
func TestOperatorsAreWhatTheirDescriptionsSay(t *testing.T) {
	form := map[string]string{}
	for _, o := range float.Operators() {
		form[o.Name] = o.Form
	}
	for _, row := range record(t) {
		f, ruled := form[row.Operator]
		switch passed := row.Passed + row.Partial; {
		case row.Operator == Several || row.Operator == Unparsed:
		case !ruled && passed+row.Folded > 0:
			t.Errorf("%s passes and has no rule", row.Operator)
		case f == "constant" && passed > 0:
			t.Errorf("%s passes on activations", row.Operator)
		case ruled && passed+row.Folded == 0 && row.Operator != "IsNaN": // whose case has a NaN
			t.Errorf("%s is %s and passes no case: %s", row.Operator, f, row.Reason)
		}
	}
}
