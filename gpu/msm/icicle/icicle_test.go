//go:build cgo && (icicle || icicle_v3) && !(icicle && icicle_v3)

package icicle

import (
	"os"
	"testing"

	"github.com/weisyn/wes/gpu/msm/msmtest"
)

// DeviceVariable is the environment variable that names the device to test; empty: CPU.
const deviceVariable = "WES_ICICLE_DEVICE"

func TestContract(t *testing.T) {
	device := os.Getenv(deviceVariable)
	if device == "" {
		device = CPU
	}
	e, err := Open(t.Context(), Options{Device: device})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(e.Name())
	msmtest.Run(t, e)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestProbeFindsTheDeviceThatOpenTakes(t *testing.T) {
	findings := Probe(t.Context(), Options{})
	for _, f := range findings {
		t.Logf("%s: %s: %s; %s", f.Subject, f.Status, f.Why, f.Remedy)
	}
	e, err := Open(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if last := findings[len(findings)-1]; last.Status != Found {
		t.Errorf("opened %s, and yet: %+v", e.Name(), last)
	}
}
