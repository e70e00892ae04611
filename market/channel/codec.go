package channel

import (
	"bytes"
	"crypto/sha256"
	"reflect"

	"github.com/fxamacker/cbor/v2"

	"github.com/weisyn/wes/chain"
)

// Limits of the encodings, in bytes.
const (
	MaxAnnounce = 256
	MaxVoucher  = 320
	MaxPayments = MaxUnpaid*MaxVoucher + 64
	MaxAck      = 64
	MaxRecord   = 64 << 10
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
		MaxNestedLevels: 8, MaxArrayElements: 64, MaxMapPairs: 16, UTF8: cbor.UTF8RejectInvalid,
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

// decode reads the one encoding of a value and checks its fields.
func decode[T any, P interface {
	*T
	check() error
}](b []byte, limit int,
) (P, error) {
	v := P(new(T))
	name := reflect.TypeOf(v).Elem().Name()
	if len(b) > limit {
		return nil, refuse(ErrMalformed, "%s of %d bytes, at most %d", name, len(b), limit)
	}
	if err := decoding.Unmarshal(b, v); err != nil {
		return nil, refuse(ErrMalformed, "%s: %v", name, err)
	}
	if !bytes.Equal(encode(v), b) {
		return nil, refuse(ErrMalformed, "%s: not in its canonical form", name)
	}
	if err := v.check(); err != nil {
		return nil, refuse(ErrMalformed, "%s: %v", name, err)
	}
	return v, nil
}

// tagged is SHA-256 of a tag and the parts.
func tagged(tag string, parts ...[]byte) chain.Hash {
	h := sha256.New()
	h.Write([]byte(tag))
	for _, p := range parts {
		h.Write(p)
	}
	return chain.Hash(h.Sum(nil))
}
