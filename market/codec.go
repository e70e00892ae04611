package market

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"

	"github.com/weisyn/wes/chain"
)

// ErrMessage is returned for bytes that are not the canonical encoding of what was expected.
var ErrMessage = errors.New("malformed market message")

// Limits of the encodings, in bytes.
const (
	MaxAsk     = 8 << 10
	MaxPayload = 4 << 20 // input of an inference, or a full witness
	MaxAward   = MaxPayload + 256<<10
	MaxStart   = 256 << 10
	MaxCollect = 256
	MaxOutput  = 4 << 20
	MaxProof   = 2 << 20
	// MaxDelivery bounds the answer to Collect.
	MaxDelivery = MaxOutput + MaxProof + 4<<10
	MaxAdvert   = 32 << 10
	maxRecord   = 1 << 20
)

// modes returns how everything here is encoded: core deterministic CBOR of arrays.
func modes() (cbor.EncMode, cbor.DecMode) {
	eo := cbor.CoreDetEncOptions()
	eo.NilContainers = cbor.NilContainerAsEmpty
	enc, err := eo.EncMode()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	dec, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: 12, MaxArrayElements: 1 << 12, MaxMapPairs: 16, UTF8: cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return enc, dec
}

var encoding, decoding = modes()

// encode panics for values that cannot be encoded, which are bugs.
func encode(v any) []byte {
	b, err := encoding.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}

// decode reads the one encoding of a value.
func decode[T any](b []byte, limit int) (*T, error) {
	v := new(T)
	if len(b) > limit {
		return nil, fmt.Errorf("%w: %s of %d bytes, at most %d", ErrMessage, nameOf(v), len(b), limit)
	}
	if err := decoding.Unmarshal(b, v); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrMessage, nameOf(v), err)
	}
	if !bytes.Equal(encode(v), b) {
		return nil, fmt.Errorf("%w: %s: not in its canonical form", ErrMessage, nameOf(v))
	}
	if c, ok := any(v).(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrMessage, nameOf(v), err)
		}
	}
	return v, nil
}

func nameOf(v any) string { return reflect.TypeOf(v).Elem().Name() }

// Ref names an output.
type Ref struct {
	_     struct{} `cbor:",toarray"`
	Tx    chain.Hash
	Index uint32
}

// RefOf returns the name of an output as messages hold it.
func RefOf(o chain.Outpoint) Ref { return Ref{Tx: o.Tx, Index: o.Index} }

// Outpoint is the inverse of RefOf.
func (r Ref) Outpoint() chain.Outpoint { return chain.Outpoint{Tx: r.Tx, Index: r.Index} }

// Compare orders references.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(bytes.Compare(r.Tx[:], o.Tx[:]), cmp.Compare(r.Index, o.Index))
}

// String returns TRANSACTION:INDEX.
func (r Ref) String() string { return fmt.Sprintf("%v:%d", r.Tx, r.Index) }

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r.Tx == chain.Hash{} && r.Index == 0 }
