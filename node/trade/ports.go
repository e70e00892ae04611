package trade

import (
	"context"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/wallet"
)

// Peers reaches other nodes.
type Peers interface {
	// Self returns the name of this node and where it can be reached.
	Self() (name string, addresses []string)
	// Ask sends a request and returns the answer, of at most limit bytes. Who is not a peer yet is
	// dialled.
	Ask(ctx context.Context, to market.Contact, protocol string, request []byte, limit int) ([]byte, error)
	// Count is how many peers there are.
	Count() int
	// Publish gossips an advert.
	Publish(ctx context.Context, advert []byte) error
}

// Ledger is the node's ledger and mempool.
type Ledger interface {
	wallet.Ledger
	Tip() Tip
	// Touches returns the transactions of blocks that concern a job, the oldest first.
	Touches(ctx context.Context, job chain.Hash) (Tip, []Touch, error)
	// Held returns the transactions of blocks that bring or move what a lock holds, the oldest first.
	Held(ctx context.Context, lock chain.Hash) (Tip, []Touch, error)
	// Pending returns a transaction of the mempool.
	Pending(ctx context.Context, id chain.Hash) (*chain.Tx, chain.Witness, bool, error)
	// Submit takes a transaction into the mempool; one that it has already is no error.
	Submit(ctx context.Context, t *chain.Tx, w chain.Witness, attachments [][]byte) error
	// Key returns a verifying key by its hash.
	Key(ctx context.Context, h chain.Hash) ([]byte, bool, error)
	// Changes returns what happens from now on. The channel is closed when the reader is too slow,
	// or calls the function returned.
	Changes() (<-chan Change, func())
}

// Change is news of the ledger: the tip has moved, or a transaction has entered the mempool.
type Change struct {
	Moved   bool
	Entered *chain.Tx
}

// Signer is the key that buys, sells and is paid.
type Signer interface {
	Public() chain.PublicKey
	Lock() chain.Lock
	Sign(h chain.Hash) []byte
}

// Program is a model or circuit that this node can execute and prove.
type Program struct {
	Ref      market.Ref // output that announces it
	Name     string
	Content  string // CID
	Kind     chain.JobKind
	Key      chain.VerifyingKey
	Model    chain.Hash
	Units    uint64 // of work
	Memory   uint64 // bytes that a run takes
	ProveFee uint64 // what settling by proof costs
}

// Task is a run of a program.
type Task struct {
	Job     chain.Hash
	Program Program
	Payload []byte
	Payee   chain.Hash // LockHash of whom the proof pays
	Device  string     // UUID; empty: the CPU
	Prove   bool
	Due     uint64 // ms since 1970
	Attempt uint8  // of the job; tasks of one job and attempt are the same
}

// Ran is what came of a task.
type Ran struct {
	Output, Proof []byte
	Took          uint64 // ms
	Memory        uint64 // bytes
	Device        string
}

// RunError is a run that came to nothing, with the reason that the market knows.
type RunError struct {
	Code market.Code
	Text string
}

func (e *RunError) Error() string { return string(e.Code) + ": " + e.Text }

// Works executes and proves.
type Works interface {
	// Program returns a program that is offered; false if it is not, or not yet.
	Program(ref market.Ref) (Program, bool)
	// Programs lists what is offered.
	Programs() []Program
	// Want is told that somebody asked for a program that is not offered.
	Want(ref market.Ref)
	// Await returns a program as soon as it is offered.
	Await(ctx context.Context, ref market.Ref) (Program, error)
	// Check returns the input of a payload as the ledger sees it, or refuses one that does not fit
	// the program.
	Check(ctx context.Context, p *Program, payload []byte) (input []byte, r *market.Refusal)
	// Run executes a task. An error is a *RunError or that of the context. If the context's cause is
	// ErrHalted the task is given up; otherwise the next process runs the same one.
	Run(ctx context.Context, t *Task, progress func(stage string, done, total int)) (*Ran, error)
	// Done is told that what came of a task is stored. It does not wait.
	Done(t *Task)
}
