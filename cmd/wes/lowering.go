package main

import (
	"github.com/spf13/pflag"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/pipeline"
)

// loweringFlags say how a model becomes integers, and on what.
type loweringFlags struct {
	input, calibrate     string
	activations, weights int
	ranges               string
	percentile           float64
	like                 string
}

func (f *loweringFlags) bind(fs *pflag.FlagSet) {
	d := model.DefaultOptions(nil)
	fs.StringVar(&f.input, "input", "", "input of the model: JSON or .npy")
	fs.StringVar(&f.calibrate, "calibrate", "", "samples to take ranges from: JSON or .npy, any number of rows (default: the input)")
	fs.IntVar(&f.activations, "activation-bits", 0, "width of activations, 4 to 12 (default 8, and 12 for models with norms, softmaxes or recurrent operators)")
	fs.IntVar(&f.weights, "weight-bits", 0, "width of weights, 4 to 16 (default 12, and 14 for models with norms, softmaxes or recurrent operators)")
	fs.StringVar(&f.ranges, "ranges", d.Ranges.String(), "range of an activation: error (least squared error, with room), max, or percentile")
	fs.StringVar(&f.like, "like", "", "model file of the same model for other shapes, to take ranges from: both share the commitments to weights")
	fs.Float64Var(&f.percentile, "percentile", d.Percentile, "percentile of --ranges percentile, 90 to 100")
}

// source reads the model and its tensors.
func (f *loweringFlags) source(path string) (s pipeline.Source, err error) {
	if s.Options, err = f.options(); err != nil {
		return s, err
	}
	if s.ONNX, err = readFile(path); err != nil {
		return s, err
	}
	if f.input != "" {
		if s.Inputs, err = readTensors(f.input); err != nil {
			return s, err
		}
	}
	if f.calibrate != "" {
		if s.Samples, err = readTensors(f.calibrate); err != nil {
			return s, err
		}
	}
	if f.like != "" {
		s.Like, err = readFile(f.like)
	}
	return s, err
}

func (f *loweringFlags) options() (model.Options, error) {
	ranges, err := model.ParseRanges(f.ranges)
	return model.Options{ActivationBits: f.activations, WeightBits: f.weights, Ranges: ranges, Percentile: f.percentile}, err
}
