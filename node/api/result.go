package api

// Status is the summary of a node.
type Status struct {
	Version   string   `json:"version"`
	Network   string   `json:"network"`
	Profile   string   `json:"profile"`
	Prefix    string   `json:"prefix" jsonschema_description:"of addresses"`
	Chain     string   `json:"chain" jsonschema_description:"hash of the genesis block"`
	Height    uint64   `json:"height"`
	Tip       string   `json:"tip"`
	Time      uint64   `json:"time" jsonschema_description:"of the tip, ms since 1970"`
	Work      string   `json:"work" jsonschema_description:"expected hashes of the whole branch, decimal"`
	Headers   uint64   `json:"headers" jsonschema_description:"height of the header of most work"`
	Syncing   bool     `json:"syncing"`
	Ready     bool     `json:"ready"`
	Reasons   []string `json:"reasons,omitempty" jsonschema_description:"why the node is not ready"`
	Peers     int      `json:"peers"`
	Name      string   `json:"name" jsonschema_description:"of this node among peers"`
	Addresses []string `json:"addresses,omitempty" jsonschema_description:"where peers reach this node"`
	Mempool   Mempool  `json:"mempool"`
}

// Mempool is the summary of the transactions that wait for a block.
type Mempool struct {
	Transactions int    `json:"transactions"`
	Bytes        uint64 `json:"bytes" jsonschema_description:"with attachments"`
	FeeRate      uint64 `json:"fee_rate" jsonschema_description:"least taken, base units for 1,000 units of weight"`
}

// Peer is a connected peer.
type Peer struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	Agent     string   `json:"agent"`
	Inbound   bool     `json:"inbound"`
	LatencyMS float64  `json:"latency_ms" jsonschema_description:"0 if it is not known"`
}

// Header is the header of a block.
type Header struct {
	Hash     string `json:"hash"`
	Height   uint64 `json:"height"`
	Parent   string `json:"parent"`
	Time     uint64 `json:"time" jsonschema_description:"ms since 1970"`
	Bits     string `json:"bits" jsonschema_description:"compact target"`
	TxRoot   string `json:"tx_root"`
	UTXOHash string `json:"utxo_hash" jsonschema_description:"of the unspent outputs after the parent"`
	Miner    string `json:"miner"`
	Nonce    string `json:"nonce"`
}

// Block is a block of the ledger.
type Block struct {
	Header
	Confirmations uint64   `json:"confirmations" jsonschema_description:"blocks from this one on"`
	Work          string   `json:"work" jsonschema_description:"expected hashes of the blocks on top, decimal"`
	Size          int      `json:"size" jsonschema_description:"bytes"`
	Transactions  []string `json:"transactions" jsonschema_description:"ids, the coinbase first"`
	Raw           string   `json:"raw,omitempty" jsonschema_description:"canonical encoding, hexadecimal"`
}

// Transaction is a transaction of the ledger or of the mempool.
type Transaction struct {
	ID            string       `json:"id"`
	Status        string       `json:"status" jsonschema:"enum=confirmed,enum=pending,enum=unknown"`
	Block         string       `json:"block,omitempty"`
	Height        uint64       `json:"height,omitempty"`
	Index         int          `json:"index,omitempty"`
	Time          uint64       `json:"time,omitempty" jsonschema_description:"of the block, ms since 1970"`
	Confirmations uint64       `json:"confirmations"`
	Work          string       `json:"work,omitempty" jsonschema_description:"expected hashes of the blocks on top, decimal"`
	Size          int          `json:"size" jsonschema_description:"bytes of body and witness"`
	Inputs        []Input      `json:"inputs"`
	References    []string     `json:"references,omitempty"`
	Outputs       []Output     `json:"outputs"`
	Fee           []Coin       `json:"fee"`
	From          uint64       `json:"from,omitempty"`
	Until         uint64       `json:"until,omitempty"`
	Attachments   []Attachment `json:"attachments,omitempty"`
	Raw           string       `json:"raw,omitempty" jsonschema_description:"canonical encoding of the body, hexadecimal"`
	Witness       string       `json:"witness,omitempty" jsonschema_description:"canonical encoding, hexadecimal"`
}

// Input names an output that is spent.
type Input struct {
	Outpoint string `json:"outpoint" jsonschema_description:"transaction:index"`
	Exit     uint32 `json:"exit,omitempty" jsonschema_description:"of a state"`
}

// Coin is an amount of a token.
type Coin struct {
	Token  string `json:"token" jsonschema_description:"wes or the id of the token"`
	Amount string `json:"amount" jsonschema_description:"base units, decimal"`
}

// Output is an output of a transaction.
type Output struct {
	Outpoint string         `json:"outpoint"`
	Value    []Coin         `json:"value"`
	Lock     map[string]any `json:"lock"`
	Address  string         `json:"address,omitempty" jsonschema_description:"of the lock"`
	Body     map[string]any `json:"body,omitempty" jsonschema_description:"resource or state"`
	Height   uint64         `json:"height,omitempty" jsonschema_description:"of the block that created it"`
	Coinbase bool           `json:"coinbase,omitempty"`
	Unspent  bool           `json:"unspent"`
	Raw      string         `json:"raw,omitempty" jsonschema_description:"canonical encoding, hexadecimal"`
}

// Attachment names bytes beside a transaction.
type Attachment struct {
	Kind   string `json:"kind" jsonschema:"enum=data,enum=key,enum=input,enum=output,enum=proof"`
	SHA256 string `json:"sha256"`
	Len    uint32 `json:"len"`
}

// Outputs is a page of unspent outputs.
type Outputs struct {
	Height  uint64   `json:"height" jsonschema_description:"of the ledger that was read"`
	Outputs []Output `json:"outputs"`
	Next    string   `json:"next,omitempty" jsonschema_description:"cursor of the next page"`
}

// History is a page of transactions, the newest first.
type History struct {
	Transactions []HistoryEntry `json:"transactions"`
	Next         string         `json:"next,omitempty"`
}

// HistoryEntry is a transaction that touches a subject.
type HistoryEntry struct {
	ID       string `json:"id"`
	Height   uint64 `json:"height"`
	Index    int    `json:"index"`
	Time     uint64 `json:"time"`
	Receives bool   `json:"receives"`
	Spends   bool   `json:"spends"`
}

// Submitted is a transaction that was taken.
type Submitted struct {
	ID string `json:"id"`
}

// Checked is what a valid transaction takes up.
type Checked struct {
	ID     string `json:"id"`
	Base   uint64 `json:"base" jsonschema_description:"bytes of body and witness"`
	Cost   uint64 `json:"cost" jsonschema_description:"units"`
	Weight uint64 `json:"weight"`
}

// Env is what rules of the next block compare with, and what a wallet needs to build on it.
type Env struct {
	Chain    string `json:"chain"`
	Tip      string `json:"tip" jsonschema_description:"hash of the last block"`
	Height   uint64 `json:"height" jsonschema_description:"of the next block"`
	Now      uint64 `json:"now" jsonschema_description:"time of the tip, ms since 1970"`
	FeeRate  uint64 `json:"fee_rate" jsonschema_description:"base units for 1,000 units of weight"`
	Maturity uint64 `json:"maturity" jsonschema_description:"blocks before a coinbase can be spent"`
}

// Made lists blocks that were made.
type Made struct {
	Blocks []string `json:"blocks"`
}

// Bytes are an attachment or a verifying key.
type Bytes struct {
	Data []byte `json:"data" jsonschema_description:"base64"`
}

// Subscribed names a subscription.
type Subscribed struct {
	Subscription uint64 `json:"subscription"`
}

// Notification is what a subscriber hears, as the parameter of wes_notice.
type Notification struct {
	Subscription uint64   `json:"subscription"`
	Undone       []string `json:"undone,omitempty" jsonschema_description:"blocks left, lowest first"`
	Applied      []Header `json:"applied,omitempty" jsonschema_description:"blocks entered, lowest first"`
	Transaction  string   `json:"transaction,omitempty" jsonschema_description:"that entered the mempool or a block"`
	Height       uint64   `json:"height,omitempty" jsonschema_description:"of the block with the transaction"`
}

// ResourceList says what is kept, and how much room there is.
type ResourceList struct {
	Used      uint64     `json:"used" jsonschema_description:"bytes on the disk"`
	Quota     uint64     `json:"quota" jsonschema_description:"their bound"`
	Resources []Resource `json:"resources" jsonschema_description:"the oldest first"`
}

// Resource is a file or folder that is kept.
type Resource struct {
	CID     string `json:"cid"`
	Name    string `json:"name,omitempty"`
	Size    uint64 `json:"size" jsonschema_description:"bytes of all blocks"`
	Replica bool   `json:"replica,omitempty" jsonschema_description:"for another node; goes when there is no room"`
	Since   uint64 `json:"since" jsonschema_description:"ms since 1970"`
}

// Added is a resource that was added.
type Added struct {
	CID  string `json:"cid"`
	Size uint64 `json:"size" jsonschema_description:"bytes of all blocks"`
}

// Removed says what came of a removal.
type Removed struct {
	Freed uint64 `json:"freed" jsonschema_description:"bytes"`
}

// Replicated lists the peers that keep a resource.
type Replicated struct {
	Peers []string `json:"peers"`
}

// Done is the result of what has none.
type Done struct{}
