package replica

import (
	"iter"

	"github.com/weisyn/wes/chain"
)

// Store keeps headers, bodies, attachments and the ledger. One goroutine writes; any may read.
// Every write is durable when it returns. Errors are faults of this machine.
type Store interface {
	// The view is of the working state: after the last Connect or Disconnect.
	chain.View
	chain.Attachments
	// Ledger is that of the working state.
	Ledger() chain.Ledger

	// Headers yields all headers but that of the genesis block, parents first.
	Headers() iter.Seq2[chain.StoredHeader, error]
	// Header returns a header by the hash of its block, the genesis block included.
	Header(h chain.Hash) (chain.StoredHeader, bool, error)
	// PutHeaders adds headers, parents first.
	PutHeaders(hs []chain.StoredHeader) error
	// MarkStored records that bodies and all their attachments are at hand.
	MarkStored(hs []chain.Hash) error
	// MarkBad records that blocks break a rule; their bodies may go.
	MarkBad(hs []chain.Hash) error

	// PutBody stages a block under the hash of its header.
	PutBody(b *chain.Block) error
	// Block returns a block by its hash.
	Block(h chain.Hash) (*chain.Block, bool, error)
	// PutAttachments stages bytes under their SHA-256.
	PutAttachments(all ...[]byte) error

	// Begin opens a move of the ledger: blocks to undo and then to apply, each in order.
	Begin(undo, apply []chain.Hash) error
	// Disconnect undoes the last block of the ledger and returns it.
	Disconnect() (*chain.Block, error)
	// Connect appends a block to the ledger. Checked says that its attachments and proofs were.
	Connect(b *chain.Block, a *chain.Applied, checked bool) error
	// End closes the move: readers see the new state from here on.
	End() error
	// Rollback returns to where Begin stood, as opening a store does after a crash.
	Rollback() error
}

// Source is what a Server reads: the state that readers see. It is read from several
// goroutines at once.
type Source interface {
	chain.Attachments
	// MainHash returns the block of the ledger's branch at a height.
	MainHash(height uint64) (chain.Hash, bool, error)
	// MainHeight returns the height of a block of the ledger's branch.
	MainHeight(h chain.Hash) (uint64, bool, error)
	// Header returns a header by the hash of its block.
	Header(h chain.Hash) (chain.StoredHeader, bool, error)
	// Body returns an encoded block by its hash.
	Body(h chain.Hash) ([]byte, bool, error)
}
