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

// Linked says whether this build has ICICLE.
const Linked = true

// Open loads ICICLE's backend and selects the device. The order matters: without a backend
// SetDevice aborts the process, and without a device IsDeviceAvailable may still say yes.
func Open() (*Device, error) {
	runtime.LockOSThread() // the selected device is the thread's
	defer runtime.UnlockOSThread()
	if e := icicleruntime.LoadBackendFromEnvOrDefault(); e != icicleruntime.Success {
		return nil, fmt.Errorf("%w: no backend: %s; build it with make icicle, and name its folder in ICICLE_BACKEND_INSTALL_DIR", ErrUnavailable, e.AsString())
	}
	device := first()
	if !icicleruntime.IsDeviceAvailable(&device) {
		return nil, fmt.Errorf("%w: no CUDA backend was loaded: build it where nvcc is, with make icicle", ErrUnavailable)
	}
	if e := icicleruntime.SetDevice(&device); e != icicleruntime.Success {
		return nil, fmt.Errorf("%w: no CUDA device: %s", ErrUnavailable, e.AsString())
	}
	return &Device{}, nil
}

func first() icicleruntime.Device { return icicleruntime.CreateDevice(icicle.CUDA.String(), 0) }

// NewProvingKey makes an empty key for Prove to take. It keeps what it has uploaded until
// Free.
func (*Device) NewProvingKey(c ecc.ID) groth16.ProvingKey { return accelerated.NewProvingKey(c) }

// Prove is gnark's groth16.Prove on the device.
func (*Device) Prove(cs constraint.ConstraintSystem, pk groth16.ProvingKey, w witness.Witness, o ...backend.ProverOption) (groth16.Proof, error) {
	options := []icicle.Option{icicle.WithPinKeysToGPU(true)}
	if len(o) > 0 {
		options = append(options, icicle.WithProverOptions(o...))
	}
	return accelerated.Prove(cs, pk, w, options...)
}

// Free takes a key off the device. Memory belongs to the device that is the thread's.
func (*Device) Free(pk groth16.ProvingKey) {
	key, ok := pk.(interface{ FreeGPUResources() })
	if !ok {
		panic(fmt.Sprintf("BUG: %T is no key of NewProvingKey", pk))
	}
	freed, device := make(chan struct{}), first()
	icicleruntime.RunOnDevice(&device, func(...any) {
		defer close(freed)
		key.FreeGPUResources()
	})
	<-freed
}
