package consensus

import (
	"fmt"

	"github.com/weisyn/wes/chain"
)

// SealedHeader is a header and, in a consortium, its signature. The seal is outside the hash:
// a wrong one says nothing about the block, only about who sent it.
type SealedHeader struct {
	chain.Header
	Seal []byte // 64 bytes, or none
}

// HeaderRule names a rule of headers.
type HeaderRule uint8

// The rules of headers, in the order in which they are checked.
const (
	RuleChain  HeaderRule = iota + 1 // a header names the chain
	RuleHeight                       // its height is one above its parent's
	RuleTime                         // it is at least T/10 younger than its parent
	RuleBits                         // its target is the one that its branch demands
	RuleWork                         // its hash is not above the target
	RuleMiner                        // in a consortium, its miner is listed
	RuleSeal                         // in a consortium its miner has signed it; elsewhere it has no seal
)

// String returns a word for the rule.
func (r HeaderRule) String() string {
	names := [...]string{"", "chain", "height", "time", "bits", "work", "miner", "seal"}
	if int(r) < len(names) {
		return names[r]
	}
	return fmt.Sprintf("rule(%d)", uint8(r))
}

// HeaderError is a broken rule of headers.
type HeaderError struct {
	Rule   HeaderRule
	Hash   chain.Hash
	Detail string
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("header %v: %v: %s", e.Hash, e.Rule, e.Detail)
}

// link is what the rules need to know of a block to judge its children.
type link struct {
	hash   chain.Hash
	height uint64
	time   uint64
	bits   uint32
	anchor uint64 // time of block 1 of this branch; of the genesis block, 0
	work   Work   // of the branch up to and with this block
}

func (r *rules) genesis() link {
	g := &r.cfg.Genesis
	return link{hash: r.chain, time: g.Time, bits: g.Bits}
}

// nextBits returns the bits that every child of a block has.
func (r *rules) nextBits(parent *link) uint32 {
	if r.fixed() || parent.height == 0 {
		return r.cfg.Genesis.Bits
	}
	return r.asert(parent.anchor, parent.height-1, parent.time)
}

// earliest returns the earliest time of a child, in ms since 1970.
func (r *rules) earliest(parent *link) uint64 { return parent.time + r.cfg.Spacing/10 }

// extend checks a header against its parent, whose hash the header names, and returns what its
// own children are judged by. Whether its time has come is another question.
func (r *rules) extend(parent *link, h *SealedHeader) (link, error) {
	l, err := r.extendBare(parent, &h.Header)
	if err != nil {
		return l, err
	}
	if rule, detail := r.sealed(h); rule != 0 {
		return link{}, &HeaderError{rule, l.hash, detail}
	}
	return l, nil
}

// extendBare is extend but for the seal.
func (r *rules) extendBare(parent *link, h *chain.Header) (link, error) {
	l := link{hash: h.Hash(), height: h.Height, time: h.Time, bits: h.Bits, anchor: parent.anchor}
	broken := func(rule HeaderRule, format string, args ...any) (link, error) {
		return link{}, &HeaderError{rule, l.hash, fmt.Sprintf(format, args...)}
	}
	if h.Chain != r.chain {
		return broken(RuleChain, "of chain %v", h.Chain)
	}
	if h.Height != parent.height+1 {
		return broken(RuleHeight, "%d above %d", h.Height, parent.height)
	}
	if first := r.earliest(parent); h.Time < first || h.Time < parent.time {
		return broken(RuleTime, "%d, not before %d", h.Time, first)
	}
	if want := r.nextBits(parent); h.Bits != want {
		return broken(RuleBits, "%08x, want %08x", h.Bits, want)
	}
	target, _ := Target(h.Bits) // nextBits returns compact targets only
	if !meets(l.hash, target) {
		return broken(RuleWork, "above the target of %08x", h.Bits)
	}
	if l.height == 1 {
		l.anchor = l.time
	}
	l.work = parent.work.add(workOf(target))
	return l, nil
}

// sealed checks the seal and returns the rule that it breaks, or 0.
func (r *rules) sealed(h *SealedHeader) (HeaderRule, string) {
	switch {
	case r.cfg.Profile != Consortium && len(h.Seal) > 0:
		return RuleSeal, "sealed, though nobody is listed"
	case r.cfg.Profile != Consortium:
		return 0, ""
	case !r.miners[h.Miner]:
		return RuleMiner, fmt.Sprintf("key %x is not listed", h.Miner[:])
	case !chain.Sealed(&h.Header, h.Seal):
		return RuleSeal, "the signature does not verify"
	}
	return 0, ""
}
