package wire

import (
	"bytes"
	"fmt"
	"io"
	"reflect"

	"github.com/consensys/gnark-crypto/kzg"
	"github.com/consensys/gnark/backend/plonk"
)

// plonk checks keys against each other and the circuit. Setup in backend/plonk/<curve>/setup.go of
// gnark makes them.
func (k *keys) plonk() error {
	inside := field(k.pk, "Vk")
	if inside.IsNil() || !equalEncodings(inside.Interface(), k.vk.Addr().Interface()) {
		return disagree(provingKey, "Vk", "another verifying key", "the verifying key")
	}
	n := int(k.rows())
	commitments := len(k.ccs.GetCommitments().CommitmentIndexes())
	err := first(
		sizes(provingKey, k.pk, size{"Kzg.G1", n + blinding}, size{"KzgLagrange.G1", n}),
		sizes(verifyingKey, k.vk, size{"Qcp", commitments}, size{"CommitmentConstraintIndexes", commitments}),
		k.matches(verifyingKey, k.vk, [][2]string{
			{"Size", "Cardinality"},
			{"SizeInv", "CardinalityInv"},
			{"Generator", "Generator"},
			{"CosetShift", "FrMultiplicativeGen"},
		}...),
	)
	if err != nil {
		return err
	}
	err = first(
		subgroups(verifyingKey, k.vk, "S", "Ql", "Qr", "Qm", "Qo", "Qk", "Qcp", "Kzg.G1", "Kzg.G2"),
		subgroups(provingKey, k.pk, "Kzg.G1", "KzgLagrange.G1"),
		present(verifyingKey, k.vk, "Kzg.G1"),
	)
	if err != nil {
		return err
	}
	return first(k.reference(), k.remade())
}

// reference checks the reference string that the keys hold.
func (k *keys) reference() error {
	powers, verify := field(k.pk, "Kzg.G1"), field(k.vk, "Kzg.G2")
	if powers.Index(0).Interface() != field(k.vk, "Kzg.G1").Interface() {
		return disagree(provingKey, "Kzg.G1", "another first power", "Kzg.G1 of the verifying key")
	}
	if err := sameRatio(k.curve, powers.Interface(), verify.Slice(0, 2).Interface()); err != nil {
		return disagree(provingKey, "Kzg.G1", err, "powers of the verifying key's secret")
	}
	for i := range 2 {
		if field(k.vk, "Kzg.Lines").Index(i).Interface() != linesOf(verify.Index(i).Interface()) {
			return disagree(verifyingKey, "Kzg.Lines", "other lines", fmt.Sprintf("those of Kzg.G2[%d]", i))
		}
	}
	same, err := sameForms(powers.Interface(), field(k.pk, "KzgLagrange.G1").Interface())
	if err == nil && !same {
		return disagree(provingKey, "KzgLagrange.G1", "other points", "Kzg.G1 in Lagrange form")
	}
	return err
}

// remade demands that Setup makes the verifying key of the circuit and the reference string.
func (k *keys) remade() error {
	canonical, lagrange := kzg.NewSRS(k.curve), kzg.NewSRS(k.curve)
	for srs, points := range map[kzg.SRS]string{canonical: "Kzg", lagrange: "KzgLagrange"} {
		v := reflect.ValueOf(srs).Elem()
		field(v, "Pk").Set(field(k.pk, points))
		field(v, "Vk").Set(field(k.vk, "Kzg"))
	}
	_, vk, err := plonk.Setup(k.ccs, canonical, lagrange)
	if err != nil {
		return disagree(provingKey, "Kzg", err, "a reference string for the circuit")
	}
	if !equalEncodings(vk, k.vk.Addr().Interface()) {
		return disagree(verifyingKey, "commitments", "those of another circuit", "what Setup makes of this one")
	}
	return nil
}

// equalEncodings compares keys as gnark writes them.
func equalEncodings(a, b any) bool {
	var one, other bytes.Buffer
	_, err := a.(io.WriterTo).WriteTo(&one)
	_, err2 := b.(io.WriterTo).WriteTo(&other)
	return err == nil && err2 == nil && bytes.Equal(one.Bytes(), other.Bytes())
}
