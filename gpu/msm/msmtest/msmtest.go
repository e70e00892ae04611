// Package msmtest holds the tests that every msm.Engine must pass: its results equal
// gnark-crypto's, bit for bit, whatever the sizes, widths and values.
package msmtest

import (
	"os"
	"testing"

	"github.com/weisyn/wes/gpu/msm"
)

// LargeVariable is the environment variable that, when not empty, adds sizes up to 2^18 to
// the tests of multiplications, which take minutes on slow engines.
const LargeVariable = "WES_TEST_LARGE"

func large() bool { return os.Getenv(LargeVariable) != "" }

// Run runs all tests on one engine, which the caller closes.
func Run(t *testing.T, e msm.Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, msm.Engine)
	}{
		{"SizesOfOneMSM", sizes},
		{"Batches", batches},
		{"EveryWidth", widths},
		{"RowsOfSmallIntegers", rowValues},
		{"RowsOfEveryShape", rowShapes},
		{"RowsReportProgress", rowProgress},
		{"TransformsEqualTheDefinition", transformsByDefinition},
		{"TransformsEqualGnark", transforms},
		{"WrongLengthsAreErrors", lengths},
		{"WideScalarsAreErrors", wideScalars},
		{"CanceledContextsAreErrors", canceled},
		{"ManyCallersAtOnce", concurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, e) })
	}
}
