// Package benchmarks measures what this program sells, so that an operator can publish
// figures and others can repeat them. Run measures, package report holds what it found.
//
// A suite is a list of cases. A case has an input that follows from the seed alone, whose
// digest is in the report; only the keys of circuits come from random numbers. Opening a case
// makes the input and warms up, which is not counted. Kernels must give their baseline's
// result there, proofs are verified in every run. Then the case runs a number of times, and
// each run gives one value for each of its metrics. Where there is a baseline, each run
// measures both, one after the other, in turns as to which comes first.
//
// gnark logs to standard output through a global logger: who calls Run calls circuit.Silence
// before.
package benchmarks
