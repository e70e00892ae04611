package proofs

import (
	"bytes"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/verify"
)

// key is a decoded verifying key: one of the two.
type key struct {
	model   *verify.Model
	circuit *circuit.VerifyingKey
}

// EncodeModel returns the key of a model for the ledger: its file without the report, which the
// digest does not bind.
func EncodeModel(m *verify.Model) []byte {
	bare := *m
	bare.Report = nil
	return bare.Encode()
}

// The container of a circuit's key: "WESC", version 1, scheme, curve, and gnark's compressed
// encoding.
const (
	circuitMagic   = "WESC"
	circuitVersion = 1
	circuitHead    = len(circuitMagic) + 3
)

// schemes and curves have their index as number in the container.
func schemes() []string { return []string{schemeGroth16, schemePLONK} }

func curves() []string { return []string{"bn254", "bls12-381", "bls12-377", "bw6-761"} }

// The names of schemes in package circuit.
const (
	schemeGroth16 = "groth16"
	schemePLONK   = "plonk"
)

// EncodeCircuit returns the key of a circuit for the ledger.
func EncodeCircuit(k *circuit.VerifyingKey) []byte {
	b := append([]byte(circuitMagic), circuitVersion, index(schemes(), k.SchemeName()), index(curves(), k.CurveName()))
	return append(b, k.Encode()...)
}

func index(all []string, name string) byte {
	i := slices.Index(all, name)
	if i < 0 {
		panic("BUG: proof system " + name + " is not listed")
	}
	return byte(i)
}

func plonk(s circuit.System) bool { return s.SchemeName() == schemePLONK }

// decodeKey reads the key of a kind of job; every key has one encoding.
func decodeKey(kind chain.JobKind, raw []byte) (*key, error) {
	if len(raw) > chain.MaxKeySize {
		return nil, errKey
	}
	if kind == chain.JobInfer {
		m, err := verify.DecodeModel(raw)
		if err != nil {
			return nil, err
		}
		if len(m.Report) > 0 {
			return nil, errKey
		}
		return &key{model: m}, nil
	}
	k, err := DecodeCircuit(raw)
	if err != nil {
		return nil, err
	}
	return &key{circuit: k}, nil
}

// DecodeCircuit is the inverse of EncodeCircuit, for keys that anyone may have made.
func DecodeCircuit(raw []byte) (*circuit.VerifyingKey, error) {
	if len(raw) > chain.MaxKeySize || len(raw) < circuitHead || string(raw[:len(circuitMagic)]) != circuitMagic || raw[len(circuitMagic)] != circuitVersion {
		return nil, errKey
	}
	scheme, curve := int(raw[circuitHead-2]), int(raw[circuitHead-1])
	if scheme >= len(schemes()) || curve >= len(curves()) {
		return nil, errKey
	}
	system, err := circuit.ParseSystem(schemes()[scheme], curves()[curve])
	if err != nil {
		return nil, err
	}
	k, err := circuit.DecodeVerifyingKey(system, raw[circuitHead:])
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(EncodeCircuit(k), raw) {
		return nil, errKey
	}
	return k, nil
}
