package pipeline

import (
	"bytes"
	"os"
	"strconv"
)

// peakRSS is the largest resident size of the process so far, in bytes; 0 if the system
// does not tell. getrusage would count what the parent held before exec.
func peakRSS() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	line, _, _ := bytes.Cut(rest, []byte("kB"))
	kib, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}
