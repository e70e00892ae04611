package report

import (
	"bytes"
	"html/template"
)

// HTML is the report as one page without outside resources.
func (r *Report) HTML() ([]byte, error) {
	type part struct {
		Section
		Drawn []template.HTML
	}
	var parts []part
	for _, s := range r.Sections() {
		p := part{Section: s}
		for i := range s.Plots {
			svg, err := s.Plots[i].svg()
			if err != nil {
				return nil, err
			}
			if svg != "" {
				p.Drawn = append(p.Drawn, svg)
			}
		}
		parts = append(parts, p)
	}
	if rows := r.Gaps(); rows != nil {
		parts = append(parts, part{Section: Section{Title: "Not measured", Rows: rows}})
	}
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{"Conditions": r.Conditions(), "Parts": parts})
	return b.Bytes(), err
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>WES: benchmark</title>
<style>
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1d2b3a; max-width: 1720px; margin: 2em auto; padding: 0 1.5em }
h1 { font-size: 1.7em; margin-bottom: .4em } h2 { font-size: 1.25em; margin: 2em 0 .3em; border-bottom: 2px solid #eef2f8 }
p { max-width: 75em; margin: .4em 0 }
.part { display: flex; flex-wrap: wrap; gap: 0 2.5em; align-items: flex-start }
table { border-collapse: collapse; margin: 1em 0; display: block; max-width: 100%; overflow-x: auto; font-variant-numeric: tabular-nums }
th, td { padding: .3em .8em; border-bottom: 1px solid #e3e8f0; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
table.words th, table.words td { text-align: left; white-space: normal }
thead { background: #eef2f8 }
tbody tr:hover { background: #f7f9fc }
.plots { flex: 1 1 640px; display: flex; flex-wrap: wrap; gap: 0 1.5em }
figure { margin: 1em 0 0; max-width: 100% } svg { max-width: 100%; height: auto }
</style>
<h1>Benchmark of wes</h1>
{{range .Conditions}}<p>{{.}}</p>
{{end}}<p>Times are medians of the counted runs.</p>
{{range .Parts}}<h2>{{.Title}}</h2>
{{if .Note}}<p>{{.Note}}</p>
{{end}}<div class="part"><table{{if eq .Title "Not measured"}} class="words"{{end}}>{{range $i, $row := .Rows}}{{if eq $i 0}}<thead><tr>{{range $row}}<th>{{.}}</th>{{end}}</tr></thead><tbody>
{{else}}<tr>{{range $row}}<td>{{.}}</td>{{end}}</tr>
{{end}}{{end}}</tbody></table>
{{if .Drawn}}<div class="plots">{{range .Drawn}}<figure>{{.}}</figure>
{{end}}</div>
{{end}}</div>
{{end}}</html>
`))
