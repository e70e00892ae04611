package chain

// opaque is data that the ledger does not read; its lock alone decides. Closing transactions
// of channels keep their receipts in it.
type opaque []byte

var _ stateRules = opaque(nil)

func (o opaque) encode() []byte { return o }

func (o opaque) keys() []NamedKey { return nil }

func (o opaque) check(*Params) error { return nil }

func (o opaque) create(*creation) error { return nil }

func (o opaque) spend(s *spending) *RuleError { return s.noExits() }
