//go:build !linux

package worker

// limitAddressSpace has no portable form: only Linux holds a child to it.
func limitAddressSpace(int64) error { return nil }

// residentSize is 0, unknown, but on Linux.
func residentSize() int64 { return 0 }

// memoryKills is 0, unknown, but on Linux.
func memoryKills() int64 { return 0 }
