//go:build !linux

package pipeline

import "runtime"

// peakRSS is the memory that the runtime obtained so far, in bytes.
func peakRSS() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
