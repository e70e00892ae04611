// Package executor executes and proves the jobs of the market on this machine: inferences with
// package pipeline, circuits with package circuit. It knows programs as packages of strangers, and
// inputs and outputs as the ledger has them (docs/attachments.md).
package executor
