// Package fleet is the work queue between a node and its workers, on NATS JetStream. It knows
// what a task costs in memory and when it is due, and nothing of what is in it.
//
// # Lifecycle of a task
//
//	Submit ─ tasks stream ─ worker: mark, program, Execute ─ outcomes stream ─ Outcomes ─ Done
//
// A task is a message of the tasks stream until it is answered. A worker takes one task a slot:
// first from the queue of the slot's device, then from the one for any worker. It counts the
// attempt in the task's mark before it begins, keeps the message alive while there is progress,
// publishes the outcome and acknowledges the message then only. The node deletes the message when
// it has the outcome, and the outcome when [Queue.Done] says so; a mark remains for a day, so that
// a task given again is not done again.
//
// # What holds
//
//   - One outcome a task: the outcomes stream takes one message a task, and the node ignores those
//     of tasks that are answered.
//   - A task whose worker died is delivered again after [Config.AckWait]; one without progress for
//     [Config.Stall] is taken from its worker. After [Config.Attempts] it is answered with the
//     reason of the last attempt, or [ReasonLost].
//   - A task that was not begun when it is due is answered with [ReasonExpired].
//   - Tasks and outcomes outlive the process of the node. Outcomes without Done are handed over
//     again after a restart. What a power failure costs is bounded by the seconds between syncs.
//   - Streams, messages and objects are bounded. [ErrFull] says that a bound is reached.
//
// # Trust
//
// The node trusts its workers to compute, not to format: each message has a bound and one
// encoding, and what breaks it is dropped. A worker of the embedded server's listener needs the
// token, and may take tasks and answer them, no more. Clocks of node and workers must agree to
// about a second.
package fleet
