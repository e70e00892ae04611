package chain

import (
	"fmt"
	"slices"
)

// checked is a transaction under validation: what was computed of it, and what remains to be
// verified.
type checked struct {
	tx          *Tx
	witness     Witness
	id          Hash
	witnessHash Hash
	base        uint64 // bytes of body and witness
	attached    uint64 // bytes of attachments
	cost        uint64 // units, of what was evaluated so far

	entries   []resolved // of inputs, then references
	named     []NamedKey // by entries
	minted    totals
	drawn     totals      // from covenants, for the fee
	owned     []bool      // outputs that lie in a segment
	sponsored []sponsored // to check when the weight is known
	publishes []*Resource // whose key the transaction attaches
	sigs      []signature // by input
	claims    []claimed   // by input
	broken    *RuleError  // lowest rule found broken; Tx is set
}

// resolved is what an input or reference names.
type resolved struct {
	entry Entry
	found bool
}

// prepare computes what depends on the bytes alone.
func prepare(t *Tx, w Witness) *checked {
	body, witness := t.append(make([]byte, 0, sizeHint)), w.append(make([]byte, 0, sizeHint))
	c := &checked{
		tx: t, witness: w, id: tagged(tagTx, body), witnessHash: tagged(tagWitness, witness),
		base: uint64(len(body) + len(witness)), minted: totals{}, drawn: totals{},
	}
	for _, a := range t.Attachments {
		c.attached += uint64(a.Len)
		c.addCost(kibCost(int(a.Len)))
	}
	return c
}

func (c *checked) addCost(units uint64) { c.cost = saturatingAdd(c.cost, units) }

func (c *checked) weight() uint64 { return Weight(c.base, c.attached, c.cost) }

// entry returns what input i spends.
func (c *checked) entry(i int) *Entry { return &c.entries[i].entry }

// known returns the key with a hash that an input or reference names.
func (c *checked) known(kind JobKind, h Hash) (VerifyingKey, bool) {
	i := slices.IndexFunc(c.named, func(k NamedKey) bool { return k.Kind == kind && k.Key.Hash == h })
	if i < 0 {
		return VerifyingKey{}, false
	}
	return c.named[i].Key, true
}

// lookup finds the output that an input or reference names.
type lookup func(o Outpoint) (Entry, bool, error)

// check evaluates all of a transaction but signatures, proofs and attached bytes, which it
// collects. The lowest broken rule is kept in c; the error is a fault.
func (v *Validator) check(c *checked, env *Env, find lookup) error {
	if c.broken = v.checkForm(c, env); c.broken != nil {
		return nil
	}
	if err := c.resolve(find); err != nil {
		return err
	}
	for i := range c.tx.Inputs {
		if c.broken = v.checkInput(c, env, i); c.broken != nil {
			c.broken.at(-1, i)
			return nil
		}
	}
	for i, r := range c.entries[len(c.tx.Inputs):] {
		if !r.found {
			at := len(c.tx.Inputs) + i
			c.broken = broken(CodeMissing, "reference %v:%d", c.tx.References[i].Tx, c.tx.References[i].Index).at(-1, at)
			return nil
		}
	}
	c.broken = v.checkWhole(c, env)
	return nil
}

func (c *checked) resolve(find lookup) error {
	c.entries = make([]resolved, 0, len(c.tx.Inputs)+len(c.tx.References))
	for _, list := range [][]Outpoint{c.tx.Inputs, c.tx.References} {
		for _, o := range list {
			e, ok, err := find(o)
			if err != nil {
				return fmt.Errorf("find output %v:%d: %w", o.Tx, o.Index, err)
			}
			c.entries = append(c.entries, resolved{e, ok})
			if ok {
				c.read(&e.Output)
			}
		}
	}
	return nil
}

// read notes the keys that an input or reference names, and charges for decoding its state.
func (c *checked) read(o *Output) {
	c.named = append(c.named, o.Keys()...)
	if s, ok := o.Body.(*State); ok {
		c.addCost(kibCost(len(s.Data)))
	}
}

// checkInput evaluates input i and its segment.
func (v *Validator) checkInput(c *checked, env *Env, i int) *RuleError {
	if !c.entries[i].found {
		return broken(CodeMissing, "input %v:%d", c.tx.Inputs[i].Tx, c.tx.Inputs[i].Index)
	}
	e, w := c.entry(i), &c.witness[i]
	if e.Coinbase && env.Height-e.Height < v.Params.Maturity {
		return broken(CodeImmature, "coinbase of height %d at %d", e.Height, env.Height)
	}
	s := &spending{
		v: v, env: env, c: c, input: i, spent: &e.Output, witness: w,
		choices: w.Choices, data: w.Data, allowed: AllOperations,
	}
	if err := s.evaluate(); err != nil {
		return err
	}
	c.sigs, c.claims = append(c.sigs, s.sigs...), append(c.claims, s.claims...)
	return nil
}

// checkWhole checks what depends on all inputs.
func (v *Validator) checkWhole(c *checked, env *Env) *RuleError {
	if err := v.checkCreated(c, env); err != nil {
		return err
	}
	if err := c.checkKeys(); err != nil {
		return err
	}
	if err := c.checkPredecessors(); err != nil {
		return err
	}
	if err := c.checkBalance(); err != nil {
		return err
	}
	for i := range c.sponsored {
		if err := c.sponsored[i].check(c.weight()); err != nil {
			return err.at(-1, c.sponsored[i].input)
		}
	}
	return nil
}

// checkCreated checks the states that no segment demands.
func (v *Validator) checkCreated(c *checked, env *Env) *RuleError {
	for i := range c.tx.Outputs {
		o := &c.tx.Outputs[i]
		s, ok := o.Body.(*State)
		if !ok || c.owned != nil && c.owned[i] {
			continue
		}
		rules, err := decodeState(s)
		creation := creation{p: &v.Params, env: env, tx: c.tx, index: i, out: o}
		if err == nil {
			err = rules.create(&creation)
		}
		if err != nil {
			return broken(CodeState, "output %d: %v", i, err)
		}
		if !c.minted.add(creation.mint) {
			return broken(CodeOverflow, "minted amounts")
		}
	}
	return nil
}

// checkKeys requires of every key that an output names that its bytes are known.
func (c *checked) checkKeys() *RuleError {
	known := c.named
	for i := range c.tx.Outputs {
		r, ok := c.tx.Outputs[i].Body.(*Resource)
		if !ok || r.Key == nil {
			continue
		}
		kind, _ := r.Kind.proves()
		named := NamedKey{kind, *r.Key}
		if slices.Contains(known, named) {
			continue
		}
		if a, ok := c.tx.attachment(AttachKey, r.Key.Hash); !ok || a.Len != r.Key.Len {
			return broken(CodeKeyAttached, "output %d", i)
		}
		c.publishes = append(c.publishes, r)
		known = append(known, named)
	}
	for i := range c.tx.Outputs {
		for _, k := range c.tx.Outputs[i].Keys() {
			if !slices.Contains(known, k) {
				return broken(CodeKeyUnknown, "output %d", i)
			}
		}
	}
	return nil
}

// checkPredecessors requires that the same transaction spends what its resources replace.
func (c *checked) checkPredecessors() *RuleError {
	used := map[Outpoint]bool{}
	for i := range c.tx.Outputs {
		r, ok := c.tx.Outputs[i].Body.(*Resource)
		if !ok || r.Predecessor == nil {
			continue
		}
		at := slices.Index(c.tx.Inputs, *r.Predecessor)
		if at < 0 || used[*r.Predecessor] {
			return broken(CodePredecessor, "output %d", i)
		}
		if _, ok := c.entry(at).Output.Body.(*Resource); !ok {
			return broken(CodePredecessor, "output %d replaces what is not a resource", i)
		}
		used[*r.Predecessor] = true
	}
	return nil
}

// checkBalance compares, token by token, what comes in with what goes out.
func (c *checked) checkBalance() *RuleError {
	in, out := c.minted, totals{}
	for i := range c.tx.Inputs {
		if !in.addAll(c.entry(i).Output.Value) {
			return broken(CodeOverflow, "inputs")
		}
	}
	for i := range c.tx.Outputs {
		if !out.addAll(c.tx.Outputs[i].Value) {
			return broken(CodeOverflow, "outputs")
		}
	}
	if !out.addAll(c.tx.Fee) {
		return broken(CodeOverflow, "outputs and fee")
	}
	if got, want := out.value(), in.value(); !got.Equal(want) {
		return broken(CodeBalance, "outputs and fee are %v, inputs and what is minted %v", got, want)
	}
	return nil
}
