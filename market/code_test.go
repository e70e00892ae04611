package market

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// constants parses the codes of code.go: name of the constant to code.
func constants(t *testing.T) map[string]Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]Code{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all[spec.Names[0].Name] = Code(text)
		}
		return true
	})
	return all
}

func TestEveryCodeIsExplainedOnce(t *testing.T) {
	all := constants(t)
	delete(all, "CodeOK")
	listed := map[Code]int{}
	for _, c := range Codes() {
		listed[c.Code]++
		if c.Meaning == "" || c.Next == "" || len(c.Code) > maxCodeText {
			t.Errorf("%s has no meaning, nothing to do, or is too long for a message", c.Code)
		}
	}
	for name, c := range all {
		if listed[c] != 1 {
			t.Errorf("%s is listed %d times", name, listed[c])
		}
	}
	if len(listed) != len(all) {
		t.Errorf("%d codes are listed, %d exist", len(listed), len(all))
	}
}

// elsewhere are the codes that only other packages give, with who does.
var elsewhere = map[string]string{}

// TestEveryCodeIsSeenInATest looks for the constants in the tests here and in package markettest.
func TestEveryCodeIsSeenInATest(t *testing.T) {
	seen := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "markettest/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range regexp.MustCompile(`\bCode[A-Z]\w*`).FindAllString(string(text), -1) {
				seen[word] = seen[word] || name != "code_test.go"
			}
		}
	}
	for name := range constants(t) {
		if !seen[name] && elsewhere[name] == "" {
			t.Errorf("no test has %s", name)
		}
		if seen[name] && elsewhere[name] != "" {
			t.Errorf("a test has %s", name)
		}
	}
}

// TestDocumentListsEveryCode holds the reference against the code; -update writes it.
func TestDocumentListsEveryCode(t *testing.T) {
	const path = "../docs/market-codes.md"
	var text strings.Builder
	text.WriteString("# Reasons of the market\n\nA job has a code that says why it is where it is; an operator that makes no bid, or does not go on,\n" +
		"gives one too. Codes are stable. Written by `go test ./market -update`.\n\n| code | about | meaning | what to do |\n|---|---|---|---|\n")
	for _, c := range Codes() {
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", c.Code, c.Axis, c.Meaning, c.Next)
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
		t.Errorf("%s is not what the code says", path)
	}
}
