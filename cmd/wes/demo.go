package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/verify"
)

func newDemo() *cobra.Command {
	var models, out string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Prove and verify a small model, and show that a forgery is refused",
		Args:  arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			d := demo{w: c.OutOrStdout(), models: models, out: out}
			return d.run(c.Context())
		},
	}
	c.Flags().StringVar(&models, "models", "testdata/models", "folder with digits_lenet.onnx and its input")
	c.Flags().StringVar(&out, "out", "build/demo", "folder for the result")
	return c
}

// demo is the main job on a network that reads handwritten digits.
type demo struct {
	w           io.Writer
	models, out string
}

func (d *demo) run(ctx context.Context) error {
	model := filepath.Join(d.models, "digits_lenet.onnx")
	data, err := readFile(model)
	if err != nil {
		return fmt.Errorf("%w; run it in the source folder, or name one with --models", err)
	}
	inputs, err := readTensors(filepath.Join(d.models, "digits_lenet.input.json"))
	if err != nil {
		return err
	}
	engine := d.engine()
	fmt.Fprintf(d.w, "%s reads %d handwritten digits of 8 × 8 pixels, once, and proves what it read.\n\n", model, inputs[0].Shape[0])
	if err := pipeline.MakeDir(d.out); err != nil {
		return err
	}
	line := pipeline.Line{Cache: userCache(), Runtime: runtimes{}}
	request := pipeline.Request{Inputs: inputs, Job: prover.Job{ID: "demo", Payee: "whoever ran it"}}
	o, report, err := line.Run(ctx, pipeline.Source{ONNX: data, Inputs: inputs}, engine, request)
	if err != nil {
		return err
	}
	draw(d.w, inputs[0], o.Outputs[0])
	if err := writeOutcome(d.out, o); err != nil {
		return err
	}
	if err := printProof(d.w, filepath.Base(model), d.out, o, report); err != nil {
		return err
	}
	return d.verify(o, inputs)
}

// engine is ONNX Runtime where there is one, although the interpreter would be faster on a
// model as small.
func (d *demo) engine() pipeline.Engine {
	if !hasCgo() {
		fmt.Fprintln(d.w, "This build has no cgo, so the interpreter executes; the proof is the same.")
		return pipeline.EngineInterpreter
	}
	if _, err := onnx.Locate(); err != nil {
		fmt.Fprintf(d.w, "The interpreter executes, the proof is the same: %v\n", err)
		return pipeline.EngineInterpreter
	}
	return pipeline.EngineONNXRuntime
}

// verify plays the other side: whoever has the model file, the proof and the input.
func (d *demo) verify(o *pipeline.Outcome, inputs []tensor.Tensor) error {
	fmt.Fprintf(d.w, "\n$ wes ai verify --model %s --proof %s --input %s\n",
		filepath.Join(d.out, modelFile), filepath.Join(d.out, proofFile), filepath.Join(d.models, "digits_lenet.input.json"))
	claim := pipeline.Claim{Model: o.Model, Proof: o.Proof, Inputs: inputs}
	v, err := pipeline.Verify(claim)
	if err != nil {
		return &pipeline.Fault{Stage: pipeline.StageVerify, Err: err}
	}
	fmt.Fprintf(d.w, "valid: checked in %s without running the model\n", seconds(v.Verify.Seconds()))

	was, is := top(o.Outputs[0], 0), (top(o.Outputs[0], 0)+1)%10
	fmt.Fprintf(d.w, "\nNow a forger changes the result, so that the first digit reads %d instead of %d, and keeps the proof:\n", is, was)
	if claim.Proof, err = forge(o, was, is); err != nil {
		return err
	}
	_, err = pipeline.Verify(claim)
	var rejection *verify.Rejection
	if !errors.As(err, &rejection) {
		return &pipeline.Fault{Stage: pipeline.StageVerify, Err: fmt.Errorf("a forged output was not refused: %v", err)}
	}
	_, err = fmt.Fprintf(d.w, "%s, as it must be\n", refusal(rejection))
	return err
}

// refusal is the first line of a rejection, without the numbers.
func refusal(r *verify.Rejection) string { return "proof rejected: " + string(r.Check) }

// forge exchanges two numbers of the first row of the proven output.
func forge(o *pipeline.Outcome, a, b int) ([]byte, error) {
	m, err := verify.DecodeModel(o.Model)
	if err != nil {
		return nil, err
	}
	f, err := verify.DecodeFile(o.Proof, m)
	if err != nil {
		return nil, err
	}
	row := f.Outputs[0]
	row[a], row[b] = row[b], row[a]
	return f.Encode(), nil
}

// drawn is how many digits are drawn, side by side.
const drawn = 5

// draw shows images with what the model read them as.
func draw(w io.Writer, images, answers tensor.Tensor) {
	const shades = " .:-=+*#%@"
	side := images.Shape[len(images.Shape)-1]
	n := min(drawn, images.Shape[0])
	for y := range side {
		var line strings.Builder
		for i := range n {
			line.WriteString("   ")
			for x := range side {
				v := min(max(images.Data[(i*side+y)*side+x], 0), 1)
				line.WriteString(strings.Repeat(string(shades[int(v*float64(len(shades)-1))]), 2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
	fmt.Fprintln(w)
	for i := range n {
		fmt.Fprintf(w, "   %-*s", 2*side, fmt.Sprintf("read as %d", top(answers, i)))
	}
	fmt.Fprint(w, "\n\n")
}

// top is the position of the largest number of a row.
func top(t tensor.Tensor, row int) int {
	n := t.Shape[len(t.Shape)-1]
	best := 0
	for i, v := range t.Data[row*n:][:n] {
		if v > t.Data[row*n+best] {
			best = i
		}
	}
	return best
}
