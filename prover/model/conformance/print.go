package conformance

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// compareNames sorts without regard to case, so that brackets come first.
func compareNames(a, b string) int {
	return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
}

// Markdown writes the rows, and below them how often each reason for a refusal occurs.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| operator | cases | passed | partial | folded | refused | failed | first reason |\n|---|--:|--:|--:|--:|--:|--:|---|\n")
	for _, row := range append(r.Rows(), r.Total()) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %s |\n",
			row.Operator, row.Cases, row.Passed, row.Partial, row.Folded, row.Refused, row.Failed, cell(row.Reason))
	}
	b.WriteString("\n| refused | reason |\n|--:|---|\n")
	for _, f := range r.reasons() {
		fmt.Fprintf(&b, "| %d | %s |\n", f.cases, cell(f.reason))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell is a text of one line without column marks.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ").Replace(s)
}

// frequency says how many cases are refused for a reason.
type frequency struct {
	reason string
	cases  int
}

// reasons are sorted by how often they occur.
func (r *Report) reasons() []frequency {
	counts := map[string]int{}
	for i := range r.Cases {
		if c := &r.Cases[i]; c.Status == Refused {
			counts[c.Reason]++
		}
	}
	var list []frequency
	for reason, n := range counts {
		list = append(list, frequency{reason, n})
	}
	slices.SortFunc(list, func(a, b frequency) int {
		return cmp.Or(cmp.Compare(b.cases, a.cases), cmp.Compare(a.reason, b.reason))
	})
	return list
}
