package consensus

import "github.com/weisyn/wes/chain"

// PeerID names a peer for as long as it is connected. Zero is this node: a body that the
// caller has put together from its own mempool or disk comes from there.
type PeerID uint64

// Message is an event that the caller reports with Core.Step.
type Message interface{ message() }

// Joined reports a new peer.
type Joined struct{ Peer PeerID }

// Left reports that a peer is gone.
type Left struct{ Peer PeerID }

// Headers are consecutive headers that a peer has sent, asked for or not, lowest first. None
// is an answer too: it has nothing after the locator.
type Headers struct {
	Peer    PeerID
	Headers []SealedHeader
}

// Body reports that a body has come whose Merkle roots are those of the header, or that more
// of its attachments have. Missing lists the attachments that are still not at hand.
type Body struct {
	Peer    PeerID
	Block   chain.Hash
	Missing []chain.Hash
}

// NotFound reports that a peer does not have what was asked of it for a block.
type NotFound struct {
	Peer  PeerID
	Block chain.Hash
}

// Garbage reports that a peer has sent what does not decode, or a body whose roots are not
// those of its header, or attachments with other hashes than asked for.
type Garbage struct {
	Peer PeerID
	What string
}

// Mined is a block of this node's own; the caller has its body and attachments.
type Mined struct{ Header SealedHeader }

// Switched reports the end of a Switch: the block on which the ledger stands now, which is the
// old tip, the new one, or any between. If it is not the new one, exactly one of Invalid and
// Unavailable says why, by naming a block of Apply.
type Switched struct {
	Tip         chain.Hash
	Invalid     chain.Hash   // breaks a rule; zero if none
	Unavailable chain.Hash   // lacks something; zero if none
	Missing     []chain.Hash // the attachments that Unavailable lacks; none if it lacks the body
}

func (Joined) message()   {}
func (Left) message()     {}
func (Headers) message()  {}
func (Body) message()     {}
func (NotFound) message() {}
func (Garbage) message()  {}
func (Mined) message()    {}
func (Switched) message() {}

// Ready is what the caller must do now, in the order of the fields.
type Ready struct {
	// Headers are new and keep the rules; write them, parents first.
	Headers []SealedHeader
	// Invalid blocks; remember them, their bodies can go.
	Invalid []chain.Hash
	// Switch moves the ledger. While one is under way there is no other.
	Switch *Switch
	// Requests to send.
	Requests []Request
	// Announce is a new tip, to be announced to all peers; nil if there is none.
	Announce *chain.Hash
	// Drops are peers to disconnect.
	Drops []Drop
}

// Switch is a list of blocks to undo and then of blocks to apply, each in order. If Undo is
// not empty, it ends whole or is rolled back whole.
type Switch struct {
	Undo  []chain.Hash
	Apply []Application
}

// Application is a block to apply.
type Application struct {
	Block chain.Hash
	// Buried blocks lie under so much work that they connect without their attachments.
	Buried bool
}

// Request is something to ask of a peer: headers after Locator, the attachments of a block if
// there are any listed, else the body of the block.
type Request struct {
	Peer        PeerID
	Locator     []chain.Hash // blocks of one branch, highest first; the last is the genesis block
	Block       chain.Hash
	Attachments []chain.Hash
}

// Drop names a peer that is of no use.
type Drop struct {
	Peer   PeerID
	Reason string
	// Ban says that it broke the protocol, not merely that it was slow.
	Ban bool
}
