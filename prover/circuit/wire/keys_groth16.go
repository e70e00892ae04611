package wire

import (
	"fmt"
	"reflect"

	"github.com/consensys/gnark/constraint"
)

// groth16 checks keys against each other and the circuit. Setup in
// backend/groth16/<curve>/setup.go of gnark makes them.
func (k *keys) groth16() error {
	if err := k.groth16Sizes(); err != nil {
		return err
	}
	err := first(
		k.matches(provingKey, k.pk, [][2]string{
			{"Domain.Cardinality", "Cardinality"},
			{"Domain.CardinalityInv", "CardinalityInv"},
			{"Domain.Generator", "Generator"},
			{"Domain.GeneratorInv", "GeneratorInv"},
			{"Domain.FrMultiplicativeGen", "FrMultiplicativeGen"},
			{"Domain.FrMultiplicativeGenInv", "FrMultiplicativeGenInv"},
		}...),
		k.same([][2]string{
			{"G1.Alpha", "G1.Alpha"},
			{"G1.Beta", "G1.Beta"},
			{"G1.Delta", "G1.Delta"},
			{"G2.Beta", "G2.Beta"},
			{"G2.Delta", "G2.Delta"},
		}...),
		present(verifyingKey, k.vk, "G1.Alpha", "G1.Beta", "G1.Delta", "G2.Beta", "G2.Delta", "G2.Gamma"),
	)
	if err != nil {
		return err
	}
	return k.groth16Points()
}

func (k *keys) groth16Sizes() error {
	commitments := k.ccs.GetCommitments().(constraint.Groth16Commitments)
	internal, secret, public := k.ccs.GetNbVariables()
	wires, private := internal+secret+public, internal+secret-len(commitments)
	for _, c := range commitments {
		private -= len(c.PrivateCommitted)
	}
	inA, inB := ones(field(k.pk, "InfinityA")), ones(field(k.pk, "InfinityB"))
	err := first(
		sizes(provingKey, k.pk, []size{
			{"InfinityA", wires},
			{"InfinityB", wires},
			{"G1.A", wires - inA},
			{"G1.B", wires - inB},
			{"G2.B", wires - inB},
			{"G1.K", private},
			{"G1.Z", int(k.rows() - 1)},
			{"CommitmentKeys", len(commitments)},
		}...),
		sizes(verifyingKey, k.vk, size{"G1.K", public + len(commitments)}, size{"CommitmentKeys", len(commitments)}),
	)
	if err != nil {
		return err
	}
	if got := int(field(k.pk, "NbInfinityA").Uint()); got != inA {
		return disagree(provingKey, "NbInfinityA", got, inA)
	}
	if got := int(field(k.pk, "NbInfinityB").Uint()); got != inB {
		return disagree(provingKey, "NbInfinityB", got, inB)
	}
	for i, c := range commitments {
		key := field(k.pk, "CommitmentKeys").Index(i)
		if err := sizes(provingKey, key, size{"Basis", len(c.PrivateCommitted)}, size{"BasisExpSigma", len(c.PrivateCommitted)}); err != nil {
			return err
		}
	}
	want := commitments.GetPublicAndCommitmentCommitted(commitments.CommitmentIndexes(), public)
	got := field(k.vk, "PublicAndCommitmentCommitted").Interface().([][]int)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return disagree(verifyingKey, "PublicAndCommitmentCommitted", got, want)
	}
	return nil
}

func (k *keys) groth16Points() error {
	err := first(
		subgroups(verifyingKey, k.vk, "G1.Alpha", "G1.Beta", "G1.Delta", "G1.K", "G2.Beta", "G2.Delta", "G2.Gamma"),
		subgroups(provingKey, k.pk, "G1.A", "G1.B", "G1.Z", "G1.K", "G2.B"),
	)
	for i := range field(k.pk, "CommitmentKeys").Len() {
		err = first(err,
			subgroups(provingKey, field(k.pk, "CommitmentKeys").Index(i), "Basis", "BasisExpSigma"),
			subgroups(verifyingKey, field(k.vk, "CommitmentKeys").Index(i), "G", "GSigmaNeg"),
			present(verifyingKey, field(k.vk, "CommitmentKeys").Index(i), "G", "GSigmaNeg"),
		)
	}
	return err
}

func ones(list reflect.Value) int {
	n := 0
	for _, set := range list.Interface().([]bool) {
		if set {
			n++
		}
	}
	return n
}
