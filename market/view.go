package market

import "github.com/weisyn/wes/chain"

// Place says where something of the ledger is.
type Place uint8

// The places.
const (
	Nowhere Place = iota
	InMempool
	InBlock
)

// Exit is how an escrow or claim was spent.
type Exit uint8

// The exits. ExitNone: it is not spent.
const (
	ExitNone Exit = iota
	ExitAccept
	ExitProve
	ExitLate
	ExitRelease
	ExitMissed
	ExitClaim   // to an OptClaim
	ExitInvalid // to an InvalidClaim
	ExitFinal   // of either claim
	ExitRefute  // of either claim
)

// ExitOf names the exit of an escrow.
func ExitOf(n uint32) Exit {
	switch n {
	case chain.EscrowAccept:
		return ExitAccept
	case chain.EscrowProve:
		return ExitProve
	case chain.EscrowLate:
		return ExitLate
	case chain.EscrowRelease:
		return ExitRelease
	case chain.EscrowMissed:
		return ExitMissed
	case chain.EscrowClaim:
		return ExitClaim
	case chain.EscrowInvalid:
		return ExitInvalid
	}
	return ExitNone
}

// String names an exit as commands do.
func (x Exit) String() string {
	names := [...]string{"none", "accept", "prove", "late", "release", "missed", "claim", "invalid", "final", "refute"}
	if int(x) < len(names) {
		return names[x]
	}
	return "unknown"
}

// Claimed is a claim on the ledger.
type Claimed struct {
	_       struct{}   `cbor:",toarray"`
	Output  chain.Hash // zero if the claim is that the witness is invalid
	Invalid bool
	Final   uint64 // ms since 1970, from when on it is paid
}

// View is what the ledger shows of one job. It has no memory: a reorganisation gives another view.
type View struct {
	_      struct{} `cbor:",toarray"`
	Now    uint64   // timestamp of the tip, which time rules of the next block go by
	Height uint64   // of the tip
	// Escrow is where the funding transaction is, spent or not, and Output what holds the money
	// now: the escrow, or the claim that came of it.
	Escrow Place
	Output Ref
	Depth  uint64 // blocks from the funding transaction on; 0 outside of blocks
	Claim  []Claimed
	// Exit is how the money has left, Left where that transaction is. An exit to a claim counts
	// only as long as the claim is not spent.
	Exit      Exit
	Left      Place
	LeftTx    chain.Hash
	LeftDepth uint64
}

// settled tells what an exit means. wrong: the claim that became final was of an invalid witness.
func (v *View) settled() (Settlement, Code) {
	if v.Left != InBlock {
		if v.Escrow == Nowhere {
			return Unfunded, CodeOK
		}
		return Escrowed, CodeOK
	}
	switch v.Exit {
	case ExitAccept:
		return Paid, CodeAccepted
	case ExitProve:
		return Paid, CodeProved
	case ExitLate:
		return Paid, CodeLate
	case ExitRelease:
		return Refunded, CodeReleased
	case ExitMissed:
		return Slashed, CodeMissed
	case ExitRefute:
		return Slashed, CodeRefuted
	case ExitFinal:
		if len(v.Claim) > 0 && v.Claim[0].Invalid {
			return Refunded, CodeWitness
		}
		return Paid, CodeClaimStood
	case ExitClaim, ExitInvalid:
		return Escrowed, CodeClaimed
	}
	return Escrowed, CodeOK
}

// open reports whether the escrow is in a block and unspent, also by what waits.
func (v *View) open() bool { return v.Escrow == InBlock && v.Left == Nowhere }

// claimOpen reports whether the claim is in a block and unspent.
func (v *View) claimOpen() bool {
	return v.Left == InBlock && (v.Exit == ExitClaim || v.Exit == ExitInvalid) && len(v.Claim) > 0
}

// over reports whether the money has left for good, at a depth of blocks.
func (v *View) over(depth uint64) bool {
	return v.Left == InBlock && v.Exit != ExitClaim && v.Exit != ExitInvalid && v.Exit != ExitNone && v.LeftDepth >= depth
}
