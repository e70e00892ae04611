// Package pipeline joins the steps of the main job: import a model, lower it to the integer
// graph, commit to its weights, execute, prove, verify. It is what a command line and a
// node share; it knows neither flags nor devices.
//
// Prepare is done once per model, Line.Attach once per model and process, Line.Prove once
// per request:
//
//	program, err := line.Prepare(ctx, source)
//	executor, err := line.Attach(ctx, program, pipeline.EngineAuto)
//	outcome, err := line.Prove(ctx, program, executor, request)
//
// Run does all three. Verify needs none of them.
//
// An error is the caller's (a model, an input or options that do not fit) unless it is a
// *Fault, which means that this program or machine went wrong, or that of an ended context.
package pipeline
