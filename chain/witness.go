package chain

// Limits of the witness of one input.
const (
	maxChoices     = 256
	maxWitnessData = 256
	maxWitnessItem = 4 << 10 // bytes; the longest is a revealed lock
)

// InputWitness is what one input brings to satisfy its lock, and its state if it has one.
// Evaluation walks both from the root, first child first, and consumes Choices and Data in
// order; nothing may be left over.
//
// Data holds: signatures of 64 bytes (one for Key and Threshold; Need of them for Multi, in
// the order of the keys), preimages of 32 bytes, encoded locks (for Address and for a
// challenger). Choices hold: the keys that sign, as a bit mask (Multi); the branch (Any); 0
// for the owner, or 1 and the amount moved (Delegate); three indices of attachments: input,
// output, proof (Proof and exits that need one); and amounts that an exit asks for.
type InputWitness struct {
	OutBase uint32 // first output of the input's segment; 0 if it owns none
	Exit    uint32 // of a state; 0 elsewhere
	Choices []uint64
	Data    [][]byte
}

func (w *InputWitness) append(b []byte) []byte {
	b = appendUint(appendUint(appendArray(b, 4), uint64(w.OutBase)), uint64(w.Exit))
	b = appendArray(b, len(w.Choices))
	for _, c := range w.Choices {
		b = appendUint(b, c)
	}
	b = appendArray(b, len(w.Data))
	for _, p := range w.Data {
		b = appendBytes(b, p)
	}
	return b
}

// Witness holds the witnesses of a transaction's inputs, in their order.
type Witness []InputWitness

func (w Witness) append(b []byte) []byte {
	b = appendArray(b, len(w))
	for i := range w {
		b = w[i].append(b)
	}
	return b
}

// Encode returns the canonical encoding.
func (w Witness) Encode() []byte { return w.append(nil) }

// Hash returns the leaf of the block's witness root.
func (w Witness) Hash() Hash { return tagged(tagWitness, w.append(nil)) }

// DecodeWitness is the inverse of Witness.Encode.
func DecodeWitness(b []byte) (Witness, error) {
	d := newDecoder(b)
	if len(b) > MaxTxBase {
		d.fail("witness of %d bytes exceeds %d", len(b), MaxTxBase)
	}
	w := d.witness()
	return w, d.end()
}

func (d *decoder) witness() Witness {
	var w Witness
	for range d.list(0, MaxInputs) {
		if d.err != nil {
			return nil
		}
		w = append(w, d.inputWitness())
	}
	return w
}

func (d *decoder) inputWitness() InputWitness {
	d.array(4)
	w := InputWitness{OutBase: uint32(d.uintMax(MaxOutputs)), Exit: uint32(d.uintMax(1<<32 - 1))}
	for range d.list(0, maxChoices) {
		w.Choices = append(w.Choices, d.uint())
	}
	for range d.list(0, maxWitnessData) {
		w.Data = append(w.Data, d.bytes(maxWitnessItem))
	}
	return w
}
