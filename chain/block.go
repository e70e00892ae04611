package chain

// Limits of one block.
const (
	MaxBlockBase        = 2 << 20 // bytes of bodies and witnesses
	MaxBlockAttachments = 8 << 20 // bytes
	MaxBlockCost        = 3_000_000
	MaxFeeTokens        = 16
)

// MaxBlockSize bounds an encoded block: its base and room for header, seal and heads.
const MaxBlockSize = MaxBlockBase + 512

// sealSize is the length of the signature of a sealed header.
const sealSize = 64

// minTxSize is below the size of any encoded body, in bytes.
const minTxSize = 40

// Block is a header, the transactions below it and their witnesses. The first transaction is
// the coinbase. The seal is a signature of the header where a network profile asks for one,
// else empty.
type Block struct {
	Header    Header
	Seal      []byte
	Txs       []*Tx
	Witnesses []Witness // of Txs, in their order
}

// Encode returns [header, seal, bodies, witnesses].
func (b *Block) Encode() []byte {
	h := b.Header.Encode()
	out := appendBytes(appendArray(nil, 4), h[:])
	out = appendBytes(out, b.Seal)
	out = appendArray(out, len(b.Txs))
	for _, t := range b.Txs {
		out = t.append(out)
	}
	out = appendArray(out, len(b.Witnesses))
	for _, w := range b.Witnesses {
		out = w.append(out)
	}
	return out
}

// DecodeBlock is the inverse of Block.Encode.
func DecodeBlock(raw []byte) (*Block, error) {
	d := newDecoder(raw)
	if len(raw) > MaxBlockSize {
		d.fail("block of %d bytes exceeds %d", len(raw), MaxBlockSize)
	}
	b := d.block()
	if err := d.end(); err != nil {
		return nil, err
	}
	return b, nil
}

func (d *decoder) block() *Block {
	b := &Block{}
	d.array(4)
	var raw [HeaderSize]byte
	d.fixed(raw[:])
	if d.err == nil {
		b.Header, d.err = DecodeHeader(raw[:])
	}
	b.Seal = d.bytes(sealSize)
	if len(b.Seal) != 0 && len(b.Seal) != sealSize {
		d.fail("seal of %d bytes", len(b.Seal))
	}
	for range d.list(0, MaxBlockBase/minTxSize) {
		if d.err != nil {
			return nil
		}
		b.Txs = append(b.Txs, d.tx())
	}
	for range d.list(len(b.Txs), len(b.Txs)) {
		if d.err != nil {
			return nil
		}
		b.Witnesses = append(b.Witnesses, d.witness())
	}
	return b
}

// Roots returns the Merkle roots that the header must hold.
func (b *Block) Roots() (txs, witnesses Hash) {
	ids := make([]Hash, len(b.Txs))
	for i, t := range b.Txs {
		ids[i] = t.ID()
	}
	hashes := make([]Hash, len(b.Witnesses))
	for i, w := range b.Witnesses {
		hashes[i] = w.Hash()
	}
	return MerkleRoot(ids), MerkleRoot(hashes)
}
