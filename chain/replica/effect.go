package replica

import (
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/mempool"
)

// PeerID names a peer for as long as it is connected. Zero is this node.
type PeerID = consensus.PeerID

// Effect is something for the caller to do.
type Effect interface{ effect() }

// Ask sends a request to a peer. The call ends in Answer or in Fail.
type Ask struct {
	Peer    PeerID
	Request *Request
}

// Announce sends the header of the new tip to every peer, encoded by EncodeHeader.
type Announce struct{ Header consensus.SealedHeader }

// Gossip publishes a transaction, encoded by EncodeTx.
type Gossip struct {
	Edition uint8
	Relayed
}

// Decision is what becomes of a relayed transaction.
type Decision uint8

const (
	// Accepted is passed on.
	Accepted Decision = iota + 1
	// Ignored is not, and says nothing against who sent it.
	Ignored
	// Rejected breaks a rule: who sent it did not check it.
	Rejected
)

// Verdict is the decision on the relayed transaction with a ticket.
type Verdict struct {
	Ticket   uint64
	Decision Decision
}

// Drop disconnects a peer.
type Drop struct {
	Peer   PeerID
	Reason string
	// Ban says that it broke the protocol, not merely that it was slow: it stays away for a day.
	Ban bool
}

// Moved reports that the ledger stands on another block, which readers see from now on.
type Moved struct {
	Undone, Applied []*chain.Block // each lowest first
	Height          uint64
	Tip             chain.Hash
}

// Entered reports a transaction that is in the mempool now.
type Entered struct{ Entry *mempool.Entry }

func (Ask) effect()      {}
func (Announce) effect() {}
func (Gossip) effect()   {}
func (Verdict) effect()  {}
func (Drop) effect()     {}
func (Moved) effect()    {}
func (Entered) effect()  {}
