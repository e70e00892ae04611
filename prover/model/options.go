package model

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/model/float"
)

var (
	// ErrOptions is returned by Lower for options out of range.
	ErrOptions = errors.New("invalid lowering options")
	// ErrModel is returned by Lower for a network that has no integer graph within the
	// limits of package graph; the error that wraps it names the node.
	ErrModel = errors.New("model cannot be lowered")
)

// Ranges says how the range of an activation follows from its calibrated values.
type Ranges uint8

const (
	// RangesError takes the range with the least squared error of clipping and rounding, and
	// up to half of it as room for values that the samples do not show, less when they have
	// many rows.
	RangesError Ranges = iota
	// RangesMax takes the largest magnitude.
	RangesMax
	// RangesPercentile takes the magnitude that Options.Percentile of all values do not exceed.
	RangesPercentile
)

// rangesNames are the names of the rules.
var rangesNames = [...]string{RangesError: "error", RangesMax: "max", RangesPercentile: "percentile"}

// String is the name of a rule: error, max or percentile.
func (r Ranges) String() string {
	if int(r) < len(rangesNames) {
		return rangesNames[r]
	}
	return fmt.Sprintf("Ranges(%d)", uint8(r))
}

// ParseRanges is the rule with a name.
func ParseRanges(name string) (Ranges, error) {
	if i := slices.Index(rangesNames[:], name); i >= 0 {
		return Ranges(i), nil
	}
	return 0, fmt.Errorf("%w: ranges %q, want one of %v", ErrOptions, name, rangesNames)
}

// Options of Lower. A zero field takes the value of DefaultOptions.
type Options struct {
	// ActivationBits is the width of activations with their sign, 4 to 12: they lie in
	// ±(2^(bits-1)−1), those after a non-negative function in [0, 2^(bits-1)−1]. What softmaxes read
	// has 12 bits at least, what norms read 14. The default is 8, and 12 for networks with norms,
	// softmaxes or recurrent operators: their residual sums gather the errors of all layers, their states
	// those of all steps. Only tables grow.
	ActivationBits int
	// WeightBits is the width of weights, 4 to 16. A layer uses fewer, down to 8, where that
	// keeps its accumulators below 2^24, which float32 executes exactly; a matrix product can have
	// larger ones, as it is split. The default is 12, and 14 for networks with norms,
	// softmaxes or recurrent operators.
	WeightBits int
	// RevealBits is the width of the weights of output layers, which are not rescaled: 4 to
	// 16, with the same exception.
	RevealBits int
	// MaxShift bounds the shift of a rescale, 1 to 14; a layer uses less where more would
	// not make it more accurate. The proof has one range table of 2^s rows for the largest
	// shift s. The default is 12, and 14 for networks with norms, softmaxes or recurrent operators: the products of
	// two activations have fine units. Sums of models that were quantised before take up to
	// graph.MaxShift, which costs one more lookup beyond 14.
	MaxShift int
	// Headroom multiplies the calibrated range of inputs, 1 to 16, for requests with larger
	// values than the samples.
	Headroom float64
	// InputRange declares, by input name, the largest magnitude of its values. It replaces
	// calibration of that input, but not the scale of a model that quantises the input itself.
	InputRange map[string]float64
	// Ranges is the rule for activations.
	Ranges Ranges
	// Percentile is that of RangesPercentile, 90 to 100.
	Percentile float64
	// Like is what another lowering of the network learnt, for other shapes of its inputs: both
	// then have the same weights. nil: the samples calibrate.
	Like *Calibration `json:",omitempty"`
}

// Calibration is what samples taught a lowering about a network, by the names of its inputs and
// nodes.
type Calibration struct {
	Ranges  map[string]float64 // magnitude that the cells of a value hold
	Squares map[string]float64 // least mean square that a norm divided by
}

// DefaultOptions are those of a network: activations as wide as it needs, weights as wide as they
// are useful. Without a network it is one without norms, softmaxes and recurrent operators.
func DefaultOptions(g *float.Graph) Options {
	o := Options{ActivationBits: 8, WeightBits: 12, RevealBits: 14, MaxShift: 12, Headroom: 1.1, Percentile: 99.99}
	if g != nil && (len(lineReaders(g)) > 0 || slices.ContainsFunc(g.Nodes, func(n float.Node) bool { return n.Role != 0 })) {
		o.ActivationBits, o.WeightBits, o.MaxShift = 12, 14, 14
	}
	return o
}

// withDefaults fills zero fields and checks the others.
func (o Options) withDefaults(g *float.Graph) (Options, error) {
	d := DefaultOptions(g)
	for _, f := range []struct {
		name         string
		v            *int
		def, lo, top int
	}{
		{"ActivationBits", &o.ActivationBits, d.ActivationBits, 4, 12},
		{"WeightBits", &o.WeightBits, d.WeightBits, 4, 16},
		{"RevealBits", &o.RevealBits, d.RevealBits, 4, 16},
		{"MaxShift", &o.MaxShift, d.MaxShift, 1, 14},
	} {
		if *f.v == 0 {
			*f.v = f.def
		}
		if *f.v < f.lo || *f.v > f.top {
			return o, fmt.Errorf("%w: %s is %d, want %d to %d", ErrOptions, f.name, *f.v, f.lo, f.top)
		}
	}
	if o.Headroom == 0 {
		o.Headroom = d.Headroom
	}
	if !(o.Headroom >= 1 && o.Headroom <= 16) {
		return o, fmt.Errorf("%w: Headroom is %g, want 1 to 16", ErrOptions, o.Headroom)
	}
	for name, r := range o.InputRange {
		if !(r > 0 && r <= 1e30) {
			return o, fmt.Errorf("%w: range %g of input %q", ErrOptions, r, name)
		}
	}
	if int(o.Ranges) >= len(rangesNames) {
		return o, fmt.Errorf("%w: Ranges is %d", ErrOptions, o.Ranges)
	}
	if o.Percentile == 0 {
		o.Percentile = d.Percentile
	}
	if !(o.Percentile >= 90 && o.Percentile <= 100) {
		return o, fmt.Errorf("%w: Percentile is %g, want 90 to 100", ErrOptions, o.Percentile)
	}
	return o, nil
}

// top is the largest magnitude of an activation.
func (o *Options) top() int64 { return 1<<(o.ActivationBits-1) - 1 }
