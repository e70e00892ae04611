//go:build icicle && cgo

package groth16

import (
	"fmt"
	"runtime"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/accelerated/icicle"
	accelerated "github.com/consensys/gnark/backend/accelerated/icicle/groth16"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	icicleruntime "github.com/ingonyama-zk/icicle-gnark/v3/wrappers/golang/runtime"
)

// Open loads ICICLE's backend and selects the device. The order matters: without a backend
// SetDevice aborts the process, and without a device IsDeviceAvailable may still say yes.
func Open() (*Device, error) {
	runtime.LockOSThread() // the selected device is the thread's
	defer runtime.UnlockOSThread()
	if e := icicleruntime.LoadBackendFromEnvOrDefault(); e != icicleruntime.Success {
		return nil, fmt.Errorf("%w: no backend: %s; build it with make icicle, and name its folder in ICICLE_BACKEND_INSTALL_DIR", ErrUnavailable, e.AsString())
	}
	device := icicleruntime.CreateDevice(icicle.CUDA.String(), 0)
	if !icicleruntime.IsDeviceAvailable(&device) {
		return nil, fmt.Errorf("%w: no CUDA backend was loaded: build it where nvcc is, with make icicle", ErrUnavailable)
	}
	if e := icicleruntime.SetDevice(&device); e != icicleruntime.Success {
		return nil, fmt.Errorf("%w: no CUDA device: %s", ErrUnavailable, e.AsString())
	}
	return &Device{}, nil
}

// NewProvingKey makes an empty key for Prove to take. It keeps what it has uploaded.
func (*Device) NewProvingKey(c ecc.ID) groth16.ProvingKey { return accelerated.NewProvingKey(c) }

// Prove is gnark's groth16.Prove on the device.
func (*Device) Prove(cs constraint.ConstraintSystem, pk groth16.ProvingKey, w witness.Witness, o ...backend.ProverOption) (groth16.Proof, error) {
	options := []icicle.Option{icicle.WithPinKeysToGPU(true)}
	if len(o) > 0 {
		options = append(options, icicle.WithProverOptions(o...))
	}
	return accelerated.Prove(cs, pk, w, options...)
}
