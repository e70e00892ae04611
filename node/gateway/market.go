package gateway

import (
	"cmp"
	"context"
)

// Market is what the gateway needs of the node. Errors that concern the caller are *Problem; any
// other is a fault of the node. Methods may be called from any goroutine.
type Market interface {
	// Models lists the models that can be asked for.
	Models(ctx context.Context) ([]Model, error)
	// Model finds a model by alias or CID. A model that nobody knows is a Problem with status 404.
	Model(ctx context.Context, name string) (*Model, error)
	// Submit starts a job and returns once it has an id. The request names the model by its output or
	// CID and fits it; its tensors are the market's from now on. It refuses what cannot be: 402 if the
	// price is above the highest or cannot be paid, 404 without model, 422 for inputs that do not fit.
	Submit(ctx context.Context, r *Request) (*Job, error)
	// Job returns a job with its outputs, if they are known.
	Job(ctx context.Context, id string) (*Job, error)
	// Jobs lists jobs, newest first, and the cursor of the next page; empty at the end. Outputs may
	// be left out.
	Jobs(ctx context.Context, f JobFilter) ([]Job, string, error)
	// Watch gives the job as it is, and again after every change. A slow reader gets the latest. The
	// channel is closed when the job has ended or ctx ends.
	Watch(ctx context.Context, id string) (<-chan Job, error)
	// Cancel gives a job up. 409 if it is too late for that.
	Cancel(ctx context.Context, id string) error
	// Explain says why a job has the operator that it has, or none.
	Explain(ctx context.Context, id string) (*Explanation, error)
	// Proof returns the proof of a job; 404 while there is none.
	Proof(ctx context.Context, id string) ([]byte, error)
	// Key returns the verifying key of a model or circuit as the ledger has it.
	Key(ctx context.Context, name string) ([]byte, error)
	// Status returns the node's part in the market.
	Status(ctx context.Context) (*Status, error)
	// Cordon stops or allows new work; 409 where nothing is sold.
	Cordon(ctx context.Context, on bool) error
	// Operators lists the operators that this node has heard of.
	Operators(ctx context.Context) ([]Operator, error)
	// Channels lists the payment channels of this node, both those that it pays through and those that
	// it is paid through.
	Channels(ctx context.Context) ([]Channel, error)
	// Devices lists the devices of this node.
	Devices(ctx context.Context) ([]Device, error)
	// Bids lists the bids for a job of this node.
	Bids(ctx context.Context, job string) ([]Bid, error)
	// Ready says why no job can be submitted now; empty if it can.
	Ready() []string
}

// TensorInfo describes an input or output of a model. A dimension of -1 is variable.
type TensorInfo struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype" about:"BOOL, UINT8 to UINT64, INT8 to INT64, FP16, BF16, FP32, FP64"`
	Shape    []int64 `json:"shape" about:"-1 is a variable dimension"`
}

// Tensor is a tensor with its elements: little-endian, row major, without padding, as in the binary
// tensor extension. Data has as many bytes as Shape and Datatype say.
type Tensor struct {
	Name     string  `json:"name"`
	Datatype string  `json:"datatype"`
	Shape    []int64 `json:"shape"`
	Data     []byte  `json:"data" about:"elements, little-endian, row major, in base64"`
}

// Model is a program that jobs can be submitted for.
type Model struct {
	Name     string       `json:"name" about:"alias, or the CID again"`
	CID      string       `json:"cid"`
	Version  string       `json:"version,omitempty"`
	Kind     string       `json:"kind" about:"infer or prove"`
	Resource string       `json:"resource,omitempty" about:"output of the ledger that registers it, transaction:index"`
	Key      string       `json:"key,omitempty" about:"SHA-256 of the verifying key, hexadecimal"`
	Owner    string       `json:"owner,omitempty" about:"address"`
	Price    string       `json:"price,omitempty" about:"least price posted by an operator, base units"`
	Royalty  string       `json:"royalty,omitempty" about:"of the owner for one job, base units"`
	Bytes    uint64       `json:"bytes,omitempty" about:"size of the model"`
	Ready    bool         `json:"ready" about:"an operator offers it"`
	Reason   string       `json:"reason,omitempty" about:"why it is not ready"`
	Inputs   []TensorInfo `json:"inputs"`
	Outputs  []TensorInfo `json:"outputs"`
}

// exact names just this announcement: others may announce the same content.
func (m *Model) exact() string { return cmp.Or(m.Resource, m.CID) }

// The kinds of jobs.
const (
	KindInfer = "infer"
	KindProve = "prove"
)

// Request asks for a job.
type Request struct {
	Kind         string   `json:"kind,omitempty" about:"infer (default) or prove"`
	Model        string   `json:"model" about:"alias or CID of a model or circuit"`
	Version      string   `json:"version,omitempty" about:"of the model; any if empty"`
	Inputs       []Tensor `json:"inputs,omitempty" about:"of infer"`
	Witness      []byte   `json:"witness,omitempty" about:"of prove: the full witness, gnark's binary encoding or JSON of its values, in base64"`
	Outputs      []string `json:"outputs,omitempty" about:"names of the outputs wanted; all if empty"`
	Verification string   `json:"verification,omitempty" about:"zk (default), optimistic or replicated:K"`
	MaxPrice     string   `json:"max_price,omitempty" about:"highest price, base units; empty: as the node is set"`
	DeadlineMS   int64    `json:"deadline_ms,omitempty" about:"how long it may take, ms; 0: as the node is set"`
}

// The states of a proof.
const (
	ProofNone     = "none"
	ProofPending  = "pending"
	ProofVerified = "verified"
	ProofRefused  = "refused"
)

// Job is a job of this node as a client.
type Job struct {
	ID       string `json:"id"`
	Kind     string `json:"kind" about:"infer or prove"`
	Level    string `json:"level" about:"zk, optimistic or replicated:K"`
	Model    string `json:"model" about:"alias, or the CID again"`
	ModelCID string `json:"model_cid"`
	Version  string `json:"version,omitempty" about:"of the model"`

	Assignment string `json:"assignment" about:"announced, assigned or closed"`
	Execution  string `json:"execution" about:"idle, queued, running, proving, done or failed"`
	Settlement string `json:"settlement" about:"unfunded, escrowed, channel, paid, refunded or slashed"`
	Reason     string `json:"reason,omitempty" about:"stable code: why it is where it is"`
	Text       string `json:"text,omitempty" about:"the same in words"`
	Ended      bool   `json:"ended" about:"nothing changes any more"`

	Stage string `json:"stage,omitempty" about:"of the work"`
	Done  int    `json:"done" about:"steps of the stage"`
	Total int    `json:"total" about:"steps of the stage; 0 if unknown"`

	Outputs     []Tensor `json:"outputs,omitempty" about:"missing until they are known"`
	ProofStatus string   `json:"proof_status" about:"none, pending, verified or refused"`
	ProofCID    string   `json:"proof_cid,omitempty"`
	ProofBytes  int      `json:"proof_bytes,omitempty"`

	Price    string    `json:"price,omitempty" about:"agreed, base units"`
	Fee      string    `json:"fee,omitempty" about:"of the ledger so far, base units"`
	Operator string    `json:"operator,omitempty"`
	Device   string    `json:"device,omitempty" about:"class of the operator's device"`
	EscrowTx string    `json:"escrow_tx,omitempty"`
	SettleTx string    `json:"settle_tx,omitempty"`
	Height   uint64    `json:"height,omitempty" about:"of the block with the settlement"`
	Times    Times     `json:"times"`
	Attempts []Attempt `json:"attempts,omitempty" about:"with other operators before"`
}

// Times are when a job reached its states, in ms since 1970; 0: not yet.
type Times struct {
	Submitted uint64 `json:"submitted"`
	Assigned  uint64 `json:"assigned,omitempty"`
	Outputs   uint64 `json:"outputs,omitempty"`
	Proved    uint64 `json:"proved,omitempty"`
	Ended     uint64 `json:"ended,omitempty"`
	Due       uint64 `json:"due,omitempty"`
}

// Attempt is an operator that had a job before and lost it.
type Attempt struct {
	Operator string `json:"operator"`
	Reason   string `json:"reason"`
	Text     string `json:"text,omitempty"`
	EndedMS  uint64 `json:"ended_ms,omitempty"`
}

// JobFilter picks jobs.
type JobFilter struct {
	Open   bool   // only what has not ended
	Limit  int    // 1 to 1,000
	Cursor string // of the page before; empty: the newest
}

// Explanation says why a job has the operator that it has, or none.
type Explanation struct {
	Job      string        `json:"job"`
	Text     string        `json:"text" about:"the whole in words"`
	Asked    int           `json:"asked" about:"operators that answered or should have"`
	Capable  int           `json:"capable" about:"operators that could have run it for another price or at another time"`
	Bids     int           `json:"bids" about:"made in the last round"`
	Rounds   int           `json:"rounds" about:"that were held"`
	Reserve  string        `json:"reserve" about:"highest price of the last round, base units"`
	MaxPrice string        `json:"max_price" about:"highest price the client would pay, base units"`
	Prices   []string      `json:"prices,omitempty" about:"asked for: least, quartiles, most, base units"`
	Reasons  []ReasonCount `json:"reasons,omitempty" about:"of refusals, the most frequent first"`
	Declines []Decline     `json:"declines,omitempty"`
}

// ReasonCount is how often operators gave a reason.
type ReasonCount struct {
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// Decline is why one operator made no bid.
type Decline struct {
	Operator string `json:"operator"`
	Reason   string `json:"reason"`
	Text     string `json:"text,omitempty"`
	Price    string `json:"price,omitempty" about:"that it would have asked for, base units"`
}

// Operator is an operator that this node has heard of.
type Operator struct {
	ID      string    `json:"id" about:"public key, hexadecimal"`
	Peer    string    `json:"peer,omitempty"`
	Bond    string    `json:"bond,omitempty" about:"standing bond, base units"`
	Devices []string  `json:"devices,omitempty" about:"classes"`
	Prices  []Offered `json:"prices,omitempty" about:"posted"`
	Done    int       `json:"done" about:"own jobs that ended well"`
	Broken  int       `json:"broken" about:"own jobs for which a promise was not kept"`
	Shunned bool      `json:"shunned" about:"it has delivered what does not verify"`
	SeenMS  uint64    `json:"seen_ms" about:"ms since 1970"`
}

// Offered is a model that an operator has posted a price for.
type Offered struct {
	Model string `json:"model" about:"CID"`
	Price string `json:"price" about:"base units"`
}

// Channel is a payment channel of this node, until its money has left for good.
type Channel struct {
	ID        string `json:"id"`
	Role      string `json:"role" about:"of this node: client, who pays, or operator, who is paid"`
	Other     string `json:"other" about:"public key of the other side, hexadecimal"`
	State     string `json:"state" about:"opening, open or closing"`
	Cap       string `json:"cap" about:"that the client has locked, base units"`
	Paid      string `json:"paid" about:"by vouchers so far, base units; for the client with royalties"`
	Room      string `json:"room,omitempty" about:"of the client: what further jobs may cost, base units"`
	Jobs      int    `json:"jobs" about:"that are begun and not paid"`
	ExpiresMS uint64 `json:"expires_ms" about:"when the client can take back what is left, ms since 1970"`
	Funding   string `json:"funding" about:"output of the ledger, transaction:index"`
}

// Device is a device of this node.
type Device struct {
	UUID   string `json:"uuid"`
	Name   string `json:"name"`
	Class  string `json:"class"`
	Worker string `json:"worker,omitempty" about:"machine that has it; empty: this one"`
	Memory uint64 `json:"memory,omitempty" about:"bytes"`
	Free   uint64 `json:"free,omitempty" about:"bytes"`
	State  string `json:"state" about:"idle, busy, draining or lost"`
	Text   string `json:"text,omitempty" about:"why it is not of use"`
	Job    string `json:"job,omitempty" about:"that it works on"`
	Queued int    `json:"queued"`
}

// Bid is an operator's bid for a job.
type Bid struct {
	Operator  string `json:"operator"`
	Price     string `json:"price" about:"base units"`
	Promised  uint64 `json:"promised_ms" about:"time that the work is to take, ms"`
	Device    string `json:"device,omitempty" about:"class"`
	Bond      string `json:"bond,omitempty" about:"outpoint of the bond"`
	ExpiresMS uint64 `json:"expires_ms" about:"ms since 1970"`
	Round     int    `json:"round"`
	Chosen    bool   `json:"chosen"`
}
