package wire_test

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"

	"github.com/weisyn/wes/prover/circuit/wire"
)

// lengths are the fields of each kind of encoding that gnark trusts with an allocation, a loop or
// an index.
var lengths = map[backend.ID]map[string][]string{
	backend.GROTH16: {
		"proof":         {"Commitments"},
		"verifying key": {"G1.K", "PublicAndCommitmentCommitted", "CommitmentKeys"},
		"compressed proving key": {
			"Domain.Cardinality", "G1.A", "G1.B", "G1.Z", "G1.K", "G2.B", "nbWires", "NbInfinityA", "NbInfinityB",
			"CommitmentKeys", "CommitmentKeys.Basis", "CommitmentKeys.BasisExpSigma",
		},
		"constraint system": {"total length", "levels", "instructions", "calldata", "body", "coefficients"},
		"witness":           {"values"},
	},
	backend.PLONK: {
		"proof":         {"BatchedProof.ClaimedValues", "Bsb22Commitments"},
		"verifying key": {"Size", "NbPublicVariables", "Qcp", "CommitmentConstraintIndexes"},
		"compressed proving key": {
			"Size", "NbPublicVariables", "Qcp", "CommitmentConstraintIndexes", "Kzg.G1", "KzgLagrange.G1",
		},
		"constraint system": {"total length", "levels", "instructions", "calldata", "body", "coefficients"},
		"witness":           {"values"},
	},
}

// TestHugeNumbersAreRefused writes numbers over every place of the encodings. Each field of
// lengths must be refused with each number; what passes all the same must be harmless.
func TestHugeNumbersAreRefused(t *testing.T) {
	each(t, "committed", func(t *testing.T, s *sample) {
		for _, k := range kinds {
			want, ok := lengths[s.scheme][k.name]
			if !ok {
				continue
			}
			b := k.honest(s)[0]
			refused := map[string]int{}
			passed := 0
			sweep(b, k.name == "constraint system", func(changed []byte) {
				err := k.scan(s.curve, s.scheme, changed)
				var refusal *wire.Error
				switch {
				case err == nil:
					if passed++; passed%512 == 1 {
						mustDecode(t, k, s.curve, s.scheme, changed)
					}
				case errors.As(err, &refusal):
					refused[refusal.Field]++
				default:
					t.Fatalf("%s: %v", k.name, err)
				}
			})
			for _, field := range want {
				if refused[field] < 3 {
					t.Errorf("%s: huge %s refused %d times, of %v", k.name, field, refused[field], slices.Sorted(maps.Keys(refused)))
				}
			}
		}
	})
}

// sweep calls f with huge numbers at the places of b, few of those far from its ends: there a long
// encoding has points only.
func sweep(b []byte, little bool, f func(changed []byte)) {
	order := binary.ByteOrder(binary.BigEndian)
	if little {
		order = binary.LittleEndian
	}
	changed := slices.Clone(b)
	for at := 0; at+8 <= len(b); at++ {
		if at > 1<<12 && at < len(b)-1<<12 && at%509 != 0 {
			continue
		}
		put := func(write func(p []byte)) {
			write(changed[at:])
			f(changed)
			copy(changed[at:at+8], b[at:])
		}
		put(func(p []byte) { order.PutUint32(p, 1<<31) })
		put(func(p []byte) { order.PutUint32(p, 1<<32-1) })
		put(func(p []byte) { order.PutUint64(p, 1<<62) })
	}
}

// The proof that asked for 275 GB.
func TestShortProofWithHugeLengthIsRefused(t *testing.T) {
	b := make([]byte, 164)
	b[0], b[32], b[96] = 0x40, 0x40, 0x40 // points at infinity
	binary.BigEndian.PutUint32(b[128:], 1<<32-1)
	if _, err := wire.Proof(ecc.BN254, backend.GROTH16, b); err == nil {
		t.Error("passes")
	}
}

func TestWitnessesLargerThanAskedForAreRefused(t *testing.T) {
	s := get(t, ecc.BN254, backend.GROTH16, "mixed")
	if _, err := wire.Witness(s.curve, s.full, 3); err == nil {
		t.Error("4 values pass as 3")
	}
}

// TestKeysThatContradictThemselvesAreRefused changes single numbers of honest keys that gnark's
// verifier or prover follows.
func TestKeysThatContradictThemselvesAreRefused(t *testing.T) {
	s := get(t, ecc.BN254, backend.GROTH16, "mixed")
	vk := s.forms[0].vk
	// Three commitments follow 3+3 points; commitment 1 binds public wires 2 and the first commitment.
	at := 3*32 + 3*64 + 4 + 32*6 + 4
	for _, c := range []struct {
		offset int
		value  uint64
	}{{at + 4, 0}, {at + 4, 3}, {at + 12 + 4 + 8, 4}, {at + 12 + 4 + 8, 1 << 40}} {
		changed := slices.Clone(vk)
		binary.BigEndian.PutUint64(changed[c.offset:], c.value)
		var refusal *wire.Error
		if _, err := wire.VerifyingKey(s.curve, s.scheme, changed); !errors.As(err, &refusal) || refusal.Field != "PublicAndCommitmentCommitted" {
			t.Errorf("index %d at %d: %v", c.value, c.offset, err)
		}
	}
}
