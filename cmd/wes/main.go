// Command wes proves inferences of ONNX models and gnark circuits, and verifies such proofs.
//
// Rules of its output: results go to standard output, as a short table for people or, with
// --json, as one JSON object and nothing else. Progress and errors go to standard error.
// Progress is only drawn on a terminal and for work that takes more than a second. An error
// is prefixed "wes:" and says what, where and what to do next. Exit codes are those of
// package constants exitInvalid, exitUsage and exitFault.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/weisyn/wes/prover/circuit"
)

func main() { os.Exit(run()) }

func run() int {
	circuit.Silence()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}
