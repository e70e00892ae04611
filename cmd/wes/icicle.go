package main

import (
	"context"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/msm/icicle"
)

// icicleProbe asks a child for ICICLE.
type icicleProbe struct{ child icicle.Child }

var _ gpu.Prober = icicleProbe{}

func (p icicleProbe) Probe(ctx context.Context) (gpu.Inventory, error) {
	var i gpu.Inventory
	for _, f := range icicle.ProbeChild(ctx, p.child, icicle.Options{}) {
		i.Findings = append(i.Findings, gpu.Finding{Subject: f.Subject, Status: gpu.Status(f.Status), Why: f.Why, Do: f.Remedy})
	}
	return i, ctx.Err()
}
