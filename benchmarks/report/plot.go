package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a plot, and the part of it that is the legend's, to the right of the axes.
const (
	plotWidth   = 22 * vg.Centimeter
	plotHeight  = 11 * vg.Centimeter
	legendWidth = 7 * vg.Centimeter
)

// svg draws a plot, nothing for one without points.
func (p *Plot) svg() (template.HTML, error) {
	if len(p.Lines) == 0 {
		return "", nil
	}
	d, legend := plot.New(), plot.NewLegend()
	d.Title.Text, d.X.Label.Text, d.Y.Label.Text = p.Title, p.X, p.Y
	d.Title.Padding, d.X.Label.Padding, d.Y.Label.Padding = vg.Points(8), vg.Points(4), vg.Points(4)
	d.X.Scale, d.Y.Scale = plot.LogScale{}, plot.LogScale{}
	d.X.Tick.Marker, d.Y.Tick.Marker = ticks(p.X), ticks(p.Y)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = paper, paper
	d.Add(grid)
	for i, l := range p.Lines {
		if err := l.draw(d, &legend, colours[i%len(colours)]); err != nil {
			return "", fmt.Errorf("plot %q: %w", p.Title, err)
		}
	}
	room(&d.X)
	if p.Y == axisRatio {
		d.Y.Scale, d.Y.Tick.Marker = plot.LinearScale{}, plot.DefaultTicks{}
		d.Y.Min, d.Y.Max = 0, 1.1*max(1, d.Y.Max)
		d.Add(equal())
	} else {
		room(&d.Y)
	}
	legend.Top, legend.Left, legend.Padding, legend.ThumbnailWidth = true, true, vg.Points(3), vg.Points(24)

	canvas := vgsvg.New(plotWidth, plotHeight)
	whole := draw.New(canvas)
	d.Draw(draw.Crop(whole, 0, -legendWidth, 0, 0))
	legend.Draw(draw.Crop(whole, plotWidth-legendWidth+vg.Points(8), 0, 0, -vg.Points(24)))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", fmt.Errorf("plot %q: %w", p.Title, err)
	}
	_, svg, _ := bytes.Cut(b.Bytes(), []byte("?>")) // the XML declaration has no place in a page
	return template.HTML(svg), nil
}

// equal marks the ratio 1.
func equal() *plotter.Function {
	f := plotter.NewFunction(func(float64) float64 { return 1 })
	f.Color, f.Width, f.Dashes = color.Gray{120}, vg.Points(1), []vg.Length{vg.Points(4), vg.Points(3)}
	return f
}

// colours tell lines apart also for most who are colour-blind: the palette of Okabe and Ito
// ("Color Universal Design", 2008) without yellow, which white swallows.
var colours = []color.RGBA{
	{0, 114, 178, 255},
	{213, 94, 0, 255},
	{0, 158, 115, 255},
	{204, 121, 167, 255},
	{86, 180, 233, 255},
	{230, 159, 0, 255},
	{90, 90, 90, 255},
}

var paper = color.RGBA{225, 230, 238, 255}

func (l *Line) draw(d *plot.Plot, legend *plot.Legend, c color.Color) error {
	points := make(plotter.XYs, len(l.Points))
	for i, p := range l.Points {
		points[i] = plotter.XY{X: p.X, Y: p.Y}
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	line.Color, line.Width = c, vg.Points(1.5)
	dots.Color, dots.Shape, dots.Radius = c, draw.CircleGlyph{}, vg.Points(2.5)
	switch {
	case l.Dots:
		dots.Shape = draw.BoxGlyph{}
		d.Add(dots)
		legend.Add(l.Name, dots)
	default:
		d.Add(line, dots)
		legend.Add(l.Name, line, dots)
	}
	return nil
}

// room leaves some of the axis free at both ends, and an octave where there is one value.
func room(a *plot.Axis) {
	a.Min, a.Max = a.Min/1.15, a.Max*1.15
	if a.Max/a.Min < 1.5 {
		a.Min, a.Max = a.Min/1.5, a.Max*1.5
	}
}

// ticks marks a logarithmic axis. It is the axis's label, which says what is counted.
type ticks string

var _ plot.Ticker = ticks("")

// Ticks are powers of two for sizes that are powers of two, else powers of ten, with their
// doubles and fivefolds where the axis is short.
func (t ticks) Ticks(least, most float64) []plot.Tick {
	base, steps := 10.0, []float64{1}
	if t == Points || t == Values || t == Constraints {
		base = 2
	} else if most/least < 200 {
		steps = []float64{1, 2, 5}
	}
	var list []plot.Tick
	first, last := math.Floor(math.Log(least)/math.Log(base)), math.Log(most)/math.Log(base)
	for e := first; e <= last; e++ {
		for _, step := range steps {
			if v := step * math.Pow(base, e); least <= v && v <= most {
				list = append(list, plot.Tick{Value: v, Label: t.label(v, e)})
			}
		}
	}
	return list
}

func (t ticks) label(v, exponent float64) string {
	switch t {
	case Points, Values, Constraints:
		return fmt.Sprintf("2^%.0f", exponent)
	case axisSeconds:
		return short(secondsText(v))
	}
	return short(countText(v))
}
