package chain

import (
	"encoding/binary"
	"slices"
	"testing"

	"lukechampine.com/blake3"
)

// dumbSum adds lane by lane.
func dumbSum(a, b [ltSize]byte, sign uint16) (out [ltSize]byte) {
	for i := 0; i < ltSize; i += 2 {
		x, y := binary.LittleEndian.Uint16(a[i:]), binary.LittleEndian.Uint16(b[i:])
		binary.LittleEndian.PutUint16(out[i:], x+sign*y)
	}
	return out
}

func (r source) utxo() UTXO {
	return UTXO{Outpoint{r.hash(), r.Uint32()}, Entry{Output{Lock: Key{PublicKey(r.hash())}, Value: Native(r.number() + 1)}, r.number(), false}}
}

func TestLanesAddAndSubtractByThemselves(t *testing.T) {
	r := newSource(1)
	for range 200 {
		var a, b [ltSize]byte
		copy(a[:], r.bytes(ltSize))
		copy(b[:], r.bytes(ltSize))
		for i := range r.IntN(64) {
			a[i], b[i] = 0xff, 0xff
		}
		x, y := ltHashOf(&a), ltHashOf(&b)
		sum, difference := x, x
		sum.Add(&y)
		difference.sub(&y)
		if sum.bytes() != dumbSum(a, b, 1) || difference.bytes() != dumbSum(a, b, 0xffff) {
			t.Fatal("lanes mix")
		}
	}
}

// TestSetHashDependsOnTheSetAlone adds in several orders, with elements that come and go.
func TestSetHashDependsOnTheSetAlone(t *testing.T) {
	r := newSource(2)
	var all []UTXO
	for range 200 {
		all = append(all, r.utxo())
	}
	want := HashSet(all)
	shuffled := slices.Clone(all)
	r.Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	got := ltSum(len(all), func(i int) *UTXO { return &shuffled[i] }, 5)
	passing := r.utxo()
	e := ltElement(&passing)
	got.Add(&e)
	if got == want || got.Sum() == want.Sum() {
		t.Error("an element more goes unseen")
	}
	got.sub(&e)
	if got != want || got.Sum() != want.Sum() {
		t.Error("the order shows")
	}
	if HashSet(nil) != (LtHash{}) {
		t.Error("the hash of nothing is not zero")
	}
}

func TestEveryFieldOfAnOutputEntersTheSetHash(t *testing.T) {
	base := newSource(3).utxo()
	for name, change := range map[string]func(u *UTXO){
		"transaction": func(u *UTXO) { u.Outpoint.Tx[0]++ }, "index": func(u *UTXO) { u.Outpoint.Index++ },
		"height": func(u *UTXO) { u.Entry.Height++ }, "coinbase": func(u *UTXO) { u.Entry.Coinbase = true },
		"value": func(u *UTXO) { u.Entry.Output.Value = Native(1) }, "lock": func(u *UTXO) { u.Entry.Output.Lock = Open() },
		"body": func(u *UTXO) { u.Entry.Output.Body = &State{Type: StateData} },
	} {
		other := base
		change(&other)
		if ltElement(&other) == ltElement(&base) {
			t.Errorf("%s does not enter", name)
		}
	}
}

func TestElementsAreTheLibrarysExtendableOutput(t *testing.T) {
	r := newSource(5)
	for range 50 {
		digest := r.hash()
		h := blake3.New(HashSize, nil)
		h.Write(digest[:])
		var want [ltSize]byte
		if _, err := h.XOF().Read(want[:]); err != nil {
			t.Fatal(err)
		}
		if ltExpand(digest) != want {
			t.Fatal("another expansion")
		}
	}
}

// TestSetHashIsFixed guards the expansion, which every node must share.
func TestSetHashIsFixed(t *testing.T) {
	h := HashSet([]UTXO{{Outpoint{digest(1), 2}, Entry{Output{Lock: Key{publicKey(3)}, Value: Native(4)}, 5, true}}})
	b, sum := h.bytes(), h.Sum()
	golden(t, "lthash", append(b[:64:64], sum[:]...))
}

func BenchmarkSetHashElement(b *testing.B) {
	u := newSource(4).utxo()
	var sum LtHash
	for b.Loop() {
		e := ltElement(&u)
		sum.Add(&e)
	}
}
