// Package machine joins the parts of package gpu into what a process proves with: it looks
// for devices, claims them, watches them, and runs tasks on them or on the CPU.
//
//	Open   probe ─ claim ─ slots ─ monitor ─ dispatcher
//	Close  the same in reverse; it waits for jobs, workers and the monitor
//
// A machine without devices is a machine all the same: its tasks run on the CPU. Why it has
// none is in its Findings.
package machine
