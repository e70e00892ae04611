package wire

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/constraint"
)

// CheckKeys checks keys of a stranger against their circuit, once when they arrive, whatever gnark
// checked when it decoded them. The system must have passed [ConstraintSystem] and the keys
// [ProvingKey] and [VerifyingKey]; pk and vk are gnark's, of one scheme and over the system's
// curve.
//
// It checks that every point lies on the curve and in the subgroup; that the domain is gnark's for
// the circuit; that the numbers of points fit its wires and commitments; and that the proving key
// has the verifying key's points.
//
// A PLONK key follows from the circuit and the reference string, so there CheckKeys also demands
// that the string is one (powers of one secret, and the same in Lagrange form) and that Setup makes
// this verifying key. A Groth16 key cannot be traced to its circuit without the setup's secrets:
// one that was made for another circuit of the same shape passes, and no honest proof then
// verifies.
//
// The error is an [Error] with no offset, or ErrUnsupported.
func CheckKeys(ccs constraint.ConstraintSystem, pk, vk any) error {
	err := checkKeys(ccs, pk, vk)
	var refusal *Error
	if err != nil && !errors.As(err, &refusal) {
		return fmt.Errorf("check keys: %w", err)
	}
	return err
}

func checkKeys(ccs constraint.ConstraintSystem, pk, vk any) error {
	k := keys{ccs: ccs}
	for _, c := range []ecc.ID{ecc.BN254, ecc.BLS12_381, ecc.BLS12_377, ecc.BW6_761} {
		if ccs.Field().Cmp(c.ScalarField()) == 0 {
			k.curve = c
		}
	}
	if k.curve == ecc.UNKNOWN {
		return ErrUnsupported
	}
	switch pk := pk.(type) {
	case groth16.ProvingKey:
		vk, ok := vk.(groth16.VerifyingKey)
		if _, r1cs := ccs.GetCommitments().(constraint.Groth16Commitments); !ok || !r1cs || pk.CurveID() != k.curve || vk.CurveID() != k.curve {
			return ErrUnsupported
		}
		k.pk, k.vk = reflect.ValueOf(pk).Elem(), reflect.ValueOf(vk).Elem()
		return k.groth16()
	case plonk.ProvingKey:
		vk, ok := vk.(plonk.VerifyingKey)
		if _, sparse := ccs.GetCommitments().(constraint.PlonkCommitments); !ok || !sparse ||
			reflect.TypeOf(pk) != reflect.TypeOf(plonk.NewProvingKey(k.curve)) || reflect.TypeOf(vk) != reflect.TypeOf(plonk.NewVerifyingKey(k.curve)) {
			return ErrUnsupported
		}
		k.pk, k.vk = reflect.ValueOf(pk).Elem(), reflect.ValueOf(vk).Elem()
		return k.plonk()
	}
	return ErrUnsupported
}

// keys are two keys and their circuit. gnark has a type of key for each curve, with the same
// fields in all: they are read by name.
type keys struct {
	ccs    constraint.ConstraintSystem
	curve  ecc.ID
	pk, vk reflect.Value
}

const (
	provingKey   = "proving key"
	verifyingKey = "verifying key"
)

// field follows a path such as "G1.A"; a path that does not exist is our bug and panics.
func field(key reflect.Value, path string) reflect.Value {
	for name := range strings.SplitSeq(path, ".") {
		key = key.FieldByName(name)
	}
	return key
}

func disagree(what, path string, got, want any) error {
	return &Error{What: what, Field: path, Offset: -1, Got: fmt.Sprint(got), Want: fmt.Sprint(want)}
}

// size is a list of a key and the number of elements that the circuit asks for.
type size struct {
	path string
	want int
}

func sizes(what string, key reflect.Value, list ...size) error {
	for _, s := range list {
		if got := field(key, s.path).Len(); got != s.want {
			return disagree(what, s.path, got, s.want)
		}
	}
	return nil
}

// subgroups checks the points, or lists of points, at some paths of a key.
func subgroups(what string, key reflect.Value, paths ...string) error {
	for _, path := range paths {
		if i := firstOutside(field(key, path)); i >= 0 {
			return disagree(what, path, fmt.Sprintf("point %d outside of the subgroup", i), "points of the subgroup")
		}
	}
	return nil
}

// firstOutside is FirstOutside for a point, array or slice of points of any curve.
func firstOutside(v reflect.Value) int {
	if v.Kind() == reflect.Struct {
		if v.Addr().Interface().(interface{ IsInSubGroup() bool }).IsInSubGroup() {
			return -1
		}
		return 0
	}
	if v.Kind() == reflect.Array {
		v = v.Slice(0, v.Len())
	}
	return outside(v.Interface())
}

// same demands that two keys hold equal values, given as pairs of paths.
func (k *keys) same(pairs ...[2]string) error {
	for _, p := range pairs {
		if field(k.pk, p[0]).Interface() != field(k.vk, p[1]).Interface() {
			return disagree(provingKey, p[0], "another value", p[1]+" of the verifying key")
		}
	}
	return nil
}

// rows is the size of the domain that gnark's Setup takes.
func (k *keys) rows() uint64 {
	n := uint64(k.ccs.GetNbConstraints())
	if _, sparse := k.ccs.GetCommitments().(constraint.PlonkCommitments); sparse {
		n += uint64(k.ccs.GetNbPublicVariables())
	}
	return ecc.NextPowerOfTwo(n)
}

// matches demands that values of a key are those of gnark's domain, given as pairs of paths.
func (k *keys) matches(what string, key reflect.Value, pairs ...[2]string) error {
	domain := reflect.ValueOf(newDomain(k.curve, k.rows())).Elem()
	for _, p := range pairs {
		if field(key, p[0]).Interface() != field(domain, p[1]).Interface() {
			return disagree(what, p[0], "another value", fmt.Sprintf("%s of the domain of %d rows", p[1], k.rows()))
		}
	}
	return nil
}

// present demands that no point at some paths of a key is infinity.
func present(what string, key reflect.Value, paths ...string) error {
	for _, path := range paths {
		if field(key, path).IsZero() {
			return disagree(what, path, "infinity", "a point that is not")
		}
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
