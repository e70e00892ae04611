//go:build !cgo || !(icicle || icicle_v3)

package icicle

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/gpu/msm"
)

// Distribution names the library of this build, if any.
const Distribution = ""

const remedy = `build with cgo and the tag icicle, after "make icicle"`

// Open returns an error that wraps msm.ErrUnavailable.
func Open(context.Context, Options) (msm.Engine, error) {
	return nil, fmt.Errorf("%w: this program was built without ICICLE: %s", msm.ErrUnavailable, remedy)
}

// Probe finds that there is nothing to find.
func Probe(context.Context, Options) []Finding {
	return []Finding{{Subject: "ICICLE", Status: Missing, Why: "this program was built without it", Remedy: remedy}}
}
