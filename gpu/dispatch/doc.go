// Package dispatch runs jobs on devices, each in a child process that sees its device alone,
// and moves them on when something breaks: to another attempt, then to the CPU. What a job
// computes is the same everywhere, so moving it changes no result.
//
// What becomes of an attempt that failed:
//
//	the method refused (bad_input, failed, a reason of its own)  the job fails
//	canceled, deadline                                           the job fails
//	worker_crashed, worker_hung, worker_protocol                 one more attempt on a device, then the CPU
//	device_lost                                                  the device is reported; as above
//	the device went out of service meanwhile                     as above
//	out_of_memory on a device                                    the CPU
//	out_of_memory on the CPU                                     the job fails
//
// On the CPU a job that was lost gets one more attempt if it had none before. A lease of a
// device is released before the next attempt, always.
package dispatch

import "errors"

// ErrClosed is returned by Dispatcher.Do once the Dispatcher is closed.
var ErrClosed = errors.New("dispatcher is closed")
