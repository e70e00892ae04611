package wallet

import (
	"fmt"

	"github.com/weisyn/wes/chain"
)

// GapKind is what a lock asks for and a wallet lacks.
type GapKind int

const (
	// GapSignature is a signature under another key.
	GapSignature GapKind = iota
	// GapTime is a lock or a delegation that is not open now.
	GapTime
	// GapLock is an address whose lock is not known.
	GapLock
	// GapPreimage is the preimage of a digest.
	GapPreimage
	// GapNever is a lock that nobody, or no wallet, opens: burned, threshold, a proof.
	GapNever
)

// Gap is something that a wallet lacks to open a lock.
type Gap struct {
	Kind GapKind
	Key  chain.PublicKey // GapSignature
	Hash chain.Hash      // of the lock, or the digest
	Text string          // GapTime and GapNever
}

func (g Gap) String() string {
	switch g.Kind {
	case GapSignature:
		return fmt.Sprintf("a signature under key %x", g.Key[:])
	case GapLock:
		return fmt.Sprintf("the lock behind address hash %v", g.Hash)
	case GapPreimage:
		return fmt.Sprintf("the preimage of %v", g.Hash)
	}
	return g.Text
}

// rank orders gaps: signatures can be asked for, time passes, the rest is hopeless.
func rank(gaps []Gap) (worst GapKind, n int) {
	worst = -1
	for _, g := range gaps {
		worst = max(worst, g.Kind)
	}
	return worst, len(gaps)
}

// better reports whether some gaps are easier to fill than others.
func better(a, b []Gap) bool {
	worstA, countA := rank(a)
	worstB, countB := rank(b)
	if worstA != worstB {
		return worstA < worstB
	}
	return countA < countB
}

// onlySignatures reports whether signatures fill all gaps.
func onlySignatures(gaps []Gap) bool {
	worst, _ := rank(gaps)
	return worst <= GapSignature
}
