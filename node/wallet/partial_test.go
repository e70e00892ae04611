package wallet

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
)

// TestSignersOfSeveralWalletsFinishATransaction passes encoded copies around.
func TestSignersOfSeveralWalletsFinishATransaction(t *testing.T) {
	l := multi(2, alice, bob, carol)
	w, u := locked(t, hidden(l), 777_777)
	a := w.wallet(alice)
	a.Locks = []chain.Lock{l}
	_, err := a.SendFrom(t.Context(), []chain.UTXO{u}, to(bob, 100_000))
	var partial *PartialError
	if !errors.As(err, &partial) {
		t.Fatal(err)
	}
	x := w.wallet(carol)
	got, err := DecodePartial(partial.Partial.Encode())
	if err != nil {
		t.Fatal(err)
	}
	r, err := x.Review(got)
	if err != nil || r.Spends.Of(chain.TokenID{}) != 777_777 || len(r.Receives) != 0 || r.Fee.Of(chain.TokenID{}) == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	signed := x.Sign(got)
	unsigned := w.wallet(bob).Sign(got) // a third signature does no harm
	back, err := DecodePartial(signed.Encode())
	if err != nil {
		t.Fatal(err)
	}
	whole, err := partial.Partial.Merge(back)
	if err == nil {
		whole, err = whole.Merge(unsigned)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.mine(w.must(a.Finish(t.Context(), whole)))

	forged := signed.clone()
	forged.inputs[0].signatures[0].bytes[5]++
	if _, err := got.Merge(forged); !errors.Is(err, ErrPartial) {
		t.Errorf("merged a wrong signature: %v", err)
	}
	other := signed.clone()
	tx := *other.Tx
	tx.Until++
	other.Tx = &tx
	if _, err := got.Merge(other); !errors.Is(err, ErrPartial) {
		t.Errorf("merged another transaction: %v", err)
	}
	if _, err := x.Finish(t.Context(), forged); !errors.As(err, &partial) {
		t.Errorf("finished with a wrong signature: %v", err)
	}
}

// samplePartial has something of everything.
func samplePartial() *Partial {
	spent := chain.Output{Lock: multi(2, alice, bob), Value: chain.Native(5)}
	moves := uint64(3)
	return &Partial{
		Tx: &chain.Tx{Inputs: []chain.Outpoint{{Index: 1}}, Until: 5}, drawn: 9,
		known: []chain.Lock{alice.Lock()}, secrets: [][32]byte{{1}, {2}},
		inputs: []partialInput{{
			spent: spent, base: 1, exit: 2, moves: &moves,
			steps: []step{number(1), data([]byte{1}), unlock(alice.Lock())}, signatures: []signature{{}, {key: chain.PublicKey{1}}},
		}},
	}
}

// goldenPartial is SHA-256 of the sample's encoding: a change of the format needs a new version.
const goldenPartial = "589864b83dd158963ea1336a35ad5bc0bcd029b25101b18dbeaf978753d8517c"

func TestPartialFormatStays(t *testing.T) {
	raw := samplePartial().Encode()
	if got := chain.Hash(sha256.Sum256(raw)).String(); got != goldenPartial {
		t.Errorf("the format has changed: %s", got)
	}
	for i := range raw {
		if _, err := DecodePartial(raw[:i]); !errors.Is(err, ErrPartial) {
			t.Errorf("%d of %d bytes: %v", i, len(raw), err)
		}
	}
	for name, bad := range map[string]*Partial{
		"locks out of order":      {Tx: &chain.Tx{}, known: []chain.Lock{bob.Lock(), alice.Lock(), bob.Lock()}},
		"preimages out of order":  {Tx: &chain.Tx{}, secrets: [][32]byte{{2}, {1}}},
		"signatures out of order": {Tx: &chain.Tx{Inputs: []chain.Outpoint{{}}}, inputs: []partialInput{{spent: coin(bob, 1), signatures: make([]signature, 2)}}},
		"too many steps":          {Tx: &chain.Tx{Inputs: []chain.Outpoint{{}}}, inputs: []partialInput{{spent: coin(bob, 1), steps: slices.Repeat([]step{number(1)}, maxSteps+1)}}},
	} {
		if _, err := DecodePartial(bad.Encode()); !errors.Is(err, ErrPartial) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string][]byte{
		"trailing byte": append(raw, 0), "too long": make([]byte, MaxPartial+1), "long number": bytes.Replace(raw, []byte{9, 1}, []byte{0x89, 0, 1}, 1),
	} {
		if _, err := DecodePartial(bad); !errors.Is(err, ErrPartial) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodePartial(f *testing.F) {
	f.Add(samplePartial().Encode())
	f.Add((&Partial{Tx: &chain.Tx{}}).Encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := DecodePartial(raw)
		if err != nil {
			if !errors.Is(err, ErrPartial) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(p.Encode(), raw) {
			t.Fatal("another encoding")
		}
		w := New(alice, nil, &Memory{})
		signed := w.Sign(p)
		_, _ = signed.finish(chain.Env{}, chain.TokenID{})
		_, _ = w.Review(p)
		if _, err := DecodePartial(signed.Encode()); err != nil && len(p.inputs) > 0 && len(p.inputs[0].signatures) < maxSignatures {
			t.Fatal(err)
		}
	})
}
