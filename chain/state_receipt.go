package chain

// Receipt records a job that was proved, or claimed and not refuted. Only exits create it, so
// whoever references one knows that it was so. Its lock lets the client drop it.
type Receipt struct {
	Job      Hash
	Kind     JobKind
	Level    Level
	Model    Hash
	Input    Hash
	Output   Hash
	Operator Hash // LockHash
	Paid     Coin // to the operator, without bond
}

var _ stateRules = (*Receipt)(nil)

func (r *Receipt) encode() []byte {
	b := appendBytes(appendStateFields(nil, 9), r.Job[:])
	b = appendUint(appendUint(b, uint64(r.Kind)), uint64(r.Level))
	for _, h := range []Hash{r.Model, r.Input, r.Output, r.Operator} {
		b = appendBytes(b, h[:])
	}
	return appendUint(appendToken(b, r.Paid.Token), r.Paid.Amount)
}

func (d *decoder) receipt() *Receipt {
	d.stateFields(9)
	r := &Receipt{Job: d.hash(), Kind: JobKind(d.uintMax(uint64(JobProve))), Level: Level(d.uintMax(uint64(LevelOptimistic)))}
	for _, h := range []*Hash{&r.Model, &r.Input, &r.Output, &r.Operator} {
		*h = d.hash()
	}
	r.Paid = Coin{d.token(), d.uint()}
	return r
}

// State returns the state to put in an output.
func (r *Receipt) State() *State { return &State{StateReceipt, r.encode()} }

func (r *Receipt) keys() []NamedKey { return nil }

func (r *Receipt) check(*Params) error { return r.Kind.check() }

func (r *Receipt) create(*creation) error { return errOnlyByExit }

func (r *Receipt) spend(s *spending) *RuleError { return s.noExits() }
