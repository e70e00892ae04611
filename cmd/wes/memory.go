package main

import (
	"os"
	"strconv"
	"strings"
)

// memoryBudget is three quarters of the machine's memory in GiB, 0 where it is unknown.
func memoryBudget() float64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == "MemTotal:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				return 0
			}
			return float64(int(kib*3/4/(1<<20)*10)) / 10
		}
	}
	return 0
}
