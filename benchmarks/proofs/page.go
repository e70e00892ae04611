package main

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// HTML is the report as one page without outside resources.
func (r *Report) HTML() ([]byte, error) {
	growth, err := r.plot("Proving time by activations", "activations, millions", func(x Result) float64 {
		return float64(x.Sizes["activations"]) / 1e6
	})
	if err != nil {
		return nil, err
	}
	macs, err := r.plot("Proving time by multiply-accumulates", "multiply-accumulates, millions", func(x Result) float64 {
		return float64(x.MACs) / 1e6
	})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, map[string]any{
		"Report": r, "Plots": []template.HTML{growth, macs},
		"Tables": []section{
			{"Models", r.mainRows()},
			{"Stages", r.stageRows()},
			{"Growing activations", r.seriesRows("activations")},
			{"Growing multiply-accumulates", r.seriesRows("multiply-accumulates")},
		},
	})
	return b.Bytes(), err
}

type section struct {
	Title string
	Rows  [][]string
}

// plot is an SVG scatter of proving times on logarithmic axes.
func (r *Report) plot(title, xLabel string, x func(Result) float64) (template.HTML, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, xLabel, "seconds"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Add(plotter.NewGrid())
	for i, name := range []string{"", "activations", "multiply-accumulates"} {
		var points plotter.XYs
		for _, res := range r.Results {
			if res.Series == name && res.Prove > 0 {
				points = append(points, plotter.XY{X: x(res), Y: res.Prove})
			}
		}
		if len(points) == 0 {
			continue
		}
		s, err := plotter.NewScatter(points)
		if err != nil {
			return "", fmt.Errorf("plot %q: %w", title, err)
		}
		s.Color = []color.RGBA{{29, 53, 87, 255}, {42, 157, 143, 255}, {231, 111, 81, 255}}[i]
		s.Radius, s.Shape = vg.Points(4), draw.CircleGlyph{}
		p.Add(s)
		p.Legend.Add([]string{"models", "ResNet-18, growing images", "equal layers, growing kernels"}[i], s)
	}
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, vg.Points(3)
	canvas := vgsvg.New(16*vg.Centimeter, 10*vg.Centimeter)
	p.Draw(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", fmt.Errorf("plot %q: %w", title, err)
	}
	_, svg, _ := bytes.Cut(b.Bytes(), []byte("?>")) // the XML declaration has no place in a page
	return template.HTML(svg), nil
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>WES: proofs of inference</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2b3a; max-width: 1700px; margin: 2em auto; padding: 0 1em }
table { border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto }
th, td { padding: .35em .7em; border-bottom: 1px solid #d8dee9; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
thead { background: #eef2f8 }
figure { display: inline-block; margin: 0 1em 1em 0 }
</style>
<h1>Proofs of inference</h1>
<p>{{.Report.Machine.CPU}}, {{.Report.Machine.Cores}} cores, {{.Report.Machine.Memory}}; {{.Report.Machine.System}}, {{.Report.Machine.Go}}; commit {{.Report.Commit}}; {{.Report.Time}}.
Times are medians of {{.Report.Runs}} runs, each a process of its own, with the model prepared before; proofs are verified in another process.</p>
{{range .Tables}}{{if gt (len .Rows) 1}}<h2>{{.Title}}</h2><table>
{{range $i, $row := .Rows}}{{if eq $i 0}}<thead><tr>{{range $row}}<th>{{.}}</th>{{end}}</tr></thead>{{else}}<tr>{{range $row}}<td>{{.}}</td>{{end}}</tr>{{end}}
{{end}}</table>{{end}}{{end}}
<h2>Growth</h2>
{{range .Plots}}<figure>{{.}}</figure>{{end}}
</html>
`))
