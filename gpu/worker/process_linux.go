package worker

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// limitAddressSpace bounds the address space of this process, in bytes.
func limitAddressSpace(size int64) error {
	limit := syscall.Rlimit{Cur: uint64(size), Max: uint64(size)}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		return fmt.Errorf("limit address space to %d bytes: %w", size, err)
	}
	return nil
}

// residentSize is that of this process in bytes, 0 if the system does not tell.
func residentSize() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(statm)
	if err != nil || len(fields) < 2 {
		return 0
	}
	return number(fields[1]) * int64(os.Getpagesize())
}

// memoryKills counts the processes that the kernel has killed for want of memory, in all
// containers of the machine; 0 if it does not tell.
func memoryKills() int64 {
	stat, err := os.ReadFile("/proc/vmstat")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(stat, []byte("\noom_kill "))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return number(line)
}

func number(text []byte) int64 {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
