package verify_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/lookup"
	"github.com/weisyn/wes/prover/sumcheck"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

var (
	elementType = reflect.TypeFor[fr.Element]()
	pointType   = reflect.TypeFor[bn254.G1Affine]()
)

// walk visits every leaf and every list of a value: field elements, points, and slices. It
// fails on anything else, so that a proof cannot get a field that no test tampers with; in
// particular no number by which a prover could state a bound, a width or a shift.
func walk(t *testing.T, path string, v reflect.Value, visit func(path string, v reflect.Value)) {
	t.Helper()
	switch {
	case v.Type() == elementType || v.Type() == pointType:
		visit(path, v)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				t.Fatalf("%s.%s: a field that no message has", path, v.Type().Field(i).Name)
			}
			walk(t, path+"."+v.Type().Field(i).Name, v.Field(i), visit)
		}
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		if v.Kind() == reflect.Slice {
			visit(path, v)
		}
		for i := range v.Len() {
			walk(t, fmt.Sprintf("%s[%d]", path, i), v.Index(i), visit)
		}
	default:
		t.Fatalf("%s: no tamper test for a %s", path, v.Type())
	}
}

// tamper lists the changes of a leaf or list; each is undone by restoring the value.
func tamper(v reflect.Value) map[string]func() {
	switch v.Type() {
	case elementType:
		e := v.Addr().Interface().(*fr.Element)
		one, old := fr.One(), *e
		return map[string]func(){
			"+1":       func() { e.Add(e, &one) },
			"zero":     func() { e.SetZero() },
			"negative": func() { e.Neg(&old) },
		}
	case pointType:
		p := v.Addr().Interface().(*bn254.G1Affine)
		_, _, g, _ := bn254.Generators()
		return map[string]func(){
			"plus a generator": func() { p.Add(p, &g) },
			"infinity":         func() { *p = bn254.G1Affine{} },
			"negative":         func() { p.Neg(p) },
		}
	}
	n := v.Len()
	if n == 0 {
		return map[string]func(){"grown": func() { v.Set(reflect.MakeSlice(v.Type(), 1, 1)) }}
	}
	return map[string]func(){
		"dropped":                func() { v.Set(v.Slice(0, n-1)) },
		"first gone":             func() { v.Set(v.Slice(1, n)) },
		"emptied":                func() { v.Set(reflect.Zero(v.Type())) },
		"repeated":               func() { v.Set(reflect.Append(v.Slice3(0, n, n), v.Index(n-1))) },
		"one zero more":          func() { v.Set(reflect.Append(v.Slice3(0, n, n), reflect.Zero(v.Type().Elem()))) },
		"last repeated in place": func() { replaceLast(v) },
		"neighbours swapped":     func() { swapFirst(v) },
	}
}

// copied replaces a list by a copy, so that changes of its cells can be undone.
func copied(v reflect.Value) {
	c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	reflect.Copy(c, v)
	v.Set(c)
}

// replaceLast sets the last but one entry to the last.
func replaceLast(v reflect.Value) {
	if n := v.Len(); n > 1 {
		copied(v)
		v.Index(n - 2).Set(v.Index(n - 1))
	}
}

// swapFirst exchanges the first neighbours that differ.
func swapFirst(v reflect.Value) {
	copied(v)
	for i := 1; i < v.Len(); i++ {
		a, b := v.Index(i-1).Interface(), v.Index(i).Interface()
		if !reflect.DeepEqual(a, b) {
			v.Index(i - 1).Set(reflect.ValueOf(b))
			v.Index(i).Set(reflect.ValueOf(a))
			return
		}
	}
}

// TestEveryLeafOfAProofIsBound guards rule 2: every field element, point and list of the
// proof, changed, dropped, repeated or reordered.
func TestEveryLeafOfAProofIsBound(t *testing.T) {
	for name, s := range map[string]*sample{"tiny": tiny(t), "wide": wide(t, transcript.SHA256), "pair": pair(t)} {
		t.Run(name, func(t *testing.T) {
			leaves, tampered := 0, 0
			walk(t, "Proof", reflect.ValueOf(s.proof).Elem(), func(path string, v reflect.Value) {
				leaves++
				old := reflect.New(v.Type()).Elem()
				old.Set(v)
				before := fmt.Sprint(v.Interface())
				for change, apply := range tamper(v) {
					apply()
					if fmt.Sprint(v.Interface()) == before {
						continue // a zero negated, a list of equals reordered
					}
					tampered++
					var r *verify.Rejection
					if err := verify.Verify(s.model, s.statement, s.proof); !errors.As(err, &r) {
						t.Errorf("%s %s: %v", path, change, err)
					}
					v.Set(old)
				}
			})
			if err := verify.Verify(s.model, s.statement, s.proof); err != nil {
				t.Fatalf("not restored: %v", err)
			}
			if tampered < 2*leaves {
				t.Errorf("%d changes of %d leaves and lists", tampered, leaves)
			}
		})
	}
}

// TestEncodingVisitsEveryLeaf guards that no part of a proof is missing in its file.
func TestEncodingVisitsEveryLeaf(t *testing.T) {
	s := wide(t, transcript.SHA256)
	encoded := map[*fr.Element]bool{}
	s.proof.Scalars(func(e *fr.Element) {
		if encoded[e] {
			t.Error("an element is encoded twice")
		}
		encoded[e] = true
	})
	walk(t, "Proof", reflect.ValueOf(s.proof).Elem(), func(path string, v reflect.Value) {
		if v.Type() == elementType && !encoded[v.Addr().Interface().(*fr.Element)] {
			t.Errorf("%s is not encoded", path)
		}
	})
}

// TestShapesOfSumchecksAreFixed guards rule 10: no rounds, a round too many or too few,
// and polynomials of another degree, each with its own error.
func TestShapesOfSumchecksAreFixed(t *testing.T) {
	var rounds *sumcheck.RoundCountError
	var degree *sumcheck.DegreeError
	s := wide(t, transcript.SHA256)
	for name, tc := range map[string]struct {
		change func(p *verify.Proof)
		check  verify.Check
		typed  func(err error) bool
	}{
		"contraction without rounds": {func(p *verify.Proof) { p.Contract.Rounds = nil }, verify.CheckShape, nil},
		"contraction, a round less":  {func(p *verify.Proof) { p.Contract.Rounds = p.Contract.Rounds[1:] }, verify.CheckShape, nil},
		"contraction, a round more":  {func(p *verify.Proof) { p.Contract.Rounds = append(p.Contract.Rounds, p.Contract.Rounds[0]) }, verify.CheckShape, nil},
		"contraction, degree less":   {func(p *verify.Proof) { shorten(&p.Contract) }, verify.CheckContraction, func(err error) bool { return errors.As(err, &degree) }},
		"contraction, degree more":   {func(p *verify.Proof) { lengthen(&p.Contract) }, verify.CheckContraction, func(err error) bool { return errors.As(err, &degree) }},
		"opening without rounds":     {func(p *verify.Proof) { p.Open.Rounds = nil }, verify.CheckShape, nil},
		"opening, a round more":      {func(p *verify.Proof) { p.Open.Rounds = append(p.Open.Rounds, p.Open.Rounds[0]) }, verify.CheckShape, nil},
		"opening, degree less":       {func(p *verify.Proof) { shorten(&p.Open) }, verify.CheckOpening, func(err error) bool { return errors.As(err, &degree) }},
		"opening, degree more":       {func(p *verify.Proof) { lengthen(&p.Open) }, verify.CheckOpening, func(err error) bool { return errors.As(err, &degree) }},
		"lookups without layers":     {func(p *verify.Proof) { p.Lookup.Layers = nil }, verify.CheckLookup, func(err error) bool { return errors.Is(err, lookup.ErrShape) }},
		"lookups, a layer more":      {func(p *verify.Proof) { p.Lookup.Layers = append(p.Lookup.Layers, lookup.Layer{}) }, verify.CheckLookup, func(err error) bool { return errors.Is(err, lookup.ErrShape) }},
		"no proof at all":            {func(p *verify.Proof) { *p = verify.Proof{} }, verify.CheckShape, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := *s.proof
			tc.change(&p)
			err := verify.Verify(s.model, s.statement, &p)
			wantCheck(t, err, tc.check)
			if tc.typed != nil && !tc.typed(err) {
				t.Errorf("%v has no typed cause", err)
			}
		})
	}
	// Below the shape check, the sumcheck has its own count.
	tr, err := transcript.New(transcript.SHA256, "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := sumcheck.Verify(tr, 3, 2, fr.One(), sumcheck.Proof{}); !errors.As(err, &rounds) {
		t.Errorf("got %v", err)
	}
}

// shorten and lengthen change the degree of the first round.
func shorten(p *sumcheck.Proof) {
	p.Rounds = append([][]fr.Element{p.Rounds[0][1:]}, p.Rounds[1:]...)
}

func lengthen(p *sumcheck.Proof) {
	p.Rounds = append([][]fr.Element{append(p.Rounds[0][:len(p.Rounds[0]):len(p.Rounds[0])], fr.Element{})}, p.Rounds[1:]...)
}
