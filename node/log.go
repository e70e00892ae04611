package node

// Keys of log records.
const (
	keyAddress = "address"
	keyBlock   = "block"
	keyError   = "error"
	keyHeight  = "height"
	keyPart    = "part"
	keyPeer    = "peer"
	keyReason  = "reason"
	keyTxs     = "transactions"
)
