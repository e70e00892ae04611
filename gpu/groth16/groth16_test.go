package groth16_test

import (
	"errors"
	"testing"

	"github.com/weisyn/wes/gpu/groth16"
)

func TestWithoutDeviceOpenSaysWhatIsMissing(t *testing.T) {
	d, err := groth16.Open()
	if err == nil {
		t.Skipf("this machine has a device: %s", d.Name())
	}
	if !errors.Is(err, groth16.ErrUnavailable) || d != nil {
		t.Errorf("got %v, %v, want ErrUnavailable", d, err)
	}
}
