package consensus

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Kind says how blocks of a network are made.
type Kind uint8

const (
	// Public networks adjust their work to the spacing.
	Public Kind = iota
	// Consortium networks have fixed work, and headers sealed by one of their miners.
	Consortium
	// Dev networks have fixed work and make blocks on demand.
	Dev
)

// Profile is what headers of a network depend on. Durations are in ms.
type Profile struct {
	Kind     Kind
	Spacing  uint64            // between blocks on schedule; at least a tenth between any two
	HalfLife uint64            // a public chain this late has twice its target
	Bits     uint32            // compact target of genesis and block 1; no target is larger
	Miners   []chain.PublicKey // of a consortium
}

// DefaultProfile returns the public network's: 10 s, half-life 48 minutes.
func DefaultProfile() Profile {
	return Profile{Kind: Public, Spacing: 10_000, HalfLife: 2_880_000, Bits: 0x1e00ffff}
}

// Limits of clocks and messages.
const (
	// MaxAhead is how far ahead of the local clock a header may be, in ms, before it is held.
	MaxAhead = 15_000
	// MaxHeaders is the number of headers in a message.
	MaxHeaders = 2_000
)

func (p *Profile) validate() error {
	if _, ok := Target(p.Bits); !ok {
		return fmt.Errorf("profile: bits %08x are not a target", p.Bits)
	}
	if p.Spacing < 10 || p.Spacing > 1<<32 || p.Kind == Public && (p.HalfLife == 0 || p.HalfLife > 1<<40) {
		return fmt.Errorf("profile: spacing of %d ms or half-life of %d ms is out of range", p.Spacing, p.HalfLife)
	}
	if p.Kind > Dev || (p.Kind == Consortium) != (len(p.Miners) > 0) {
		return fmt.Errorf("profile: kind %d with %d miners", p.Kind, len(p.Miners))
	}
	return nil
}

// bits returns the compact target of the block after parent. Anchor is the block at height 1
// below or at the parent; block 1 and genesis have the bits of the profile. So an old genesis
// block does not count as lateness.
func (p *Profile) bits(parent, anchor *chain.Header) uint32 {
	if p.Kind != Public || parent.Height == 0 {
		return p.Bits
	}
	limit, _ := Target(p.Bits)
	late := drift(anchor.Time, parent.Time, parent.Height-1, p.Spacing)
	return asert(limit, late, int64(p.HalfLife), limit)
}

// check judges a header on its parent, all but the clock.
func (p *Profile) check(h *chain.Header, seal []byte, id chain.Hash, parent, anchor *chain.Header, root chain.Hash) *HeaderError {
	target, ok := Target(h.Bits)
	switch {
	case h.Chain != root || h.Height != parent.Height+1:
		return refuse(CodePlace, "height %d after %d", h.Height, parent.Height)
	case !ok || h.Bits != p.bits(parent, anchor):
		return refuse(CodeBits, "bits %08x, want %08x", h.Bits, p.bits(parent, anchor))
	case !below(id, target):
		return refuse(CodeWork, "hash %v is above the target", id)
	case h.Time < parent.Time || h.Time-parent.Time < p.Spacing/10:
		return refuse(CodeEarly, "%d ms, after %d", h.Time, parent.Time)
	case p.Kind != Consortium && len(seal) > 0:
		return refuse(CodeSeal, "a seal that nothing asks for")
	case p.Kind == Consortium && !slices.Contains(p.Miners, h.Miner):
		return refuse(CodeMiner, "miner %x", h.Miner)
	case p.Kind == Consortium && !chain.Sealed(h, seal):
		return refuse(CodeSeal, "seal does not verify")
	}
	return nil
}

// work returns the work of a header that was checked.
func work(h *chain.Header) *big.Int {
	target, ok := Target(h.Bits)
	if !ok {
		panic("BUG: a checked header has no target")
	}
	return Work(target)
}
