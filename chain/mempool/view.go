package mempool

import "github.com/weisyn/wes/chain"

// overlay shows the ledger after its tip, and what the pool creates on top of it.
type overlay struct{ p *Pool }

var _ chain.View = (*overlay)(nil)

// Entry implements chain.View. Outputs that the pool spends are shown: who may spend them is
// settled by replacement.
func (v *overlay) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	e, ok, err := v.p.view.Entry(o)
	if ok || err != nil {
		return e, ok, err
	}
	parent := v.p.entries[o.Tx]
	if parent == nil || uint64(o.Index) >= uint64(len(parent.Tx.Outputs)) {
		return chain.Entry{}, false, nil
	}
	return chain.Entry{Output: parent.Tx.Outputs[o.Index], Height: v.p.env.Height}, true, nil
}

// VerifyingKey implements chain.View. A key that the pool publishes is an attachment.
func (v *overlay) VerifyingKey(h chain.Hash) ([]byte, bool, error) {
	b, ok, err := v.p.view.VerifyingKey(h)
	if ok || err != nil {
		return b, ok, err
	}
	return v.p.att.Attachment(h)
}

// timed reports whether a way to spend the output may open or close as time passes.
func timed(o *chain.Output) bool {
	switch o.Body.(type) {
	case *chain.State:
		return true
	}
	return timedLock(o.Lock)
}

func timedLock(l chain.Lock) bool {
	switch l := l.(type) {
	case chain.Key, chain.Multi, chain.HashLock, chain.Threshold:
		return false
	case chain.All:
		return anyTimed(l.Locks)
	case chain.Any:
		return anyTimed(l.Locks)
	}
	return true
}

func anyTimed(all []chain.Lock) bool {
	for _, l := range all {
		if timedLock(l) {
			return true
		}
	}
	return false
}
