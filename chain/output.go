package chain

import (
	"crypto/sha256"
	"errors"
	"slices"
	"unicode/utf8"
)

// Limits of one output.
const (
	MaxTokens     = 8
	MaxCID        = 64      // bytes
	MaxName       = 64      // bytes
	MaxVersion    = 32      // bytes
	MaxKeySize    = 1 << 20 // bytes of a verifying key
	MaxStateData  = 16 << 10
	maxResourceID = 1<<16 - 1
)

// Outpoint names an output: the transaction that created it and its index there.
type Outpoint struct {
	Tx    Hash
	Index uint32
}

func (o Outpoint) append(b []byte) []byte {
	return appendUint(appendBytes(appendArray(b, 2), o.Tx[:]), uint64(o.Index))
}

func (d *decoder) outpoint() Outpoint {
	d.array(2)
	return Outpoint{d.hash(), uint32(d.uintMax(1<<32 - 1))}
}

// Output is a value under a lock, with a body or without. An output without a body is an
// asset.
type Output struct {
	Lock  Lock
	Value Value
	Body  Body // *Resource, *State, or nil
}

// Body is what an output holds beside its value: a [*Resource] or a [*State].
type Body interface {
	appendBody(b []byte) []byte
}

var (
	_ Body = (*Resource)(nil)
	_ Body = (*State)(nil)
)

// The kinds of outputs, as encoded.
const (
	outputAsset uint64 = iota
	outputResource
	outputState
)

// ResourceKind says what a resource is.
type ResourceKind uint16

// The kinds that this package tells apart; others are for those who read them. Models and
// circuits have verifying keys.
const (
	ResourceFile ResourceKind = iota
	ResourceModel
	ResourceGroth16
	ResourcePlonk
	ResourceContract
)

// proves returns the kind of job whose proofs verify under the keys of such a resource.
func (k ResourceKind) proves() (JobKind, bool) {
	switch k {
	case ResourceModel:
		return JobInfer, true
	case ResourceGroth16, ResourcePlonk:
		return JobProve, true
	}
	return 0, false
}

// VerifyingKey names a key and says what a verification under it costs. Everything that names
// a key carries all three, so the cost is known wherever the key is named.
type VerifyingKey struct {
	Hash Hash   // SHA-256 of the bytes
	Len  uint32 // bytes, 1 to MaxKeySize
	Cost uint64 // units
}

func (k VerifyingKey) append(b []byte) []byte {
	b = appendBytes(appendArray(b, 3), k.Hash[:])
	return appendUint(appendUint(b, uint64(k.Len)), k.Cost)
}

func (d *decoder) verifyingKey() VerifyingKey {
	d.array(3)
	return VerifyingKey{d.hash(), uint32(d.uintMax(MaxKeySize)), d.uint()}
}

// Resource announces content that the ledger never reads.
type Resource struct {
	CID         []byte // 1 to MaxCID bytes
	Kind        ResourceKind
	Size        uint64 // bytes
	Name        string
	Version     string
	Predecessor *Outpoint     // the resource this one replaces; the same transaction spends it
	Price       Coin          // per job; zero is free
	Owner       Lock          // whom royalties are paid
	Key         *VerifyingKey // of models and circuits only, and always
}

func (r *Resource) appendBody(b []byte) []byte {
	b = appendBytes(b, r.CID)
	b = appendUint(appendUint(b, uint64(r.Kind)), r.Size)
	b = appendText(appendText(b, r.Name), r.Version)
	if r.Predecessor == nil {
		b = appendArray(b, 0)
	} else {
		b = r.Predecessor.append(b)
	}
	b = appendUint(appendToken(b, r.Price.Token), r.Price.Amount)
	b = r.Owner.append(b)
	if r.Key == nil {
		return appendArray(b, 0)
	}
	return r.Key.append(b)
}

const resourceFields = 10

func (d *decoder) resource() *Resource {
	r := &Resource{CID: d.bytes(MaxCID)}
	r.Kind, r.Size = ResourceKind(d.uintMax(maxResourceID)), d.uint()
	r.Name, r.Version = d.text(MaxName), d.text(MaxVersion)
	if !d.empty() {
		p := d.outpoint()
		r.Predecessor = &p
	}
	r.Price = Coin{d.token(), d.uint()}
	r.Owner = d.lock()
	if !d.empty() {
		k := d.verifyingKey()
		r.Key = &k
	}
	return r
}

// empty consumes an empty array, if one is next.
func (d *decoder) empty() bool {
	if d.err == nil && len(d.rest) > 0 && d.rest[0] == majorArray<<5 {
		d.rest = d.rest[1:]
		return true
	}
	return false
}

var (
	errResourceKey   = errors.New("models and circuits have a verifying key of 1 byte to 1 MiB, others have none")
	errResourceField = errors.New("content identifier, name or version is missing, too long or not UTF-8")
	errResourcePrice = errors.New("price of zero in a token")
)

// check reports a field out of range.
func (r *Resource) check() error {
	if len(r.CID) < 1 || len(r.CID) > MaxCID || !fitsText(r.Name, MaxName) || !fitsText(r.Version, MaxVersion) {
		return errResourceField
	}
	if r.Price.Amount == 0 && r.Price.Token != (TokenID{}) {
		return errResourcePrice
	}
	_, proves := r.Kind.proves()
	if proves != (r.Key != nil) || proves && (r.Key.Len < 1 || r.Key.Len > MaxKeySize) {
		return errResourceKey
	}
	return checkStateLock(r.Owner)
}

func fitsText(s string, limit int) bool { return len(s) <= limit && utf8.ValidString(s) }

// State is data with rules about what may follow it. Type selects the validator.
type State struct {
	Type StateType
	Data []byte // canonical encoding that the validator reads, at most MaxStateData bytes
}

func (s *State) appendBody(b []byte) []byte {
	return appendBytes(appendUint(b, uint64(s.Type)), s.Data)
}

func (o *Output) append(b []byte) []byte {
	kind, fields := outputAsset, 0
	switch o.Body.(type) {
	case *Resource:
		kind, fields = outputResource, resourceFields
	case *State:
		kind, fields = outputState, 2
	}
	b = appendKind(b, kind, 2+fields)
	b = o.Lock.append(b)
	b = o.Value.append(b)
	if o.Body == nil {
		return b
	}
	return o.Body.appendBody(b)
}

// Encode returns the canonical encoding.
func (o *Output) Encode() []byte { return o.append(nil) }

// Hash returns SHA-256 of the canonical encoding.
func (o *Output) Hash() Hash { return sha256.Sum256(o.append(make([]byte, 0, sizeHint))) }

// DecodeOutput is the inverse of Output.Encode.
func DecodeOutput(b []byte) (Output, error) {
	d := newDecoder(b)
	o := d.output()
	return o, d.end()
}

// outputFields holds the number of elements of an encoded output of each kind.
var outputFields = [...]int{outputAsset: 3, outputResource: 3 + resourceFields, outputState: 5}

func (d *decoder) output() (o Output) {
	fields := d.list(3, 3+resourceFields)
	kind := d.uint()
	if d.err != nil {
		return o
	}
	if kind >= uint64(len(outputFields)) || outputFields[kind] != fields {
		d.fail("output of kind %d with %d fields", kind, fields)
		return o
	}
	o.Lock, o.Value = d.lock(), d.value(MaxTokens)
	switch kind {
	case outputResource:
		r := d.resource()
		if d.err == nil {
			if err := r.check(); err != nil {
				d.fail("%v", err)
			}
		}
		o.Body = r
	case outputState:
		o.Body = &State{StateType(d.uintMax(uint64(maxStateType))), d.bytes(MaxStateData)}
	}
	return o
}

// sameOutput compares by encoding.
func sameOutput(a, b *Output) bool { return slices.Equal(a.append(nil), b.append(nil)) }

// Kept reports whether an output enters the set of unspent outputs: all do but burned assets.
func (o *Output) Kept() bool { return o.Body != nil || !burned(o.Lock) }
