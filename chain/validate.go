package chain

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// Validator holds what rules depend on. It has no state but caches: its methods may run at once.
type Validator struct {
	Params   Params
	Verifier ProofVerifier
	Workers  int // goroutines of one validation, at least 1
	// Signatures remembers those that CheckTx has verified; nil remembers none.
	Signatures *SignatureCache
}

// NewValidator returns an error for parameters out of range.
func NewValidator(p Params, verifier ProofVerifier, workers int) (*Validator, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return &Validator{Params: p, Verifier: verifier, Workers: max(workers, 1)}, nil
}

// Verdict is what a valid transaction takes up and pays.
type Verdict struct {
	ID          Hash
	WitnessHash Hash
	Base        uint64 // bytes of body and witness
	Attached    uint64 // bytes
	Cost        uint64 // units
	Weight      uint64
}

// CheckTx validates one transaction against a view, as the only one in a block after its
// coinbase. Errors are those of Apply; Tx of a RuleError is 0.
func (v *Validator) CheckTx(env Env, view View, att Attachments, t *Tx, w Witness) (*Verdict, error) {
	c := prepare(t, w)
	if err := v.check(c, &env, view.Entry); err != nil {
		return nil, err
	}
	b := &batch{v: v, view: view, att: att, txs: []*checked{c}}
	b.claim()
	if err := b.verify(); err != nil {
		return nil, err
	}
	v.Signatures.add(c.sigs)
	return &Verdict{c.id, c.witnessHash, c.base, c.attached, c.cost, c.weight()}, nil
}

// batch is the transactions that are validated together, in order.
type batch struct {
	v      *Validator
	view   View
	att    Attachments // nil: attachments and proofs are taken for granted
	txs    []*checked
	broken *RuleError // the lowest rule found broken
	have   map[Hash][]byte
}

// note keeps the lowest error, as one of transaction i.
func (b *batch) note(e *RuleError, i int) {
	if e != nil {
		b.broken = lower(b.broken, e.at(i, e.Input))
	}
}

// claim goes through the transactions in order and notes what they break, together with
// outputs that are spent twice and budgets that are exceeded.
func (b *batch) claim() {
	spent := map[Outpoint]bool{}
	var attached, cost uint64
	for i, c := range b.txs {
		b.note(c.broken, i)
		for k, o := range c.tx.Inputs {
			if spent[o] {
				b.note(broken(CodeDoubleSpend, "%v:%d", o.Tx, o.Index).at(i, k), i)
			}
			spent[o] = true
		}
		attached, cost = saturatingAdd(attached, c.attached), saturatingAdd(cost, c.cost)
		if attached > MaxBlockAttachments {
			b.note(broken(CodeBlockAttachments, "%d bytes", attached), i)
		}
		if cost > MaxBlockCost {
			b.note(broken(CodeBlockCost, "%d units", cost), i)
		}
		if b.broken != nil {
			return
		}
	}
}

// before reports whether an error of transaction i at an input would be reported rather than
// the one noted.
func (b *batch) before(i, input int) bool {
	return b.broken == nil || i < b.broken.Tx || i == b.broken.Tx && input < b.broken.Input
}

// verify verifies attachments, signatures and proofs, but for those whose failure would not
// be the one reported.
func (b *batch) verify() error {
	if b.att != nil {
		if err := b.fetch(); err != nil {
			return err
		}
		if err := b.verifyKeys(); err != nil {
			return err
		}
	}
	b.verifySignatures()
	if b.att != nil {
		if err := b.verifyProofs(); err != nil {
			return err
		}
	}
	if b.broken != nil {
		return b.broken
	}
	return nil
}

// attached is an attachment of a transaction.
type attached struct {
	tx int
	Attachment
}

// fetch gets the attachments and compares them with what transactions say. Some may be
// missing only if the block is invalid anyway.
func (b *batch) fetch() error {
	var all []attached
	for i, c := range b.txs {
		for _, a := range c.tx.Attachments {
			if b.before(i, -1) {
				all = append(all, attached{i, a})
			}
		}
	}
	got, faults := make([][]byte, len(all)), make([]error, len(all))
	each(len(all), b.v.Workers, func(i int) { got[i], faults[i] = b.fetchOne(all[i].SHA256) })
	b.have = make(map[Hash][]byte, len(all))
	var missing []Hash
	for i, a := range all {
		switch {
		case faults[i] != nil:
			return fmt.Errorf("read attachment %v: %w", a.SHA256, faults[i])
		case got[i] == nil:
			missing = append(missing, a.SHA256)
			continue
		case len(got[i]) != int(a.Len):
			b.note(broken(CodeAttachment, "%v has %d bytes, not %d", a.SHA256, len(got[i]), a.Len), a.tx)
		}
		b.have[a.SHA256] = got[i]
	}
	if len(missing) > 0 && b.broken == nil {
		return &UnavailableError{missing}
	}
	return nil
}

// fetchOne returns nil for an attachment that is not at hand. Bytes of another hash are not
// the attachment.
func (b *batch) fetchOne(h Hash) ([]byte, error) {
	p, ok, err := b.att.Attachment(h)
	if err != nil || !ok || Hash(sha256.Sum256(p)) != h {
		return nil, err
	}
	if p == nil {
		p = []byte{}
	}
	return p, nil
}

// verifyKeys recomputes the costs of published keys.
func (b *batch) verifyKeys() error {
	for i, c := range b.txs {
		for _, r := range c.publishes {
			key, ok := b.have[r.Key.Hash]
			if !ok || !b.before(i, -1) {
				continue
			}
			units, ok, err := b.v.Verifier.KeyCost(r.Kind, key)
			if err != nil {
				return fmt.Errorf("cost of verifying key %v: %w", r.Key.Hash, err)
			}
			if !ok || units != r.Key.Cost {
				b.note(broken(CodeKeyCost, "says %d units", r.Key.Cost), i)
			}
		}
	}
	return nil
}

func (b *batch) verifySignatures() {
	var all []signature
	var tx []int
	for i, c := range b.txs {
		for _, s := range c.sigs {
			if b.before(i, s.input) {
				all, tx = append(all, s), append(tx, i)
			}
		}
	}
	left, at := b.v.Signatures.unknown(all)
	if bad := verifySignatures(left, b.v.Workers); bad >= 0 {
		bad = at[bad]
		b.note(broken(CodeSignature, "key %x", all[bad].key).at(0, all[bad].input), tx[bad])
	}
}

// verifyProofs verifies the proofs whose evidence is at hand.
func (b *batch) verifyProofs() error {
	var all []claimed
	var tx []int
	for i, c := range b.txs {
		for _, p := range c.claims {
			if b.before(i, p.input) {
				all, tx = append(all, p), append(tx, i)
			}
		}
	}
	ok, faults := make([]bool, len(all)), make([]error, len(all))
	each(len(all), b.v.Workers, func(i int) { ok[i], faults[i] = b.verifyProof(&all[i].claim) })
	for i := range all {
		var missing *UnavailableError
		if errors.As(faults[i], &missing) {
			return missing
		}
		if faults[i] != nil {
			return fmt.Errorf("verify proof %v: %w", all[i].claim.Proof, faults[i])
		}
		if !ok[i] {
			b.note(broken(CodeProof, "proof %v", all[i].claim.Proof).at(0, all[i].input), tx[i])
		}
	}
	return nil
}

// verifyProof verifies one. Without its evidence it passes: then the block is invalid anyway. A
// key that is not at hand was published in a block that was connected without attachments.
func (b *batch) verifyProof(c *Claim) (bool, error) {
	e := Evidence{Input: b.have[c.Input], Output: b.have[c.Output], Proof: b.have[c.Proof]}
	if e.Input == nil || e.Output == nil || e.Proof == nil {
		return true, nil
	}
	key, ok := b.have[c.Key.Hash]
	if !ok {
		var err error
		if key, ok, err = b.view.VerifyingKey(c.Key.Hash); err != nil {
			return false, err
		}
	}
	if !ok {
		if b.broken != nil {
			return true, nil
		}
		return false, &UnavailableError{Missing: []Hash{c.Key.Hash}}
	}
	e.Key = key
	return b.v.Verifier.Verify(c, &e)
}
