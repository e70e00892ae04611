// Package report holds what benchmarks measured: its JSON, its tables and plots, and the
// comparison of two. It measures nothing. Reports may come from strangers.
//
// All metrics are better when they are smaller. Seconds are wall time. A metric may have a
// baseline, which ran beside it in every run: their ratio is the median of the runs' ratios,
// so that a machine that is slow for a while slows both.
package report
