package chain

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

var update = flag.Bool("update", false, "write the golden files")

// format is a decoder and what it is the inverse of, for one structure.
type format struct {
	name   string
	sample func() any
	random func(source) any
	encode func(any) []byte
	decode func([]byte) (any, error)
}

// either keeps the result of a decoder only if it had no error.
func either[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func formats() []format {
	return []format{
		{
			"lock", func() any { return Lock(All{everyLock()[:7]}) }, func(r source) any { return r.lock(3) },
			func(v any) []byte { return EncodeLock(v.(Lock)) }, func(b []byte) (any, error) { return either(DecodeLock(b)) },
		},
		{
			"covenants", func() any { return Lock(Any{everyLock()[7:]}) }, func(r source) any { return r.lock(1) },
			func(v any) []byte { return EncodeLock(v.(Lock)) }, func(b []byte) (any, error) { return either(DecodeLock(b)) },
		},
		{
			"output", func() any { return sampleTx().Outputs[1] }, func(r source) any { return r.output() },
			func(v any) []byte { o := v.(Output); return o.Encode() }, func(b []byte) (any, error) { return either(DecodeOutput(b)) },
		},
		{
			"tx", func() any { return sampleTx() }, func(r source) any { return r.tx() },
			func(v any) []byte { return v.(*Tx).Encode() }, func(b []byte) (any, error) { return either(DecodeTx(b)) },
		},
		{
			"witness", func() any { return sampleWitness() }, func(r source) any { return r.witness() },
			func(v any) []byte { return v.(Witness).Encode() }, func(b []byte) (any, error) { return either(DecodeWitness(b)) },
		},
		{
			"header", func() any { return sampleHeader() }, func(source) any { return sampleHeader() },
			func(v any) []byte { h := v.(Header); b := h.Encode(); return b[:] }, func(b []byte) (any, error) { return either(DecodeHeader(b)) },
		},
		{
			"block", func() any { return sampleBlock() }, func(r source) any { return r.block() },
			func(v any) []byte { return v.(*Block).Encode() }, func(b []byte) (any, error) { return either(DecodeBlock(b)) },
		},
	}
}

// storedFormats are those of stores and states.
func storedFormats() []format {
	all := []format{
		{
			"utxo", func() any { return sampleUndo().Spent[0] }, func(r source) any { return UTXO{Outpoint{r.hash(), 1}, Entry{r.output(), r.number(), r.IntN(2) == 0}} },
			func(v any) []byte { u := v.(UTXO); return u.Encode() }, func(b []byte) (any, error) { return either(DecodeUTXO(b)) },
		},
		{
			"ledger", func() any { return sampleUndo().Before }, func(source) any { return sampleUndo().Before },
			func(v any) []byte { l := v.(Ledger); return l.Encode() }, func(b []byte) (any, error) { return either(DecodeLedger(b)) },
		},
		{
			"undo", func() any { return sampleUndo() }, func(source) any { return sampleUndo() },
			func(v any) []byte { return v.(*Undo).Encode() }, func(b []byte) (any, error) { return either(DecodeUndo(b)) },
		},
		{
			"result", func() any { return sampleResult() }, func(source) any { return sampleResult() },
			func(v any) []byte { r := v.(Result); return r.Encode() }, func(b []byte) (any, error) { return either(DecodeResult(b)) },
		},
	}
	names := []string{"policy", "sponsor", "escrow", "claim", "invalid", "bond", "receipt"}
	for i, name := range names {
		kind := StatePolicy + StateType(i)
		all = append(all, format{
			name, func() any { return everyState()[i] }, func(source) any { return everyState()[i] },
			func(v any) []byte { return v.(stateRules).encode() },
			func(b []byte) (any, error) { return either(decodeState(&State{kind, b})) },
		})
	}
	return all
}

func TestGoldenFilesFixTheFormats(t *testing.T) {
	for _, f := range append(formats(), storedFormats()...) {
		t.Run(f.name, func(t *testing.T) {
			golden(t, f.name, f.encode(f.sample()))
		})
	}
}

// golden compares with testdata/NAME.hex: lines of 32 bytes.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".hex")
	if *update {
		var text strings.Builder
		for i := 0; i < len(got); i += 32 {
			text.WriteString(hex.EncodeToString(got[i:min(i+32, len(got))]) + "\n")
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the encoding of %s changed:\n got %x\nwant %x", name, got, want)
	}
}

func TestDecodeInvertsEncode(t *testing.T) {
	for _, f := range append(formats(), storedFormats()...) {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(200) {
				want := f.random(newSource(seed))
				if seed == 0 {
					want = f.sample()
				}
				got, err := f.decode(f.encode(want))
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d:\n got %#v\nwant %#v", seed, got, want)
				}
			}
		})
	}
}

// TestNoOtherBytesDecodeToTheSame damages encodings: whatever still decodes must be the
// encoding of what it decodes to.
func TestNoOtherBytesDecodeToTheSame(t *testing.T) {
	for _, f := range append(formats(), storedFormats()...) {
		t.Run(f.name, func(t *testing.T) {
			whole := f.encode(f.sample())
			for i := range whole {
				for _, bit := range []byte{1, 0x18, 0x20, 0x80, 0xff} {
					damaged := bytes.Clone(whole)
					damaged[i] ^= bit
					canonical(t, f, damaged)
				}
				if _, err := f.decode(whole[:i]); err == nil {
					t.Fatalf("decodes without the bytes from %d on", i)
				}
			}
			if _, err := f.decode(append(whole, 0)); err == nil {
				t.Fatal("decodes with a byte too many")
			}
		})
	}
}

func canonical(t *testing.T, f format, b []byte) {
	t.Helper()
	v, err := f.decode(b)
	if err != nil {
		if !errors.As(err, new(*EncodingError)) {
			t.Fatalf("%x: error of type %T: %v", b, err, err)
		}
		return
	}
	if again := f.encode(v); !bytes.Equal(again, b) {
		t.Fatalf("%x decodes to a value of which the encoding is %x", b, again)
	}
}

// TestEncodingsAreDeterministicCBOR holds our writer against another implementation.
func TestEncodingsAreDeterministicCBOR(t *testing.T) {
	for _, f := range append(formats(), storedFormats()...) {
		if f.name == "header" {
			continue
		}
		for seed := range uint64(50) {
			sameAsLibrary(t, f.encode(f.random(newSource(seed))))
		}
	}
}

func sameAsLibrary(t *testing.T, b []byte) {
	t.Helper()
	dec, err := cbor.DecOptions{MaxNestedLevels: 16, IndefLength: cbor.IndefLengthForbidden}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := dec.Unmarshal(b, &v); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	again, err := enc.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, b) {
		t.Fatalf("%x is %x in core deterministic encoding", b, again)
	}
}

// TestDeepestLegalBlockStaysWithinSixteenLevels nests as far as the limit of locks allows.
func TestDeepestLegalBlockStaysWithinSixteenLevels(t *testing.T) {
	lock := Lock(Key{})
	for range MaxLockDepth - 3 {
		lock = All{[]Lock{lock}}
	}
	lock = Any{[]Lock{Proof{Kind: JobInfer, Key: VerifyingKey{Len: 1}, Payee: lock}}}
	if err := CheckLock(lock); err != nil {
		t.Fatal(err)
	}
	if err := CheckLock(All{[]Lock{lock}}); err == nil {
		t.Fatal("the lock is not the deepest")
	}
	sameAsLibrary(t, (&Block{Txs: []*Tx{{Outputs: []Output{{Lock: lock}}}}, Witnesses: []Witness{nil}}).Encode())
}

func TestReaderRefusesOtherFormsOfCBOR(t *testing.T) {
	for name, b := range map[string][]byte{
		"one byte for a small integer":    {0x18, 23},
		"two bytes for one":               {0x19, 0, 255},
		"four bytes for two":              {0x1a, 0, 0, 255, 255},
		"eight bytes for four":            {0x1b, 0, 0, 0, 0, 255, 255, 255, 255},
		"a reserved head":                 {0x1c},
		"an indefinite length":            {0x1f},
		"a negative integer":              {0x20},
		"a float":                         {0xf9, 0, 0},
		"null":                            {0xf6},
		"a tag":                           {0xc2, 0},
		"a map":                           {0xa0},
		"nothing":                         {},
		"the head of an integer, cut off": {0x1a, 1, 2},
	} {
		d := newDecoder(b)
		d.uint()
		if d.end() == nil {
			t.Errorf("takes %s", name)
		}
	}
}

func TestReaderBoundsCountsByTheBytesLeft(t *testing.T) {
	for _, b := range [][]byte{
		{0x9a, 0xff, 0xff, 0xff, 0xff}, {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x82, 0},
	} {
		d := newDecoder(b)
		if n := d.list(0, math.MaxInt); n != 0 || d.err == nil {
			t.Errorf("%x: a list of %d elements", b, n)
		}
	}
	d := newDecoder([]byte{0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	if p := d.bytes(math.MaxInt); p != nil || d.err == nil {
		t.Errorf("a string of %d bytes", len(p))
	}
}

func TestDecodersRefuseSizesAboveTheLimits(t *testing.T) {
	wide := func(n int) []byte {
		tx := &Tx{Outputs: []Output{{Lock: Open(), Body: &State{StateData, make([]byte, n)}}}}
		return tx.Encode()
	}
	if _, err := DecodeTx(wide(MaxStateData)); err != nil {
		t.Error(err)
	}
	many := &Tx{}
	for range 9 {
		many.Outputs = append(many.Outputs, Output{Lock: Open(), Body: &State{StateData, make([]byte, MaxStateData)}})
	}
	_, whole := DecodeTx(many.Encode())
	_, state := DecodeTx(wide(MaxStateData + 1))
	_, outputs := DecodeTx((&Tx{Outputs: slicesOf(Output{Lock: Open()}, MaxOutputs+1)}).Encode())
	_, inputs := DecodeTx((&Tx{Inputs: slicesOf(Outpoint{}, MaxInputs), References: slicesOf(Outpoint{}, 1)}).Encode())
	_, attachments := DecodeTx((&Tx{Attachments: slicesOf(Attachment{}, MaxAttachments+1)}).Encode())
	_, witness := DecodeWitness(Witness{{Data: slicesOf(make([]byte, maxWitnessItem), 40)}}.Encode())
	for name, err := range map[string]error{
		"transaction": whole, "state": state, "outputs": outputs, "inputs and references": inputs,
		"attachments": attachments, "witness": witness,
	} {
		if !errors.As(err, new(*EncodingError)) {
			t.Errorf("%s above the limit: %v", name, err)
		}
	}
}

func slicesOf[T any](v T, n int) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = v
	}
	return all
}

func fuzzFormat(f *testing.F, name string) {
	for _, one := range append(formats(), storedFormats()...) {
		if one.name != name {
			continue
		}
		f.Add(one.encode(one.sample()))
		for seed := range uint64(5) {
			f.Add(one.encode(one.random(newSource(seed))))
		}
		f.Fuzz(func(t *testing.T, b []byte) { canonical(t, one, b) })
	}
}

func FuzzDecodeLock(f *testing.F)    { fuzzFormat(f, "lock") }
func FuzzDecodeOutput(f *testing.F)  { fuzzFormat(f, "output") }
func FuzzDecodeTx(f *testing.F)      { fuzzFormat(f, "tx") }
func FuzzDecodeWitness(f *testing.F) { fuzzFormat(f, "witness") }
func FuzzDecodeHeader(f *testing.F)  { fuzzFormat(f, "header") }
func FuzzDecodeUTXO(f *testing.F)    { fuzzFormat(f, "utxo") }
func FuzzDecodeLedger(f *testing.F)  { fuzzFormat(f, "ledger") }
func FuzzDecodeUndo(f *testing.F)    { fuzzFormat(f, "undo") }
func FuzzDecodeResult(f *testing.F)  { fuzzFormat(f, "result") }
func FuzzDecodePolicy(f *testing.F)  { fuzzFormat(f, "policy") }
func FuzzDecodeSponsor(f *testing.F) { fuzzFormat(f, "sponsor") }
func FuzzDecodeEscrow(f *testing.F)  { fuzzFormat(f, "escrow") }
func FuzzDecodeClaim(f *testing.F)   { fuzzFormat(f, "claim") }
func FuzzDecodeInvalid(f *testing.F) { fuzzFormat(f, "invalid") }
func FuzzDecodeBond(f *testing.F)    { fuzzFormat(f, "bond") }
func FuzzDecodeReceipt(f *testing.F) { fuzzFormat(f, "receipt") }
func FuzzDecodeBlock(f *testing.F)   { fuzzFormat(f, "block") }
