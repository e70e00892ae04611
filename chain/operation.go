package chain

// Operations is a set of things a transaction may create: bit 0 assets, bit 1 resources, and
// bit 1 + t states of type t. A delegate and the users of a sponsor pool are bound to one; the
// segment of their own input does not count.
type Operations uint32

const (
	// OpAsset allows outputs without a body.
	OpAsset Operations = 1 << iota
	// OpResource allows resources.
	OpResource
)

// AllOperations allows everything.
const AllOperations = OpResource<<maxStateType<<1 - 1

// OpState allows states of one type.
func OpState(t StateType) Operations { return OpResource << t }

// operation returns the bit of an output.
func (o *Output) operation() Operations {
	switch b := o.Body.(type) {
	case *Resource:
		return OpResource
	case *State:
		return OpState(b.Type)
	}
	return OpAsset
}

func (o Operations) check() error {
	if o > AllOperations {
		return errOpsMask
	}
	return nil
}

// JobKind is what a job asks for.
type JobKind uint8

const (
	// JobInfer runs a model on tensors.
	JobInfer JobKind = iota + 1
	// JobProve proves a circuit for a witness.
	JobProve
)

func (k JobKind) check() error {
	if k != JobInfer && k != JobProve {
		return errJobKind
	}
	return nil
}

// StateType selects the validator of a state.
type StateType uint8

// The types of states; each has a file of its own.
const (
	StatePolicy StateType = iota + 1
	StateSponsor
	StateEscrow
	StateClaim
	StateInvalid
	StateBond
	StateReceipt
	StateData
	maxStateType = StateData
)
