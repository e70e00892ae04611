// Package service runs the jobs of package circuit in child processes.
//
// gnark cannot be cancelled, and a stranger's constraint system can ask for any amount of time
// and memory. So the child's side is a table of worker methods (Service.Methods), and the
// parent's side are functions that call them: Prove through a Dispatcher, which chooses a
// device or the CPU, and Setup through a Runner. A job that is cancelled ends with its process.
//
//	method          request                            reply
//	circuit.prove   head: folder, target, device;      head: report; public values; proof
//	                body: witness
//	circuit.setup   head: the request                  -
//
// A head is JSON after its length in four bytes, the lowest first. Failures have the reasons
// of package worker, and ReasonUnsatisfied.
package service
