// Package store keeps a ledger in a folder: headers, bodies, attachments, the unspent outputs,
// what undoes blocks, and indexes to find outputs and transactions by. It wraps Badger and is
// its only importer.
//
// # Writing and reading
//
// One goroutine writes. Its view is the working state, after the last Connect or Disconnect. A
// [Reader] sees the state of the last End and keeps seeing it until it is closed; [Published]
// reads the newest such state at each call. Any goroutine may read.
//
// # Durability
//
// Every write is synced before it returns. A block is one Badger transaction: outputs, spent
// marks, names of verifying keys, indexes and the ledger. Badger's WriteBatch, which splits
// what is large, is never used. Index entries beyond what a transaction takes (a block of 2 MiB
// can hold 410,000 outputs) travel in it as one value, a redo record, from which the entries
// are written before Connect returns, or when the store is opened. Bodies and attachments are
// written before, under their hashes.
//
// A move that undoes blocks has a journal. If it was cut off, Open finishes it when its last
// block was connected, and else rolls it back. A move that only appends has none: each of its
// blocks is a state to start from, so Open stays at the last whole block.
//
// # What is kept
//
// Outputs are kept in groups of up to 64 of one transaction, beside a mark of which are spent.
// They stay until all of a group were spent UndoDepth blocks ago; so undo data is small even
// where a block spends gigabytes of states. Attachments are kept for AttachmentDepth blocks
// after they were last attached, or while they are pinned, or while an unspent output names
// them as its verifying key. [Store.Prune] removes the rest, [Store.CollectGarbage] gives the
// room back.
//
// # Layout
//
// Keys are a letter and what follows; integers are big-endian.
//
//	f                              format version, 1 byte
//	l                              chain.Ledger of the working state
//	j                              journal of a move: tip at Begin, undone and applied hashes
//	R                              redo record of index entries
//	B                              base: height of the lowest state that can be returned to
//	P                              height up to which the queue of attachments was worked through
//	H height(8) block(32)          header(240) flags(1) seal
//	n block(32)                    height(8) of a header
//	b block(32)                    encoded block
//	m height(8)                    hash of the ledger's block at a height
//	d height(8) block(32)          ledger after a block, whether its proofs were checked, names of keys
//	o tx(32) group(2)              outputs 64·group to 64·group + 63 of a transaction
//	s tx(32) group(2)              spent outputs, 64 bits, and the height of the last spending
//	k key(32)                      how many unspent outputs name a verifying key
//	a hash(32)                     attachment, after a byte 1
//	r hash(32)                     height(8) at which an attachment was last used
//	q height(8) hash(32)           attachment to look at when height is AttachmentDepth deep
//	p hash(32)                     pin of an attachment
//	t tx(32)                       height(8) index(4) of a transaction
//	u subject(33) tx(32) index(2)  unspent output of a subject
//	h subject(33) height(8) tx(4)  transaction that touches a subject
//
// # Errors
//
// Whatever can't be read is a [*CorruptError], which names the key and what it holds. Badger
// reports a damaged table as a missing key, and a damaged value as an empty one: no value here
// is empty, and blocks are marked as bad only after the checksums of all tables were verified.
package store
