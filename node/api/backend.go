package api

import (
	"context"

	"github.com/weisyn/wes/chain"
)

// Node is what a server needs of the node it belongs to.
type Node interface {
	// Status is a recent summary.
	Status() Status
	// Peers lists the connected peers.
	Peers() []Peer
	// Read returns the ledger as readers see it now; to be closed.
	Read() Reader
	// Submit takes a transaction into the mempool. An error is a *Refused, or a fault.
	Submit(ctx context.Context, tx *chain.Tx, w chain.Witness, attachments [][]byte) error
	// Check validates a transaction on the tip, without taking it.
	Check(ctx context.Context, tx *chain.Tx, w chain.Witness) (*chain.Verdict, error)
	// Pending returns a transaction of the mempool.
	Pending(ctx context.Context, id chain.Hash) (*chain.Tx, chain.Witness, bool, error)
	// Make makes blocks, on dev networks; see ErrNoMiner.
	Make(ctx context.Context, blocks int) ([]chain.Hash, error)
	// Confirmed returns the work of the blocks on top of a block, in hashes; ErrNotFound if it is
	// not on the ledger's branch.
	Confirmed(ctx context.Context, block chain.Hash) (work string, err error)
	// Subscribe returns changes from now on. The channel is closed when the subscriber is too
	// slow, or calls the function returned.
	Subscribe() (<-chan Notice, func())
}

// Notice is a change of the ledger or of the mempool.
type Notice struct {
	Undone, Applied []*chain.Block // each lowest first
	Entered         *chain.Tx      // a transaction that is in the mempool now, or nil
}

// Reader is a state of the ledger that does not change.
type Reader interface {
	Ledger() chain.Ledger
	MainHash(height uint64) (chain.Hash, bool, error)
	MainHeight(h chain.Hash) (uint64, bool, error)
	Block(h chain.Hash) (*chain.Block, bool, error)
	Attachment(h chain.Hash) ([]byte, bool, error)
	VerifyingKey(h chain.Hash) ([]byte, bool, error)
	Entry(o chain.Outpoint) (chain.Entry, bool, error)
	// Place returns where a transaction is.
	Place(tx chain.Hash) (height uint64, index int, found bool, err error)
	// Outputs returns unspent outputs of a subject from a cursor on, and the next cursor, empty at
	// the end.
	Outputs(s Subject, from []byte, limit int) ([]chain.UTXO, []byte, error)
	// History returns transactions that touch a subject, the newest first.
	History(s Subject, from []byte, limit int) ([]Appearance, []byte, error)
	Close()
}

// Role is how an output concerns a subject.
type Role string

// The roles. The subject of a lock's role is its LockHash.
const (
	RoleLock     Role = "lock"     // the output's lock has this hash
	RoleOwner    Role = "owner"    // of a resource, pool or policy
	RoleUser     Role = "user"     // of a pool, delegate or payee of a proof
	RoleClient   Role = "client"   // of an escrow or claim
	RoleOperator Role = "operator" // of a bond, escrow, claim or receipt
	RoleToken    Role = "token"    // the token that it holds, or whose policy it is
	RoleContent  Role = "content"  // SHA-256 of a resource's CID
	RoleJob      Role = "job"      // of an escrow, claim or receipt
	RoleState    Role = "state"    // the type of state, in the last byte
)

// Roles lists them.
func Roles() []Role {
	return []Role{RoleLock, RoleOwner, RoleUser, RoleClient, RoleOperator, RoleToken, RoleContent, RoleJob, RoleState}
}

// Subject is what outputs and transactions are found by.
type Subject struct {
	Role Role
	ID   chain.Hash
}

// Appearance is a transaction that touches a subject.
type Appearance struct {
	Height           uint64
	Index            int
	Receives, Spends bool
}
