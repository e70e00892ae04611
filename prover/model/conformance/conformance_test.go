package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"slices"
	"testing"
)

var (
	data   = flag.String("data", "", "folder with all cases of the ONNX project, to compare with results.json; empty: the cases in testdata alone")
	update = flag.Bool("update", false, "with -data: write results.json and results.md")
)

const (
	resultsJSON = "results.json"
	resultsMD   = "results.md"
	heading     = "# Node tests of ONNX\n\nWhat becomes of every case, by operator; package conformance says how a case is judged and what the\n" +
		"columns mean. Written by `make conformance UPDATE=1`.\n\n"
)

// TestAllCasesAreNoWorseThanRecorded is for the nightly run.
func TestAllCasesAreNoWorseThanRecorded(t *testing.T) {
	if *data == "" {
		t.Skip("needs -data: make conformance")
	}
	r, err := Run(t.Context(), os.DirFS(*data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.Markdown(&text); err != nil {
		t.Fatal(err)
	}
	os.Stdout.Write(text.Bytes())
	recorded(t, r.Rows(), append([]byte(heading), text.Bytes()...))
}

// recorded compares rows with the record, or writes it.
func recorded(t *testing.T, rows []Row, text []byte) {
	var was []Row
	old, err := os.ReadFile(resultsJSON)
	if err == nil {
		err = json.Unmarshal(old, &was)
	}
	if err != nil && !(*update && errors.Is(err, fs.ErrNotExist)) {
		t.Fatal(err)
	}
	for _, w := range Worse(was, rows) {
		t.Error(w)
	}
	if !*update {
		return
	}
	now, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{resultsJSON: append(now, '\n'), resultsMD: text} {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var _ = slices.Max[[]int]
