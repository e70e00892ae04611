package api

// NoParams is the parameter of methods that have none.
type NoParams struct{}

// BlockParams name a block.
type BlockParams struct {
	Hash   string  `json:"hash,omitempty"`
	Height *uint64 `json:"height,omitempty" jsonschema_description:"of the ledger; the tip if neither is given"`
	Raw    bool    `json:"raw,omitempty" jsonschema_description:"with the canonical encoding"`
}

// IDParams name a transaction.
type IDParams struct {
	ID string `json:"id"`
}

// HashParams name bytes by their SHA-256.
type HashParams struct {
	SHA256 string `json:"sha256"`
}

// OutpointParams name an output.
type OutpointParams struct {
	Outpoint string `json:"outpoint" jsonschema_description:"transaction:index"`
}

// SubjectParams ask for a page of what concerns a subject.
type SubjectParams struct {
	Role  Role   `json:"role" jsonschema:"enum=lock,enum=owner,enum=user,enum=client,enum=operator,enum=token,enum=content,enum=job,enum=state"`
	ID    string `json:"id" jsonschema_description:"address or lock hash; token; SHA-256 of a CID; job; number of a type of state"`
	From  string `json:"from,omitempty" jsonschema_description:"cursor of the page before"`
	Limit int    `json:"limit,omitempty" jsonschema_description:"at most 1000; default 100"`
}

// TxParams are a transaction.
type TxParams struct {
	Tx          string   `json:"tx" jsonschema_description:"canonical encoding of the body, hexadecimal"`
	Witness     string   `json:"witness" jsonschema_description:"canonical encoding, hexadecimal"`
	Attachments [][]byte `json:"attachments,omitempty" jsonschema_description:"base64, those that nodes may not have"`
}

// MakeParams say how many blocks to make.
type MakeParams struct {
	Blocks int `json:"blocks"`
}

// SubscribeParams say what to hear of: blocks, transactions that enter the mempool, or those of
// an address.
type SubscribeParams struct {
	To      string `json:"to" jsonschema:"enum=blocks,enum=transactions,enum=address"`
	Address string `json:"address,omitempty"`
}

// UnsubscribeParams name a subscription.
type UnsubscribeParams struct {
	Subscription uint64 `json:"subscription"`
}

// CIDParams name a resource.
type CIDParams struct {
	CID string `json:"cid"`
}

// PinParams name a resource to be kept.
type PinParams struct {
	CID  string `json:"cid"`
	Name string `json:"name,omitempty" jsonschema_description:"for people; at most 255 bytes"`
}

// ReplicateParams say how many peers are to keep a resource.
type ReplicateParams struct {
	CID    string `json:"cid"`
	Copies int    `json:"copies" jsonschema_description:"1 to 32"`
}
