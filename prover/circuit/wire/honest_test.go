package wire_test

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark/backend"

	"github.com/weisyn/wes/prover/circuit/wire"
)

func TestHonestEncodingsAreAccepted(t *testing.T) {
	for _, name := range []string{"cubic", "mixed"} {
		each(t, name, func(t *testing.T, s *sample) {
			commitments := len(s.circuit.GetCommitments().CommitmentIndexes())
			public := s.circuit.GetNbPublicVariables()
			if s.scheme == backend.GROTH16 {
				public-- // the constant wire
			}
			for i, e := range s.forms {
				proof, err := wire.Proof(s.curve, s.scheme, e.proof)
				if err != nil || proof.Commitments != commitments || proof.Raw != (i == 1) {
					t.Errorf("proof: %+v, %v", proof, err)
				}
				vk, err := wire.VerifyingKey(s.curve, s.scheme, e.vk)
				if err != nil || vk.Commitments != commitments || vk.Public != public || vk.Raw != (i == 1) {
					t.Errorf("verifying key: %+v, %v", vk, err)
				}
				pk, err := wire.ProvingKey(s.curve, s.scheme, bytes.NewReader(e.pk), int64(len(e.pk)), i == 1)
				if err != nil || pk.Commitments != commitments {
					t.Errorf("proving key: %+v, %v", pk, err)
				}
			}
			ccs, err := wire.ConstraintSystem(s.curve, s.scheme, s.bytes)
			if err != nil || ccs.Commitments != commitments || ccs.Public != public ||
				ccs.Constraints != s.circuit.GetNbConstraints() || ccs.Instructions != s.circuit.GetNbInstructions() ||
				ccs.Internal != s.circuit.GetNbInternalVariables() {
				t.Errorf("constraint system: %+v, %v", ccs, err)
			}
			full, err := wire.Witness(s.curve, s.full, 4)
			if err != nil || full.Public != public || full.Secret != s.circuit.GetNbSecretVariables() {
				t.Errorf("full witness: %+v, %v", full, err)
			}
			if got, err := wire.Witness(s.curve, s.public, 4); err != nil || got.Public != public || got.Secret != 0 {
				t.Errorf("public witness: %+v, %v", got, err)
			}
		})
	}
}
