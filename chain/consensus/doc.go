// Package consensus decides which chain of headers to follow. It is pure: the time of arrival
// and the local clock are inputs, and nothing is stored or sent.
//
// The caller
//
//  1. feeds headers to a [Presync] until they show enough work, and only then to
//     [Index.Add], so that headers without work are never kept;
//  2. calls [Index.Complete] when the body of a block and its attachments have arrived, with
//     the time at which they did;
//  3. moves the ledger along [Path] to [Index.Best], which is also what to mine on;
//  4. calls [Index.Invalidate] for a block that breaks a rule, and returns to 3.
//
// Errors of a header are a [*HeaderError], which never changes, or [ErrOrphan] and [ErrHeld],
// which may.
package consensus
