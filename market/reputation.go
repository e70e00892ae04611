package market

import (
	"bytes"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Standing is what a client has seen of one operator.
type Standing struct {
	_        struct{} `cbor:",toarray"`
	Operator chain.PublicKey
	Done     uint32 // jobs that ended well
	Broken   uint32 // promises that were not kept: no countersignature, released, missed or late
	Lied     uint64 // when it last delivered what does not verify, in ms since 1970; 0: never
	Used     uint64 // when it was last dealt with
}

// Histories bounds how many operators are remembered.
const Histories = 4096

// shunned is for how long an operator that lied gets no job, in ms.
const shunned = 30 * 86_400_000

// history is a client's own experience. Nothing that others say enters it.
type history struct{ all map[chain.PublicKey]*Standing }

func (h *history) of(k chain.PublicKey) Standing {
	if s := h.all[k]; s != nil {
		return *s
	}
	return Standing{Operator: k}
}

// note changes a standing; the one that was used least recently makes room.
func (h *history) note(now uint64, k chain.PublicKey, change func(*Standing)) {
	s := h.all[k]
	if s == nil {
		if len(h.all) >= Histories {
			h.forget()
		}
		s = &Standing{Operator: k}
		h.all[k] = s
	}
	change(s)
	s.Used = now
	if s.Done+s.Broken > 1<<10 { // what is long ago counts less
		s.Done, s.Broken = s.Done/2, s.Broken/2
	}
}

func (h *history) forget() {
	var oldest *Standing
	for _, s := range h.all {
		if oldest == nil || s.Used < oldest.Used || s.Used == oldest.Used && bytes.Compare(s.Operator[:], oldest.Operator[:]) < 0 {
			oldest = s
		}
	}
	delete(h.all, oldest.Operator)
}

// trusted reports whether an operator may get a job.
func (h *history) trusted(now uint64, k chain.PublicKey) bool {
	s := h.all[k]
	return s == nil || s.Lied == 0 || now > saturated(s.Lied, shunned)
}

// expected is what a job costs when an operator asks a price: the price over the chance that it
// keeps its word, by the rule of succession, with a late or lost job costing as much again.
func (h *history) expected(k chain.PublicKey, price uint64) uint64 {
	s := h.of(k)
	return ratio(price, uint64(s.Done)+2*uint64(s.Broken)+2, uint64(s.Done)+uint64(s.Broken)+2)
}

// Encode returns the canonical encoding of all standings.
func (h *history) encode() []byte {
	var all []Standing
	for _, s := range h.all {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Standing) int { return bytes.Compare(a.Operator[:], b.Operator[:]) })
	return encode(all)
}

func (h *history) decode(b []byte) error {
	all, err := decode[[]Standing](b, maxRecord)
	if err != nil {
		return err
	}
	for _, s := range *all {
		h.all[s.Operator] = &s
	}
	return nil
}
