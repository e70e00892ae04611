package chain

// statement is what a lock or state asks a proof of.
type statement struct{ job, model, input, payee Hash }

// claimed is a claim that must verify.
type claimed struct {
	input int
	claim Claim
}

// attachment takes the index of an attachment of some kind from the witness.
func (s *spending) attachment(kind AttachmentKind) (Attachment, *RuleError) {
	i, err := s.choice()
	if err != nil {
		return Attachment{}, err
	}
	all := s.c.tx.Attachments
	if i >= uint64(len(all)) || all[i].Kind != kind {
		return Attachment{}, broken(CodeStatement, "attachment %d is not of kind %d", i, kind)
	}
	return all[i], nil
}

// inputAndOutput takes the indices of both attachments; the input must be the one asked for.
func (s *spending) inputAndOutput(want Hash) (in, out Attachment, err *RuleError) {
	if in, err = s.attachment(AttachInput); err != nil {
		return in, out, err
	}
	if in.SHA256 != want {
		return in, out, broken(CodeStatement, "the attached input is another")
	}
	out, err = s.attachment(AttachOutput)
	return in, out, err
}

// prove records that a proof of st must verify, for any output, and returns the output's
// hash.
func (s *spending) prove(kind JobKind, key VerifyingKey, st statement) (Hash, *RuleError) {
	in, out, err := s.inputAndOutput(st.input)
	if err != nil {
		return Hash{}, err
	}
	proof, err := s.attachment(AttachProof)
	if err != nil {
		return Hash{}, err
	}
	c := Claim{
		Kind: kind, Key: key, Chain: s.env.Chain, Job: st.job, Payee: st.payee, Model: st.model,
		Input: in.SHA256, Output: out.SHA256, Proof: proof.SHA256,
		InputLen: in.Len, OutputLen: out.Len, ProofLen: proof.Len,
	}
	s.claims = append(s.claims, claimed{s.input, c})
	s.c.addCost(s.v.Verifier.Cost(&c))
	return c.Output, nil
}

// contradict records that a proof must verify whose output is not the one that was said, made
// for a challenger whose lock the witness holds. The proof names its payee, so nobody else can
// use a copy.
func (s *spending) contradict(kind JobKind, key VerifyingKey, st statement, said Hash) (Lock, *RuleError) {
	challenger, err := s.challenger()
	if err != nil {
		return nil, err
	}
	st.payee = LockHash(challenger)
	output, err := s.prove(kind, key, st)
	if err == nil && output == said {
		err = broken(CodeStatement, "the proof shows the output that was said")
	}
	return challenger, err
}

// challenger takes a plain lock from the witness.
func (s *spending) challenger() (Lock, *RuleError) {
	raw, err := s.item()
	if err != nil {
		return nil, err
	}
	l, fault := DecodeLock(raw)
	if fault == nil {
		fault = checkStateLock(l)
	}
	if fault != nil {
		return nil, broken(CodeWitness, "lock of the challenger: %v", fault)
	}
	return l, nil
}

// JobID returns the identity of a job: SHA-256 of "wes/job/1" ‖ chain ‖ hash of the client's
// lock ‖ nonce ‖ hash of the terms. It survives a funding transaction that is made again.
func JobID(chain Hash, client Lock, nonce [16]byte, terms Hash) Hash {
	h := LockHash(client)
	return tagged(tagJob, chain[:], h[:], nonce[:], terms[:])
}

// Result is what an operator signs when it delivers off the ledger. A bond is slashed by one
// that a proof contradicts.
type Result struct {
	Kind   JobKind
	Key    Hash // of the verifying key
	Job    Hash
	Model  Hash
	Input  Hash
	Output Hash
}

// Encode returns the canonical encoding.
func (r *Result) Encode() []byte {
	b := appendUint(appendStateFields(nil, 6), uint64(r.Kind))
	for _, h := range []Hash{r.Key, r.Job, r.Model, r.Input, r.Output} {
		b = appendBytes(b, h[:])
	}
	return b
}

// DecodeResult is the inverse of Result.Encode.
func DecodeResult(b []byte) (Result, error) {
	d := newDecoder(b)
	d.stateFields(6)
	r := Result{Kind: JobKind(d.uintMax(uint64(JobProve)))}
	r.Key, r.Job, r.Model, r.Input, r.Output = d.hash(), d.hash(), d.hash(), d.hash(), d.hash()
	if r.Kind == 0 {
		d.fail("%v", errJobKind)
	}
	return r, d.end()
}

// Digest returns what the operator signs: SHA-256 of "wes/result/1" ‖ chain ‖ encoding.
func (r *Result) Digest(chain Hash) Hash { return tagged(tagResult, chain[:], r.Encode()) }
