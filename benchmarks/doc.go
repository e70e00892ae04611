// Package benchmarks measures what this program sells, so that an operator can publish
// figures and others can repeat them. Run measures, Report is what it found, Compare sets two
// reports side by side.
//
// A suite is a list of cases. A case has an input that follows from the seed alone, whose
// digest is in the report. Opening a case makes the input, warms up, and checks that the
// result is right; nothing of that is counted. Then the case runs a number of times, and each
// run gives one value for each of its metrics. Where a metric has a baseline, each run measures
// both, one after the other, in turns as to which comes first: the ratio is the median of the
// runs' ratios, so that a machine that is slow for a while slows both.
//
// All metrics are better when they are smaller. Seconds are wall time.
package benchmarks
