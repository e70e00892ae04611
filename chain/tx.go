package chain

import "slices"

// Limits of one transaction.
const (
	MaxTxBase        = 128 << 10 // bytes of body and witness
	MaxTxAttachments = 4 << 20   // bytes
	MaxProofSize     = 2 << 20   // bytes
	MaxOutputs       = 4096
	MaxInputs        = 1024 // and references, together
	MaxAttachments   = 256
)

// sizeHint is the room that an encoding gets at first, in bytes: enough for simple ones.
const sizeHint = 512

// txVersion is the version of the body's encoding.
const txVersion = 1

// AttachmentKind says what an attachment is for.
type AttachmentKind uint8

// The kinds of attachments.
const (
	AttachData AttachmentKind = iota
	AttachKey
	AttachInput
	AttachOutput
	AttachProof
)

// Attachment names bytes that travel beside a transaction. The transaction commits to them,
// so bytes of another hash are another attachment, never a bad one.
type Attachment struct {
	Kind   AttachmentKind
	SHA256 Hash
	Len    uint32 // bytes
}

func (a Attachment) append(b []byte) []byte {
	b = appendUint(appendArray(b, 3), uint64(a.Kind))
	return appendUint(appendBytes(b, a.SHA256[:]), uint64(a.Len))
}

// Tx is the body of a transaction: all but signatures and witnesses of locks.
type Tx struct {
	Chain       Hash   // of the genesis block
	From, Until uint64 // window of now, both inclusive, in ms; Until 0 has no end
	Height      uint64 // of the block; of a coinbase only, 0 elsewhere
	Inputs      []Outpoint
	References  []Outpoint
	Outputs     []Output
	Fee         Value
	Attachments []Attachment
}

// append encodes [version, chain, from, until, height, inputs, references, outputs, fee,
// attachments].
func (t *Tx) append(b []byte) []byte {
	b = appendUint(appendArray(b, 10), txVersion)
	b = appendBytes(b, t.Chain[:])
	b = appendUint(appendUint(appendUint(b, t.From), t.Until), t.Height)
	b = appendOutpoints(b, t.Inputs)
	b = appendOutpoints(b, t.References)
	b = appendArray(b, len(t.Outputs))
	for i := range t.Outputs {
		b = t.Outputs[i].append(b)
	}
	b = t.Fee.append(b)
	b = appendArray(b, len(t.Attachments))
	for i := range t.Attachments {
		b = t.Attachments[i].append(b)
	}
	return b
}

func appendOutpoints(b []byte, all []Outpoint) []byte {
	b = appendArray(b, len(all))
	for _, o := range all {
		b = o.append(b)
	}
	return b
}

// Encode returns the canonical encoding.
func (t *Tx) Encode() []byte { return t.append(nil) }

// ID returns the hash of the body, which names the transaction.
func (t *Tx) ID() Hash { return tagged(tagTx, t.append(nil)) }

// DecodeTx is the inverse of Tx.Encode.
func DecodeTx(b []byte) (*Tx, error) {
	d := newDecoder(b)
	if len(b) > MaxTxBase {
		d.fail("transaction of %d bytes exceeds %d", len(b), MaxTxBase)
	}
	t := d.tx()
	if err := d.end(); err != nil {
		return nil, err
	}
	return t, nil
}

func (d *decoder) tx() *Tx {
	d.array(10)
	if v := d.uint(); v != txVersion {
		d.fail("transaction of version %d", v)
	}
	t := &Tx{Chain: d.hash(), From: d.uint(), Until: d.uint(), Height: d.uint()}
	t.Inputs = d.outpoints(MaxInputs)
	t.References = d.outpoints(MaxInputs - len(t.Inputs))
	for range d.list(0, MaxOutputs) {
		if d.err != nil {
			return nil
		}
		t.Outputs = append(t.Outputs, d.output())
	}
	t.Fee = d.value(MaxTokens)
	for range d.list(0, MaxAttachments) {
		t.Attachments = append(t.Attachments, d.attachment())
	}
	return t
}

func (d *decoder) outpoints(limit int) []Outpoint {
	var all []Outpoint
	for range d.list(0, limit) {
		all = append(all, d.outpoint())
	}
	return all
}

func (d *decoder) attachment() Attachment {
	d.array(3)
	return Attachment{AttachmentKind(d.uintMax(uint64(AttachProof))), d.hash(), uint32(d.uintMax(MaxTxAttachments))}
}

// Coinbase reports whether t has the form of a coinbase: it spends nothing.
func (t *Tx) Coinbase() bool { return len(t.Inputs) == 0 }

// attachment returns the listed attachment with that hash.
func (t *Tx) attachment(kind AttachmentKind, h Hash) (Attachment, bool) {
	i := slices.IndexFunc(t.Attachments, func(a Attachment) bool { return a.Kind == kind && a.SHA256 == h })
	if i < 0 {
		return Attachment{}, false
	}
	return t.Attachments[i], true
}
