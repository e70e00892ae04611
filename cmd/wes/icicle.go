package main

import (
	"context"

	"github.com/weisyn/wes/gpu"
)

// methodICICLE is the name under which a child looks for ICICLE.
const methodICICLE = "icicle.probe"

// lookForICICLE finds that this build has none.
func lookForICICLE(context.Context) []gpu.Finding {
	return []gpu.Finding{{
		Subject: "ICICLE", Status: gpu.Missing, Why: "this program was built without it; the CPU does its work",
		Do: "to commit and to prove circuits on a GPU: run `make icicle`, then build with the tag icicle",
	}}
}
