package chain

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// digest fills a hash with one byte, so that golden files can be read.
func digest(b byte) (h Hash) {
	for i := range h {
		h[i] = b
	}
	return h
}

func publicKey(b byte) PublicKey { return PublicKey(digest(b)) }

// everyLock holds one lock of each kind.
func everyLock() []Lock {
	key := VerifyingKey{Hash: digest(0x21), Len: 4096, Cost: 2000}
	return []Lock{
		Key{publicKey(1)},
		Multi{Need: 2, Keys: []PublicKey{publicKey(1), publicKey(2), publicKey(3)}},
		HashLock{digest(0x11)},
		After{ClockTime, 1_700_000_000_000},
		Before{ClockHeight, 500},
		All{[]Lock{Key{publicKey(1)}, After{ClockHeight, 24}}},
		Any{[]Lock{Key{publicKey(1)}, All{}}},
		Delegate{
			Owner: Key{publicKey(1)}, Delegate: Key{publicKey(2)}, Operations: OpAsset | OpState(StateEscrow),
			Token: digest(0x31), Remaining: 70_000, Expiry: 1_700_000_000_000,
		},
		Threshold{publicKey(4), 3, 5},
		Proof{Kind: JobInfer, Key: key, Job: digest(0x22), Model: digest(0x23), Input: digest(0x24), Payee: Key{publicKey(5)}},
		Address{digest(0x12)},
	}
}

func sampleTx() *Tx {
	return &Tx{
		Chain: digest(0xcc), From: 1000, Until: 70_000, Height: 0,
		Inputs:     []Outpoint{{digest(0xa1), 0}, {digest(0xa2), 300}},
		References: []Outpoint{{digest(0xa3), 1}},
		Outputs: []Output{
			{Lock: Key{publicKey(1)}, Value: Value{{TokenID{}, 5}, {digest(0x31), 1 << 40}}},
			{Lock: Address{digest(0x12)}, Body: sampleResource()},
			{Lock: Open(), Value: Native(1), Body: &State{StateData, []byte{1, 2, 3}}},
		},
		Fee:         Native(2500),
		Attachments: []Attachment{{AttachKey, digest(0x21), 4096}, {AttachProof, digest(0x44), 2 << 20}},
	}
}

func sampleResource() *Resource {
	return &Resource{
		CID: []byte("a cid"), Kind: ResourceModel, Size: 1 << 33, Name: "résnet", Version: "1.0",
		Predecessor: &Outpoint{digest(0xa1), 0}, Price: Coin{digest(0x31), 9}, Owner: Key{publicKey(6)},
		Key: &VerifyingKey{digest(0x21), 4096, 2000},
	}
}

func sampleWitness() Witness {
	return Witness{
		{Data: [][]byte{make([]byte, 64)}},
		{OutBase: 2, Exit: 3, Choices: []uint64{0, 1 << 33}, Data: [][]byte{{1}, make([]byte, 32)}},
	}
}

func sampleHeader() Header {
	h := Header{
		Chain: digest(0xcc), Parent: digest(0xbb), Height: 7, Time: 1_700_000_000_123, Bits: 0x1d00ffff,
		TxRoot: digest(1), WitnessRoot: digest(2), UTXOHash: digest(3), Miner: publicKey(9),
	}
	copy(h.Nonce[:], "0123456789abcdef")
	return h
}

func sampleBlock() *Block {
	return &Block{
		Header: sampleHeader(), Seal: make([]byte, sealSize),
		Txs: []*Tx{{Height: 7}, sampleTx()}, Witnesses: []Witness{nil, sampleWitness()},
	}
}

// everyState holds one state of each type with rules of its own.
func everyState() []stateRules {
	escrow := JobEscrow{
		Job: digest(1), Client: Key{publicKey(1)}, Operator: Key{publicKey(2)}, Level: LevelOptimistic, Kind: JobProve,
		Key: VerifyingKey{digest(3), 300, 2000}, Model: digest(4), Input: digest(5), Token: digest(6), Price: 1000,
		Royalty: Royalty{Key{publicKey(3)}, 50}, FeeReserve: 60, Bond: 10_000, Start: 1, Due: 200_000, Late: 900_000,
	}
	return []stateRules{
		&TokenPolicy{ID: digest(1), Lock: Key{publicKey(1)}, Max: 100, Minted: 40},
		&SponsorPool{
			Owner: Key{publicKey(1)}, Users: []Lock{Key{publicKey(2)}}, Operations: OpAsset, Rate: 2, MaxPerTx: 3,
			PeriodLen: 4, PeriodStart: 5, PeriodLeft: 6, PeriodCap: 7, Expiry: 8,
		},
		&escrow,
		&OptClaim{escrow, digest(7), 9},
		&InvalidClaim{escrow, 9},
		&OperatorBond{Key{publicKey(1)}, publicKey(2), 3},
		&Receipt{digest(1), JobInfer, LevelZK, digest(2), digest(3), digest(4), digest(5), Coin{digest(6), 7}},
		opaque("data"),
	}
}

func sampleResult() Result {
	return Result{JobInfer, digest(1), digest(2), digest(3), digest(4), digest(5)}
}

func sampleUndo() *Undo {
	u := UTXO{Outpoint{digest(1), 2}, Entry{sampleTx().Outputs[0], 3, true}}
	e := ltElement(&u)
	l := Ledger{digest(4), digest(5), 6, 7, e}
	return &Undo{l, []UTXO{u}, []Outpoint{{digest(8), 9}}, []KeyChange{{digest(10), 11, 12}}}
}

// source draws random structures.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 1))} }

func (r source) hash() (h Hash) {
	for i := 0; i < HashSize; i += 8 {
		binary.LittleEndian.PutUint64(h[i:], r.Uint64())
	}
	return h
}

// number draws integers of every length.
func (r source) number() uint64 { return r.Uint64() >> r.IntN(64) }

func (r source) lock(depth int) Lock {
	all := everyLock()
	if depth == 0 {
		return all[r.IntN(5)]
	}
	children := func() []Lock {
		var locks []Lock
		for range r.IntN(4) {
			locks = append(locks, r.lock(depth-1))
		}
		return locks
	}
	switch r.IntN(4) {
	case 0:
		return All{children()}
	case 1:
		return Any{children()}
	}
	return all[r.IntN(len(all))]
}

func (r source) value() Value {
	t := totals{}
	for range r.IntN(MaxTokens) {
		token := r.hash()
		if r.IntN(3) == 0 {
			token = TokenID{}
		}
		t[token] = r.number()
	}
	return t.value()
}

func (r source) output() Output {
	o := Output{Lock: r.lock(3), Value: r.value()}
	switch r.IntN(3) {
	case 1:
		o.Body = sampleResource()
	case 2:
		o.Body = &State{StateType(r.IntN(int(maxStateType) + 1)), r.bytes(r.IntN(400))}
	}
	return o
}

func (r source) bytes(n int) []byte {
	if n == 0 {
		return nil
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (r source) tx() *Tx {
	t := &Tx{Chain: r.hash(), From: r.number(), Until: r.number(), Height: r.number(), Fee: r.value()}
	for range r.IntN(4) {
		t.Inputs = append(t.Inputs, Outpoint{r.hash(), r.Uint32() >> r.IntN(32)})
		t.References = append(t.References, Outpoint{r.hash(), 0})
		t.Outputs = append(t.Outputs, r.output())
		t.Attachments = append(t.Attachments, Attachment{AttachmentKind(r.IntN(5)), r.hash(), uint32(r.IntN(MaxTxAttachments))})
	}
	return t
}

func (r source) witness() Witness {
	var w Witness
	for range r.IntN(4) {
		in := InputWitness{OutBase: uint32(r.IntN(MaxOutputs)), Exit: r.Uint32()}
		for range r.IntN(4) {
			in.Choices = append(in.Choices, r.number())
			in.Data = append(in.Data, r.bytes(r.IntN(100)))
		}
		w = append(w, in)
	}
	return w
}

func (r source) block() *Block {
	b := &Block{Header: sampleHeader()}
	for range r.IntN(5) {
		b.Txs = append(b.Txs, r.tx())
		b.Witnesses = append(b.Witnesses, slices.Clip(r.witness()))
	}
	return b
}
