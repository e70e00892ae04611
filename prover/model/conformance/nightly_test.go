package conformance

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var (
	data   = flag.String("data", "", "folder with all cases of the ONNX project: they are compared with results.json")
	update = flag.Bool("update", false, "with -data: write results.json and results.md")
)

const (
	resultsJSON = "results.json"
	resultsMD   = "results.md"
	heading     = "# Node tests of ONNX\n\nWhat becomes of every case of release 1.12, by operator; package conformance says how a case is judged and\n" +
		"what the columns mean. Written by `make conformance UPDATE=1`.\n\n"
)

// TestAllCasesAreNoWorseThanRecorded is for the nightly run.
func TestAllCasesAreNoWorseThanRecorded(t *testing.T) {
	if *data == "" {
		t.Skip("needs the cases of the ONNX project: make conformance")
	}
	r, err := Run(t.Context(), os.DirFS(*data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.NewBufferString(heading)
	if err := r.Markdown(text); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", text)
	for _, w := range Worse(record(t), r.Rows()) {
		t.Error(w)
	}
	if *update {
		write(t, r.Rows(), text.Bytes())
	}
}

// write records a run.
func write(t *testing.T, rows []Row, text []byte) {
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
