//go:build cgo && icicle && !icicle_v3

package icicle

import (
	"github.com/ingonyama-zk/icicle-gnark/v3/wrappers/golang/core"
	"github.com/ingonyama-zk/icicle-gnark/v3/wrappers/golang/curves/bn254"
	"github.com/ingonyama-zk/icicle-gnark/v3/wrappers/golang/curves/bn254/msm"
	"github.com/ingonyama-zk/icicle-gnark/v3/wrappers/golang/curves/bn254/ntt"
	"github.com/ingonyama-zk/icicle-gnark/v3/wrappers/golang/runtime"
)

// Distribution names the library of this build, if any.
const Distribution = "icicle-gnark"

type (
	status      = runtime.EIcicleError
	deviceSlice = core.DeviceSlice
	msmConfig   = core.MSMConfig
	nttConfig   = core.NTTConfig[limbs]
	slice       = core.HostOrDeviceSlice
	direction   = core.NTTDir
)

const (
	success = runtime.Success
	forward = core.KForward
	inverse = core.KInverse
)

func host[T any](elements []T) core.HostSlice[T] { return elements }

func loadBackend(dir string) status {
	if dir == "" {
		return runtime.LoadBackendFromEnvOrDefault()
	}
	return runtime.LoadBackend(dir, true)
}

func deviceAvailable(kind string) bool {
	d := runtime.CreateDevice(kind, 0)
	return runtime.IsDeviceAvailable(&d)
}

func setDevice(kind string) status {
	d := runtime.CreateDevice(kind, 0)
	return runtime.SetDevice(&d)
}

func copyToDevice[T any](dst *deviceSlice, src []T) status {
	_, s := runtime.CopyToDevice(dst.AsUnsafePointer(), host(src).AsUnsafePointer(), uint(dst.Cap()))
	return s
}

func defaultMSM() msmConfig { return core.GetDefaultMSMConfig() }

func multiply(scalars, points slice, c *msmConfig, results slice) status {
	return msm.Msm(scalars, points, c, results)
}

func defaultNTT() nttConfig { return ntt.GetDefaultNttConfig() }

func transform(in slice, d direction, c *nttConfig, out slice) status {
	return ntt.Ntt(in, d, c, out)
}

func initDomain(root limbs) status {
	var r bn254.ScalarField
	return ntt.InitDomain(r.FromLimbs(root[:]), core.GetDefaultNTTInitDomainConfig())
}

func releaseDomain() status { return ntt.ReleaseDomain() }
