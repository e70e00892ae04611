package consensus

import (
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Branch judges the headers of one branch in order, from block 1 on, where there are no peers
// to choose among: those of a snapshot.
type Branch struct {
	rules *rules
	tip   link
}

// NewBranch returns a branch that ends with the genesis block. It fails with ErrConfig.
func NewBranch(cfg Config) (*Branch, error) {
	r, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	return &Branch{r, r.genesis()}, nil
}

// Extend judges the next header by all rules, at a time in ms since 1970. Errors are a
// HeaderError.
func (b *Branch) Extend(h *SealedHeader, now uint64) error {
	if h.Parent != b.tip.hash {
		return &HeaderError{RuleHeight, h.Hash(), fmt.Sprintf("its parent is not %v", b.tip.hash)}
	}
	next, err := b.rules.extend(&b.tip, h)
	if err != nil {
		return err
	}
	if h.Time > now && h.Time-now > b.rules.cfg.MaxAhead {
		return &HeaderError{RuleTime, next.hash, "its time has not come"}
	}
	b.tip = next
	return nil
}

// Tip returns the last header's hash.
func (b *Branch) Tip() chain.Hash { return b.tip.hash }

// Enough reports whether the work of the branch reaches the configuration's MinWork.
func (b *Branch) Enough() bool { return b.tip.work.Cmp(b.rules.cfg.MinWork) >= 0 }
