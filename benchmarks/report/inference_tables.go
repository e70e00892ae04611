package report

import (
	"cmp"
	"fmt"
	"strings"
)

// inferenceSections are the table of models, that of the stages, and one for each series.
func inferenceSections(r *Report) []Section {
	results := r.Of("inference")
	if len(results) == 0 {
		return nil
	}
	list := []Section{{
		Title: "Proofs of inference",
		Note: "Each run is a process of its own, with the model prepared before; proofs are verified in another process. " +
			"Prove is everything from the input to the finished proof, execution included. In brackets: what part that is of the design's goal for two cores. " +
			"Top answers and cosine compare the integer graph with the float model on random inputs.",
		Rows: modelRows(results, r.Machine.Cores),
		Plots: []Plot{
			growth(results, "Proving time by activations", "activations"),
			growth(results, "Proving time by multiply-accumulates", "macs"),
		},
	}, {
		Title: "Proofs of inference: stages",
		Note: "Time, and wall time for each unit of what the stage does. Start is that of the engine with the model loaded, " +
			"once for a process, and is not part of proving.",
		Rows: stageRows(results),
	}}
	for _, s := range []string{ByActivations, ByMACs} {
		if rows := seriesRows(results, s); len(rows) > 1 {
			list = append(list, Section{Title: "Proofs of inference: growing " + s, Rows: rows})
		}
	}
	return list
}

func modelRows(results []*Result, cores int) [][]string {
	rows := [][]string{{"model", "MACs", "parameters", "prove", "verify", "proof", "peak memory", "other top answers", "1 − cosine", "MAC/s per core", "over float inference", "elsewhere"}}
	for _, x := range results {
		if x.Series != "" {
			continue
		}
		macs, rate := float64(x.Parameters["macs"]), none
		if prove := x.median("prove"); prove > 0 {
			rate = countText(macs / prove / float64(cores))
		}
		rows = append(rows, []string{
			x.Title, countText(macs), countText(float64(x.Parameters["params"])),
			x.Metric("prove").withGoal(), x.Metric("verify").withGoal(), x.Metric("proof").withGoal(), x.Metric("peak_memory").withGoal(),
			x.Metric("other_top_answers").withGoal(), x.Metric("cosine_distance").withGoal(),
			rate, overInference(x), cmp.Or(x.Elsewhere, none),
		})
	}
	return rows
}

// overInference is how many float inferences a proof takes the time of.
func overInference(x *Result) string {
	float := x.Metric("float_inference")
	if float == nil || float.Median == 0 {
		return none
	}
	return fmt.Sprintf("×%.0f of %s", x.median("prove")/float.Median, float.middle())
}

func stageRows(results []*Result) [][]string {
	rows := [][]string{{"model", "engine", "start", "execute", "commit", "per cell", "look up", "per lookup", "contract", "per small product", "open", "per cell", "lookups", "cells", "multiplications", "bytes"}}
	for _, x := range results {
		p := x.Parameters
		each := func(metric string, n int64) string { return secondsEach(x.median(metric), n) }
		rows = append(rows, []string{
			x.Title, x.Engine, x.Metric("start").middle(), x.Metric("execute").middle(),
			x.Metric("commit").middle(), each("commit", p["cells"]),
			x.Metric("lookup").middle(), each("lookup", p["lookups"]+p["table_rows"]),
			x.Metric("contract").middle(), each("contract", p["contract.small_products"]),
			x.Metric("open").middle(), each("open", p["cells"]),
			countText(float64(p["lookups"])), countText(float64(p["cells"])),
			countText(ofStages(x, ".multiplications")), bytesText(ofStages(x, ".bytes")),
		})
	}
	return rows
}

// ofStages sums a count of work over the stages.
func ofStages(x *Result, suffix string) float64 {
	sum := 0.0
	for name, n := range x.Parameters {
		if strings.HasSuffix(name, suffix) {
			sum += float64(n)
		}
	}
	return sum
}

func secondsEach(s float64, n int64) string {
	if n == 0 {
		return none
	}
	return secondsText(s / float64(n))
}

// seriesRows shows what each further activation and each further multiply-accumulate of a
// series costs, from one row to the next.
func seriesRows(results []*Result, series string) [][]string {
	rows := [][]string{{"model", "MACs", "activations", "weights", "prove", "per activation", "per further activation", "per further MAC"}}
	var last *Result
	for _, x := range results {
		if x.Series != series {
			continue
		}
		more := func(parameter string) string {
			if last == nil {
				return none
			}
			further := x.Parameters[parameter] - last.Parameters[parameter]
			return secondsEach(x.median("prove")-last.median("prove"), further)
		}
		rows = append(rows, []string{
			x.Title, countText(float64(x.Parameters["macs"])), countText(float64(x.Parameters["activations"])), countText(float64(x.Parameters["params"])),
			x.Metric("prove").middle(), secondsEach(x.median("prove"), x.Parameters["activations"]), more("activations"), more("macs"),
		})
		last = x
	}
	return rows
}

// growth plots proving times, the series as lines.
func growth(results []*Result, title, parameter string) Plot {
	p := Plot{Title: title, X: strings.Replace(parameter, "macs", ByMACs, 1), Y: axisSeconds}
	names := map[string]string{"": "models", ByActivations: "ResNet-18, by image", ByMACs: "equal layers, by kernel"}
	for _, x := range results {
		l := Line{Name: names[x.Series], Dots: x.Series == ""}
		p.Lines = extend(p.Lines, l, Point{float64(x.Parameters[parameter]), x.median("prove")})
	}
	return p
}
