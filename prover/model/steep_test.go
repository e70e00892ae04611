package model

import (
	"math"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// rescaleOf is the only rescale of a graph.
func rescaleOf(t *testing.T, low *Lowered) *graph.Rescale {
	t.Helper()
	for i := range low.Graph.Nodes {
		if op, ok := low.Graph.Nodes[i].Op.(*graph.Rescale); ok {
			return op
		}
	}
	t.Fatal("no rescale")
	return nil
}

// TestCellsOfOneTensorAreLookedUpAsTheyAre: a table of a tensor has a row for each of its cells, however
// steep the function is, and the lookup needs no remainder.
func TestCellsOfOneTensorAreLookedUpAsTheyAre(t *testing.T) {
	for _, f := range []float.Scalar{&float.Pow{Exponent: 2}, &float.Exp{}, &float.Sigmoid{}, &float.Gelu{}, &float.Round{}} {
		for _, factor := range []float32{1, -2} {
			n := newNetwork(t, 1, []int{4, 8})
			n.output(n.add(f, n.add(&float.MulConst{C: float.Tensor{Shape: []int{1, 1}, Data: []float32{factor}}}, 0)))
			low := n.lower(Options{})
			op := rescaleOf(t, low)
			if d := low.Graph.Tables[op.Table].Domain(); op.MaxShift() != 0 || d.Lo != -127 || d.Hi != 127 {
				t.Errorf("%s of %g·x: shift %d, table of %v", f.Kind(), factor, op.MaxShift(), d)
			}
		}
	}
}

// TestSteepFunctionsKeepTheirSteps: quotients are half a step of the value apart where it is steepest, so that
// rounding the input, which weighs more, is about all there is.
func TestSteepFunctionsKeepTheirSteps(t *testing.T) {
	n := newNetwork(t, 1, []int{16, 8})
	n.output(n.add(&float.Exp{}, n.add(&float.MulConst{C: float.Tensor{Shape: []int{1, 1}, Data: []float32{2}}}, n.matMul(0, 8))))
	low, err := Lower(t.Context(), &n.g, n.samples(2), Options{ActivationBits: 12, WeightBits: 16, Ranges: RangesMax})
	if err != nil {
		t.Fatal(err)
	}
	if a := low.Report.Outputs[0]; !(a.MaxAbs <= 8*a.Largest/float64(low.Report.Options.top())) {
		t.Errorf("off by %g of %g", a.MaxAbs, a.Largest)
	}
}

// TestProductsKeepTheirMultipliers: a cell of a product is far finer than one of a tensor that is
// added to it, and its multiplier must not be a number of two bits.
func TestProductsKeepTheirMultipliers(t *testing.T) {
	for _, bits := range []int{8, 12} {
		n := newNetwork(t, 3, []int{4, 6}, []int{4, 6}, []int{4, 6})
		n.output(n.add(&float.Add{}, n.add(&float.Mul{}, 0, 1), 2))
		low := n.lower(Options{ActivationBits: bits})
		for i := range low.Graph.Nodes {
			acc := graph.AccumulatorOf(low.Graph.Nodes[i].Op)
			if acc == nil {
				continue
			}
			for _, term := range acc.Terms {
				if err := 0.5 / math.Abs(float64(term.Mult)); !(err < 1/float64(low.Report.Options.top())) {
					t.Errorf("%d bits: multiplier %d", bits, term.Mult)
				}
			}
		}
		n.close(low, 2/float64(low.Report.Options.top()))
	}
}
