package works

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/weisyn/wes/chain"
)

// version is the first element of orders and results.
const version = 1

// order is the body of a task: what a worker is to execute. Orders are CBOR arrays in core
// deterministic encoding (RFC 8949, section 4.2.1).
type order struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	Kind    chain.JobKind
	Chain   chain.Hash
	Job     chain.Hash
	Payee   chain.Hash
	Key     chain.Hash // of the verifying key
	Prove   bool
	Payload []byte // empty for a circuit: make it ready, and estimate a proof
}

// result is the body of an outcome.
type result struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	Output  []byte
	Proof   []byte
	Took    uint64 // ms
	Memory  uint64 // bytes
	Stages  []stage
}

// stage is how long a part of a run took.
type stage struct {
	_    struct{} `cbor:",toarray"`
	Name string
	Took uint64 // µs
}

// maxStages bounds the stages of a result.
const maxStages = 16

// errFormat marks bodies of another version, or that are no order or result.
var errFormat = errors.New("a body that is not in this version's format")

var (
	encoder = must(encoding().EncMode())
	decoder = must(cbor.DecOptions{
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 4, MaxArrayElements: 64, MaxMapPairs: 16,
	}.DecMode())
)

func encoding() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty
	return o
}

func must[T any](mode T, err error) T {
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return mode
}

func encode(v any) []byte { return must(encoder.Marshal(v)) }

func decodeOrder(b []byte) (*order, error) {
	o := &order{}
	if err := decoder.Unmarshal(b, o); err != nil {
		return nil, fmt.Errorf("%w: %v", errFormat, err)
	}
	switch {
	case o.Version != version:
		return nil, fmt.Errorf("%w: version %d", errFormat, o.Version)
	case o.Kind != chain.JobInfer && o.Kind != chain.JobProve:
		return nil, fmt.Errorf("%w: kind %d", errFormat, o.Kind)
	}
	return o, nil
}

func decodeResult(b []byte) (*result, error) {
	r := &result{}
	if err := decoder.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%w: %v", errFormat, err)
	}
	if r.Version != version || len(r.Stages) > maxStages {
		return nil, fmt.Errorf("%w: version %d", errFormat, r.Version)
	}
	return r, nil
}
