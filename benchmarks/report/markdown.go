package report

import (
	"fmt"
	"strings"
)

// Markdown is the report as tables.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmark\n\n%s\n\nTimes are medians of the counted runs.\n", strings.Join(r.Conditions(), "\n"))
	for _, s := range r.Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n", s.Title)
		if s.Note != "" {
			fmt.Fprintf(&b, "%s\n\n", s.Note)
		}
		b.WriteString(markdownTable(s.Rows))
	}
	if rows := r.Gaps(); rows != nil {
		fmt.Fprintf(&b, "\n## Not measured\n\n%s", markdownTable(rows))
	}
	return b.String()
}

func markdownTable(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		for _, cell := range row {
			b.WriteString("| " + markdownCell(cell) + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}

// markdownCell keeps a text in its cell: reports of strangers are shown too.
func markdownCell(text string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "|", "\\|", "<", "&lt;").Replace(text)
}
