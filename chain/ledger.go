package chain

// UTXO is an unspent output with its name.
type UTXO struct {
	Outpoint Outpoint
	Entry    Entry
}

// append encodes [transaction, index, height, coinbase, output].
func (u *UTXO) append(b []byte) []byte {
	b = appendBytes(appendArray(b, 5), u.Outpoint.Tx[:])
	b = appendUint(appendUint(b, uint64(u.Outpoint.Index)), u.Entry.Height)
	coinbase := uint64(0)
	if u.Entry.Coinbase {
		coinbase = 1
	}
	return u.Entry.Output.append(appendUint(b, coinbase))
}

func (d *decoder) utxo() UTXO {
	d.array(5)
	return UTXO{
		Outpoint{d.hash(), uint32(d.uintMax(1<<32 - 1))},
		Entry{Height: d.uint(), Coinbase: d.uintMax(1) == 1, Output: d.output()},
	}
}

// Encode returns the canonical encoding, the form in which stores keep unspent outputs.
func (u *UTXO) Encode() []byte { return u.append(nil) }

// DecodeUTXO is the inverse of UTXO.Encode.
func DecodeUTXO(b []byte) (UTXO, error) {
	d := newDecoder(b)
	u := d.utxo()
	return u, d.end()
}

// Ledger is where the ledger stands after a block, beside its unspent outputs.
type Ledger struct {
	Chain  Hash   // of the genesis block
	Tip    Hash   // of the block
	Height uint64 // of the block
	Time   uint64 // of the block: now, for the rules of the next, ms since 1970
	Set    LtHash // of the unspent outputs
}

// append encodes [chain, tip, height, time, lanes].
func (l *Ledger) append(b []byte) []byte {
	b = appendBytes(appendBytes(appendArray(b, 5), l.Chain[:]), l.Tip[:])
	lanes := l.Set.bytes()
	return appendBytes(appendUint(appendUint(b, l.Height), l.Time), lanes[:])
}

func (d *decoder) ledger() Ledger {
	d.array(5)
	l := Ledger{Chain: d.hash(), Tip: d.hash(), Height: d.uint(), Time: d.uint()}
	var lanes [ltSize]byte
	d.fixed(lanes[:])
	l.Set = ltHashOf(&lanes)
	return l
}

// Encode returns the canonical encoding.
func (l *Ledger) Encode() []byte { return l.append(nil) }

// DecodeLedger is the inverse of Ledger.Encode.
func DecodeLedger(b []byte) (Ledger, error) {
	d := newDecoder(b)
	l := d.ledger()
	return l, d.end()
}

// Changes is what a block does to the unspent outputs, net: what it both creates and spends
// is not in it. A store writes all of it or nothing.
type Changes struct {
	Removed []Outpoint
	Added   []UTXO
	Keys    []KeyChange
}

// KeyChange says how many more and how many fewer unspent outputs name a verifying key. Its
// bytes are kept while any does, and as long as blocks may be undone.
type KeyChange struct {
	Key     Hash
	Added   uint64
	Removed uint64
}

// Undo is what it takes to leave a block.
type Undo struct {
	Before  Ledger // after the parent
	Spent   []UTXO
	Created []Outpoint
	Keys    []KeyChange // of the block
}

// Undone returns the state after the parent, and the changes that lead back to it.
func Undone(u *Undo) (Ledger, *Changes) {
	c := &Changes{Removed: u.Created, Added: u.Spent}
	for _, k := range u.Keys {
		c.Keys = append(c.Keys, KeyChange{k.Key, k.Removed, k.Added})
	}
	return u.Before, c
}

// maxUndo bounds each list of undo data: a block has fewer inputs, outputs and keys.
const maxUndo = MaxBlockBase

// Encode returns [ledger, spent, created, keys].
func (u *Undo) Encode() []byte {
	b := u.Before.append(appendArray(nil, 4))
	b = appendArray(b, len(u.Spent))
	for i := range u.Spent {
		b = u.Spent[i].append(b)
	}
	b = appendOutpoints(b, u.Created)
	b = appendArray(b, len(u.Keys))
	for _, k := range u.Keys {
		b = appendBytes(appendArray(b, 3), k.Key[:])
		b = appendUint(appendUint(b, k.Added), k.Removed)
	}
	return b
}

// DecodeUndo is the inverse of Undo.Encode.
func DecodeUndo(raw []byte) (*Undo, error) {
	d := newDecoder(raw)
	d.array(4)
	u := &Undo{Before: d.ledger()}
	for range d.list(0, maxUndo) {
		if d.err != nil {
			break
		}
		u.Spent = append(u.Spent, d.utxo())
	}
	u.Created = d.outpoints(maxUndo)
	for range d.list(0, maxUndo) {
		d.array(3)
		u.Keys = append(u.Keys, KeyChange{d.hash(), d.uint(), d.uint()})
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	return u, nil
}
