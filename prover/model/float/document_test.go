package float

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

var update = flag.Bool("update", false, "write docs/operators.md")

func TestEveryRuleIsDescribed(t *testing.T) {
	for name := range descriptions {
		if rules[name] == nil {
			t.Errorf("%s is described and has no rule", name)
		}
	}
	var forms []string
	for _, f := range Forms() {
		forms = append(forms, f[0])
	}
	list := Operators()
	if len(list) != len(rules) {
		t.Errorf("%d operators of %d rules", len(list), len(rules))
	}
	for _, o := range list {
		for form := range strings.SplitSeq(o.Form, "+") {
			if !slices.Contains(forms, form) {
				t.Errorf("%s: form %q is none of %v: add a line to descriptions", o.Name, form, forms)
			}
		}
	}
}

// TestDocumentListsEveryOperator holds the reference against the code; -update writes it.
func TestDocumentListsEveryOperator(t *testing.T) {
	const path = "../../../docs/operators.md"
	var text strings.Builder
	fmt.Fprintf(&text, "# Operators\n\nThe ONNX operators that models may have, of opsets %d to %d. Shapes are bound when a model is imported, so whatever\n"+
		"depends on shapes and constants alone is constant. What becomes of the node tests of ONNX is in\n"+
		"[results.md](../prover/model/conformance/results.md). Written by `go test ./prover/model/float -update`;\n"+
		"`wes ai operators` prints it too.\n\n| in the integer graph | |\n|---|---|\n", onnx.MinOpset, onnx.MaxOpset)
	for _, f := range Forms() {
		fmt.Fprintf(&text, "| %s | %s |\n", f[0], f[1])
	}
	text.WriteString("\n| operator | in the integer graph | activations | restrictions |\n|---|---|---|---|\n")
	for _, o := range Operators() {
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", o.Name, strings.ReplaceAll(o.Form, "+", ", "), o.Activations(), o.Note)
	}
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != text.String() {
		t.Errorf("%s is not what the code says: go test ./prover/model/float -update", path)
	}
}
