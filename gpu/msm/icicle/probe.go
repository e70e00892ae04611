//go:build cgo && (icicle || icicle_v3) && !(icicle && icicle_v3)

package icicle

import (
	"context"
	"fmt"
)

// Probe says what Open would find. It runs native code that can end the process.
func Probe(ctx context.Context, o Options) []Finding {
	t := newThread()
	defer t.close()
	var findings []Finding
	err := t.do(ctx, func() error {
		_, findings = choose(o)
		return nil
	})
	if err != nil {
		return []Finding{{Subject: Distribution, Status: Broken, Why: err.Error()}}
	}
	return findings
}

// choose ties a device to this thread and says how it came to that, the empty string if
// o.Device does not work. A backend is loaded before anything is asked of a device: ICICLE
// ends the process when a device without a backend is set. That a device is available says
// only that its backend was loaded; that it could be set says that it is there.
func choose(o Options) (device string, findings []Finding) {
	findings = append(findings, Finding{Subject: Distribution, Status: Found, Why: "linked into this program"})
	if o.Device != CPU {
		f := cuda(o.Backend)
		findings = append(findings, f)
		if f.Status == Found {
			return CUDA, findings
		}
	}
	if o.Device == CUDA {
		return "", findings
	}
	if s := setDevice(CPU); s != success {
		return "", append(findings, Finding{Subject: SubjectCPU, Status: Broken, Why: s.AsString()})
	}
	return CPU, append(findings, Finding{Subject: SubjectCPU, Status: Found, Why: "for tests: the CPU engine is faster"})
}

func cuda(backend string) Finding {
	f := Finding{Subject: SubjectCUDA, Status: Missing}
	if s := loadBackend(backend); s != success {
		f.Why = fmt.Sprintf("no backend was loaded: %s", s.AsString())
		f.Remedy = `run "make icicle" where nvcc is, and set ICICLE_BACKEND_INSTALL_DIR to its lib/backend`
		return f
	}
	if !deviceAvailable(CUDA) {
		f.Why, f.Remedy = "the backend folder has no CUDA backend that can be loaded", `run "make icicle" where nvcc is; its libraries need those of the CUDA toolkit`
		return f
	}
	if s := setDevice(CUDA); s != success {
		f.Why, f.Remedy = fmt.Sprintf("the CUDA backend found no GPU: %s", s.AsString()), "check the GPU's driver with nvidia-smi, and CUDA_VISIBLE_DEVICES"
		return f
	}
	f.Status, f.Why = Found, "the backend was loaded and the device set"
	return f
}
