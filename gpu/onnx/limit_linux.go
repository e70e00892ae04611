package onnx

import (
	"fmt"
	"syscall"
)

// limitMemory bounds the address space of this process; 0 is no limit.
func limitMemory(bytes int64) error {
	if bytes <= 0 {
		return nil
	}
	limit := syscall.Rlimit{Cur: uint64(bytes), Max: uint64(bytes)}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		return fmt.Errorf("limit memory to %d bytes: %w", bytes, err)
	}
	return nil
}

// limitCPU lets this process use some more seconds of processor time; 0 is no limit.
func limitCPU(seconds int) error {
	if seconds <= 0 {
		return nil
	}
	var used syscall.Rusage
	var limit syscall.Rlimit
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return fmt.Errorf("read processor time: %w", err)
	}
	if err := syscall.Getrlimit(syscall.RLIMIT_CPU, &limit); err != nil {
		return fmt.Errorf("read limit of processor time: %w", err)
	}
	limit.Cur = min(limit.Max, uint64(used.Utime.Sec+used.Stime.Sec)+uint64(seconds)+1)
	if err := syscall.Setrlimit(syscall.RLIMIT_CPU, &limit); err != nil {
		return fmt.Errorf("limit processor time to %d s: %w", seconds, err)
	}
	return nil
}
