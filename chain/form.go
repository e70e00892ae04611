package chain

import "slices"

// checkForm checks what needs no other transaction, in the order of codes.
func (v *Validator) checkForm(c *checked, env *Env) *RuleError {
	t := c.tx
	switch {
	case t.Height != 0:
		return broken(CodeCoinbaseForm, "height %d outside the coinbase", t.Height)
	case len(t.Inputs) == 0:
		return broken(CodeNoInputs, "no inputs")
	case t.Chain != env.Chain:
		return broken(CodeChain, "chain %v, want %v", t.Chain, env.Chain)
	case env.Now < t.From || t.Until != 0 && env.Now > t.Until:
		return broken(CodeWindow, "window from %d to %d, it is %d", t.From, t.Until, env.Now)
	}
	if err := c.checkLimits(); err != nil {
		return err
	}
	if len(c.witness) != len(t.Inputs) {
		return broken(CodeWitnessCount, "%d witnesses of %d inputs", len(c.witness), len(t.Inputs))
	}
	return v.checkOutputs(t)
}

func (c *checked) checkLimits() *RuleError {
	t := c.tx
	for _, l := range []struct {
		what      string
		n, atMost uint64
	}{
		{"bytes", c.base, MaxTxBase},
		{"bytes of attachments", c.attached, MaxTxAttachments},
		{"outputs", uint64(len(t.Outputs)), MaxOutputs},
		{"inputs and references", uint64(len(t.Inputs) + len(t.References)), MaxInputs},
		{"attachments", uint64(len(t.Attachments)), MaxAttachments},
	} {
		if l.n > l.atMost {
			return broken(CodeLimit, "%d %s exceed %d", l.n, l.what, l.atMost)
		}
	}
	for i, a := range t.Attachments {
		if limit := a.Kind.limit(); a.Len > limit || a.Kind > AttachProof {
			return broken(CodeLimit, "attachment %d of kind %d and %d bytes", i, a.Kind, a.Len)
		}
	}
	for i := range c.witness {
		if !c.witness[i].fits() {
			return broken(CodeLimit, "witness of input %d", i)
		}
	}
	return nil
}

// fits reports whether the witness of an input could be decoded.
func (w *InputWitness) fits() bool {
	long := func(p []byte) bool { return len(p) > maxWitnessItem }
	return len(w.Choices) <= maxChoices && len(w.Data) <= maxWitnessData && w.OutBase <= MaxOutputs && !slices.ContainsFunc(w.Data, long)
}

// limit returns the largest attachment of a kind, in bytes.
func (k AttachmentKind) limit() uint32 {
	switch k {
	case AttachKey:
		return MaxKeySize
	case AttachProof:
		return MaxProofSize
	}
	return MaxTxAttachments
}

// checkOutputs checks the form of outputs and fee, whoever demands them.
func (v *Validator) checkOutputs(t *Tx) *RuleError {
	for i := range t.Outputs {
		if o := &t.Outputs[i]; !o.Value.canonical() || len(o.Value) > MaxTokens {
			return broken(CodeValue, "output %d", i)
		}
	}
	if !t.Fee.canonical() || len(t.Fee) > MaxTokens {
		return broken(CodeValue, "fee")
	}
	for i := range t.Outputs {
		if err := checkOutputLock(&t.Outputs[i]); err != nil {
			return broken(CodeLock, "output %d: %v", i, err)
		}
	}
	for i := range t.Outputs {
		if r, ok := t.Outputs[i].Body.(*Resource); ok {
			if err := r.check(); err != nil {
				return broken(CodeResource, "output %d: %v", i, err)
			}
		}
	}
	for i := range t.Outputs {
		if s, ok := t.Outputs[i].Body.(*State); ok {
			if err := checkState(&t.Outputs[i], s, &v.Params); err != nil {
				return broken(CodeState, "output %d: %v", i, err)
			}
		}
	}
	return nil
}

// checkOutputLock lets only assets have covenants in their lock.
func checkOutputLock(o *Output) error {
	if o.Body == nil {
		return CheckLock(o.Lock)
	}
	return checkStateLock(o.Lock)
}

// checkCoinbase checks the form of the first transaction of a block.
func (v *Validator) checkCoinbase(c *checked, env *Env) *RuleError {
	t := c.tx
	bare := len(t.References)+len(t.Fee)+len(t.Attachments)+len(c.witness) == 0 && t.From == 0 && t.Until == 0
	if !bare || t.Height != env.Height {
		return broken(CodeCoinbaseForm, "height %d at %d, or more than outputs", t.Height, env.Height)
	}
	for i := range t.Outputs {
		if t.Outputs[i].Body != nil {
			return broken(CodeCoinbaseForm, "output %d is not an asset", i)
		}
	}
	if t.Chain != env.Chain {
		return broken(CodeChain, "chain %v, want %v", t.Chain, env.Chain)
	}
	if err := c.checkLimits(); err != nil {
		return err
	}
	if err := v.checkOutputs(t); err != nil {
		return err
	}
	return c.checkKeys()
}
