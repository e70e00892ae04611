package works

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/weisyn/wes/chain"
)

func orders() []order {
	return []order{
		{Version: version, Kind: chain.JobInfer, Chain: chain.Hash{1}, Job: chain.Hash{2}, Payee: chain.Hash{3}, Key: chain.Hash{4}, Prove: true, Payload: []byte("tensors")},
		{Version: version, Kind: chain.JobProve, Chain: chain.Hash{1}, Job: chain.Hash{2}, Payee: chain.Hash{3}, Key: chain.Hash{4}, Prove: true, Payload: []byte("witness")},
		{Version: version, Kind: chain.JobProve, Key: chain.Hash{4}, Payload: []byte{}},
	}
}

func TestOrdersComeAsTheyWereSent(t *testing.T) {
	for _, want := range orders() {
		got, err := decodeOrder(encode(&want))
		if err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	want := result{Version: version, Output: []byte{}, Proof: []byte("proof"), Took: 7, Memory: 8, Stages: []stage{{Name: "prove", Took: 9}}}
	got, err := decodeResult(encode(&want))
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestOrdersOfOtherFormatsAreRefused(t *testing.T) {
	good := orders()[0]
	otherVersion, otherKind := good, good
	otherVersion.Version++
	otherKind.Kind = 9
	for name, raw := range map[string][]byte{
		"version": encode(&otherVersion), "kind": encode(&otherKind), "trailing byte": append(encode(&good), 0), "short": encode(&good)[:20], "nothing": nil,
	} {
		if _, err := decodeOrder(raw); !errors.Is(err, errFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	many := result{Version: version, Stages: make([]stage, maxStages+1)}
	if _, err := decodeResult(encode(&many)); !errors.Is(err, errFormat) {
		t.Errorf("many stages: %v", err)
	}
}

func FuzzDecodeOrder(f *testing.F) {
	for _, o := range orders() {
		f.Add(encode(&o))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := decodeOrder(b)
		if err != nil {
			return
		}
		again, err := decodeOrder(encode(o))
		if err != nil || !bytes.Equal(encode(again), encode(o)) {
			t.Errorf("%+v comes again as %+v: %v", o, again, err)
		}
	})
}

func FuzzDecodeResult(f *testing.F) {
	f.Add(encode(&result{Version: version, Proof: []byte("proof"), Stages: []stage{{Name: "prove", Took: 9}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeResult(b)
		if err != nil {
			return
		}
		again, err := decodeResult(encode(r))
		if err != nil || !bytes.Equal(encode(again), encode(r)) {
			t.Errorf("%+v comes again as %+v: %v", r, again, err)
		}
	})
}
