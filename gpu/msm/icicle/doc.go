// Package icicle is the msm.Engine of ICICLE, for GPUs. It exists in builds with one of two
// tags: icicle takes github.com/ingonyama-zk/icicle-gnark, whose CUDA sources come with the
// module and which gnark uses too; icicle_v3 takes github.com/ingonyama-zk/icicle, for
// those who have its licensed CUDA backend. Both need cgo and native libraries, which "make
// icicle" builds. In other builds [Open] says so.
//
// ICICLE can end the process: a C++ exception, a lost device. Engine and [Probe] belong in
// a child process; see package remote.
//
// ICICLE ties a device to an OS thread, so each engine keeps one and does everything there.
// Bases are written in canonical form once and stay on the device. Points at infinity never
// reach it, as ICICLE's mixed addition has no case for them. Results are homogeneous projective
// in canonical form. Vectors of transforms keep their Montgomery form: a transform is linear.
package icicle

// Options say where ICICLE looks and what it uses.
type Options struct {
	// Backend is the folder of device backends. Empty: ICICLE_BACKEND_INSTALL_DIR, else
	// ICICLE's default.
	Backend string
	// Device is "CUDA" or "CPU". Empty: CUDA where it works, else CPU. ICICLE's CPU device
	// is several times slower than msm.CPU and serves to test.
	Device string
}

// Devices of Options.
const (
	CUDA = "CUDA"
	CPU  = "CPU"
)

// Subjects of findings: a GPU, and the device that serves to test.
const (
	SubjectCUDA = "ICICLE's CUDA device"
	SubjectCPU  = "ICICLE's CPU device"
)

// Finding is one thing that Probe looked for.
type Finding struct {
	Subject string
	Status  Status
	Why     string // what was seen
	Remedy  string // what to do, if anything
}

// Status of a finding.
type Status string

// The statuses: Broken is there but does not work.
const (
	Found   Status = "found"
	Missing Status = "missing"
	Broken  Status = "broken"
)
