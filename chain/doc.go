// Package chain is the pure core of the ledger: what transactions, locks and blocks are, how
// they are encoded, which rules they must keep, and how a block changes the set of unspent
// outputs. It does no input or output, has no clock, and starts no goroutine but those of a
// bounded parallel validation, which end before the call returns.
//
// # Model
//
// A transaction consumes outputs, references outputs (reads them without consuming) and
// creates outputs. An [Output] has a [Lock], a [Value] and, for resources and states, a body.
// Spending an output needs an [InputWitness] that satisfies its lock whole. An output that
// decides what may follow it (a [Delegate] lock or any [State]) owns a segment: the outputs
// from OutBase on, exactly those that the exit demands. Segments never overlap.
//
// Every rule of time compares with now, the timestamp of the parent block, in milliseconds
// since 1970.
//
// # The caller's duties
//
//  1. Decode with the Decode functions; they refuse every encoding but the canonical one.
//  2. Call [Validator.Apply] with the state after the parent, a [View] of its unspent outputs,
//     the block and its attachments. Views are read from several goroutines at once.
//  3. Write the returned [Changes] and undo data as one durable step.
//  4. To leave a block, call [Undone] with its undo data and write what it returns.
//
// # Errors
//
// A broken rule is a [*RuleError] with a stable [Code]. A missing attachment is an
// [*UnavailableError]: the block may be good, so it is neither stored as invalid nor extended.
// A malformed encoding is an [*EncodingError]. Everything else is a fault of this machine, for
// instance a disk that cannot be read, and says nothing about the block.
package chain
