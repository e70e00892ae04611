// Package consensus decides which blocks a node fetches, applies, undoes and builds on. It is a
// pure core: no goroutine, no clock, no random source, no input or output. The same messages at
// the same times give the same decisions.
//
// # Model
//
// [Core] holds a tree of headers, and of each block the facts that decide: its work, whether
// its body and attachments have come and when, whether it broke a rule. Bodies never pass
// through it, only their names. Events go in with [Core.Step] and [Core.Tick]; what must be
// done comes out of [Core.Ready], for the caller to do. One order of branches (choice.go)
// decides both the tip and what miners build on. A node follows the header of most work, but
// stands on the best branch whose bodies it has.
//
// # The caller's duties
//
//  1. Create the core with New and the records of the last run, from one goroutine, and use it
//     from that goroutine only.
//  2. Call Tick about once a second, and Step for each event, both with the local wall clock in
//     ms since 1970. The time of a Body message is the arrival of the last piece of the block,
//     not the end of its validation.
//  3. After every call handle Ready in the order of its fields. Headers are durable before a
//     Switch is begun. Requests and drops of peers that are gone are ignored.
//  4. A body that arrives is decoded and its Merkle roots are compared with the header's. If
//     they differ the sender is at fault, not the block: report Garbage. Else, if Wants says so,
//     stage the body and report Body, with the attachments that are listed in its transactions
//     and not at hand.
//     Bodies asked for may also come from the mempool, with peer 0.
//  5. An attachment counts as come if its bytes have the hash that was asked for; other bytes
//     are Garbage. Whatever a peer says it lacks is NotFound. Nothing that is missing makes a
//     block invalid.
//  6. A Switch is done in order, one durable step a block, Undo first. If it undoes nothing, it
//     may stop after any block; else it ends whole or is rolled back whole, also across a crash,
//     and readers see either side. Report it with Switched. A broken rule of the body is
//     Invalid, a missing attachment Unavailable. A fault of this machine is neither: stop the
//     node.
//  7. Buried blocks are applied without their attachments and with all other checks.
//  8. Answer requests for headers with After, at most MaxHeaders of them; for bodies and
//     attachments with what is stored, or with NotFound. Announce a tip as a Headers message.
//  9. Drop peers as told. A banned one stays away for a day.
//  10. A miner takes a Template when Due says so, and a new one at least every second. It
//     validates its block before it reports Mined.
//
// # Errors
//
// What peers do wrong ends in a [Drop]. A configuration that contradicts itself is [ErrConfig],
// a damaged store [ErrRecord]; [ErrSwitch] is a bug of the caller. [HeaderError] tells a miner
// which rule its header breaks.
//
// # Bounds
//
// A peer that floods gets nothing stored: headers enter the tree only under branches that end
// with the work of the network, or within 144 blocks' work of the best header. Before that
// they are weighed and forgotten (pass.go). Held headers, blocks in flight and blocks wanted
// are bounded for each peer and branch. A header in memory takes some 250 bytes.
package consensus
