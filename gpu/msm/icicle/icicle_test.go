//go:build cgo && (icicle || icicle_v3) && !(icicle && icicle_v3)

package icicle

import (
	"os"
	"testing"

	"github.com/weisyn/wes/gpu/msm/msmtest"
)

// testDevice is what the environment names, else CPU.
func testDevice() string {
	if device := os.Getenv("WES_ICICLE_DEVICE"); device != "" {
		return device
	}
	return CPU
}

func TestContract(t *testing.T) {
	e, err := Open(t.Context(), Options{Device: testDevice()})
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

func BenchmarkDevice(b *testing.B) {
	e, err := Open(b.Context(), Options{Device: testDevice()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	msmtest.Benchmark(b, e)
}
