package worker

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

// memoryPeriod is how often a child looks at its size. A core touches a few hundred MB of
// new memory in that time.
const memoryPeriod = 50 * time.Millisecond

// limitMemory makes the collector work harder near the budget, and sets the system's limit.
func limitMemory(l limits) error {
	if l.Memory > 0 {
		debug.SetMemoryLimit(l.Memory - l.Memory/8)
	}
	if l.AddressSpace > 0 {
		return limitAddressSpace(l.AddressSpace)
	}
	return nil
}

// watchMemory ends the process when it exceeds its budget.
func (s *server) watchMemory() {
	if s.limits.Memory == 0 {
		return
	}
	tick := time.NewTicker(memoryPeriod)
	defer tick.Stop()
	for {
		select {
		case <-s.over:
			return
		case <-tick.C:
		}
		if size := residentSize(); size > s.limits.Memory {
			fmt.Fprintf(os.Stderr, "memory budget of %d bytes exceeded: %d resident\n", s.limits.Memory, size)
			os.Exit(statusMemory)
		}
	}
}
