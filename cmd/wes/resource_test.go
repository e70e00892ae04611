package main

import (
	"math"
	"strconv"
	"testing"
)

func TestSizesHaveUnitsAndBounds(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "1000": 1000, "1B": 1, "2kB": 2000, "500MB": 500e6, "3KiB": 3072, "2GiB": 2 << 30, "1TiB": 1 << 40,
		strconv.Itoa(math.MaxInt64): math.MaxInt64,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "GiB", "-1", "1.5GB", "1 GB", "1XB", "1GBB", "9223372036854775808", "8388608TiB"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}
