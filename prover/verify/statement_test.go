package verify_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// clone copies a statement deeply.
func clone(s *verify.Statement) *verify.Statement {
	c := *s
	c.Inputs, c.Outputs = slices.Clone(s.Inputs), slices.Clone(s.Outputs)
	for i := range c.Inputs {
		c.Inputs[i] = slices.Clone(c.Inputs[i])
	}
	return &c
}

// TestEveryPartOfTheStatementIsBound guards rule 1. A part that has no case here fails.
func TestEveryPartOfTheStatementIsBound(t *testing.T) {
	s := wide(t, transcript.SHA256)
	refuse := func(name string, change func(st *verify.Statement), checks ...verify.Check) {
		t.Helper()
		st := clone(s.statement)
		change(st)
		if reflect.DeepEqual(st, s.statement) {
			t.Fatalf("%s: nothing changed", name)
		}
		err := verify.Verify(s.model, st, s.proof)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		wantCheck(t, err, checks...)
	}
	parts := map[string]func(){
		"Model": func() {
			for i := range 32 {
				refuse("model", func(st *verify.Statement) { st.Model[i] ^= 1 }, verify.CheckModel)
			}
		},
		"Job":   func() { refuseTexts(refuse, func(st *verify.Statement) *string { return &st.Job }) },
		"Payee": func() { refuseTexts(refuse, func(st *verify.Statement) *string { return &st.Payee }) },
		"Chain": func() { refuseTexts(refuse, func(st *verify.Statement) *string { return &st.Chain }) },
		"Inputs": func() {
			for i, cells := range s.statement.Inputs {
				for k, v := range cells {
					d := int32(1)
					if v == 5 {
						d = -1
					}
					refuse("input cell", func(st *verify.Statement) { st.Inputs[i][k] += d }, verify.CheckLookup)
				}
				refuse("input cells exchanged", func(st *verify.Statement) {
					st.Inputs[i][0], st.Inputs[i][1] = cells[1], cells[0]
				}, verify.CheckLookup)
				refuse("input above its domain", func(st *verify.Statement) { st.Inputs[i][0] = 6 }, verify.CheckInputs)
				refuse("input below its domain", func(st *verify.Statement) { st.Inputs[i][0] = -6 }, verify.CheckInputs)
				refuse("input too short", func(st *verify.Statement) { st.Inputs[i] = cells[1:] }, verify.CheckInputs)
				refuse("input too long", func(st *verify.Statement) { st.Inputs[i] = append(cells, 0) }, verify.CheckInputs)
				refuse("no cells", func(st *verify.Statement) { st.Inputs[i] = nil }, verify.CheckInputs)
			}
			refuse("input missing", func(st *verify.Statement) { st.Inputs = st.Inputs[1:] }, verify.CheckInputs)
			refuse("input too many", func(st *verify.Statement) { st.Inputs = append(st.Inputs, nil) }, verify.CheckInputs)
			refuse("inputs exchanged", func(st *verify.Statement) { slices.Reverse(st.Inputs) }, verify.CheckInputs, verify.CheckLookup)
		},
		"Outputs": func() {
			for i, cells := range s.statement.Outputs {
				tell := func(name string, told graph.Cells, check verify.Check) {
					refuse(name, func(st *verify.Statement) { st.Outputs[i] = told }, check)
				}
				w, n := cells.Width, cells.Len()
				for k := range n {
					tell("output cell", cells.Changed(func(v []int64) { v[k]++ }), verify.CheckLookup)
				}
				tell("output out of bounds", cells.Changed(func(v []int64) { v[0] = -1 << (8*w - 1) }), verify.CheckOutputs)
				tell("output out of its bytes", cells.Changed(func(v []int64) { v[0] = 1 << 40 }), verify.CheckOutputs)
				tell("output of another width", graph.PackCells(cells.Values(), graph.Interval{Hi: 1 << (8 * w)}), verify.CheckOutputs)
				tell("output of no width", graph.Cells{Data: cells.Data}, verify.CheckOutputs)
				tell("no output", graph.Cells{}, verify.CheckOutputs)
				tell("output too short", cells.Slice(1, n), verify.CheckOutputs)
				tell("output too long", graph.Cells{Width: w, Data: append(slices.Clone(cells.Data), make([]byte, w)...)}, verify.CheckOutputs)
				tell("a byte too many", graph.Cells{Width: w, Data: append(slices.Clone(cells.Data), 0)}, verify.CheckOutputs)
			}
			refuse("output missing", func(st *verify.Statement) { st.Outputs = st.Outputs[:1] }, verify.CheckOutputs)
			refuse("outputs exchanged", func(st *verify.Statement) { slices.Reverse(st.Outputs) }, verify.CheckOutputs, verify.CheckLookup)
		},
	}
	fields := reflect.TypeFor[verify.Statement]()
	for i := range fields.NumField() {
		name := fields.Field(i).Name
		run, ok := parts[name]
		if !ok {
			t.Errorf("no case for field %s of the statement", name)
			continue
		}
		run()
	}
	if fields.NumField() != len(parts) {
		t.Errorf("%d cases for %d fields", len(parts), fields.NumField())
	}
}

// refuseTexts changes every byte of a text, and its ends.
func refuseTexts(refuse func(string, func(*verify.Statement), ...verify.Check), part func(*verify.Statement) *string) {
	set := func(change func(text string) string, check verify.Check) {
		refuse("text", func(st *verify.Statement) { *part(st) = change(*part(st)) }, check)
	}
	for i := range 3 {
		set(func(s string) string { return s[:i] + "\x00" + s[i+1:] }, verify.CheckLookup)
	}
	set(func(s string) string { return s[1:] }, verify.CheckLookup)
	set(func(s string) string { return s + "\x00" }, verify.CheckLookup)
	set(func(string) string { return "" }, verify.CheckLookup)
	set(strings.ToUpper, verify.CheckLookup)
	set(func(string) string { return strings.Repeat("a", verify.MaxText+1) }, verify.CheckStatement)
}

// TestTextsDoNotRunTogether guards that bytes cannot move from one text to the next.
func TestTextsDoNotRunTogether(t *testing.T) {
	s := tiny(t)
	st := clone(s.statement)
	st.Job, st.Payee = st.Job+st.Payee[:1], st.Payee[1:]
	wantCheck(t, verify.Verify(s.model, st, s.proof), verify.CheckLookup)
	st = clone(s.statement)
	st.Payee, st.Chain = st.Chain, st.Payee
	wantCheck(t, verify.Verify(s.model, st, s.proof), verify.CheckLookup)
}

// TestKindOfTranscriptIsPartOfTheModel guards against confusing proofs of two kinds.
func TestKindOfTranscriptIsPartOfTheModel(t *testing.T) {
	a, b := wide(t, transcript.SHA256), wide(t, transcript.Poseidon2)
	if a.model.Digest() == b.model.Digest() {
		t.Fatal("the digest does not bind the kind")
	}
	wantCheck(t, verify.Verify(a.model, b.statement, b.proof), verify.CheckModel)
	st := clone(b.statement)
	st.Model = a.model.Digest()
	wantCheck(t, verify.Verify(a.model, st, b.proof), verify.CheckLookup)
}

// TestOneTensorHasOneValue guards that two outputs that name one tensor agree.
func TestOneTensorHasOneValue(t *testing.T) {
	s := tiny(t)
	g := *s.model.Graph
	g.Outputs = append(slices.Clone(g.Outputs), g.Outputs[0])
	m, err := verify.NewModel(&g, s.model.Rows, s.model.Transcript, nil)
	if err != nil {
		t.Fatal(err)
	}
	st := clone(s.statement)
	st.Model = m.Digest()
	st.Outputs = append(st.Outputs, st.Outputs[0].Changed(func(v []int64) { v[1]++ }))
	wantCheck(t, verify.Verify(m, st, s.proof), verify.CheckOutputs)
}

// TestEveryByteOfAProofFileIsBound guards rule 1 and 2 at the level of bytes: each byte
// changed, the file cut at each length, and extended.
func TestEveryByteOfAProofFileIsBound(t *testing.T) {
	s := tiny(t)
	data := s.file()
	if err := verifyFile(t, s.model, s.statement.Inputs, data); err != nil {
		t.Fatal(err)
	}
	for i := range data {
		changed := slices.Clone(data)
		changed[i] ^= 1 << (i % 8)
		if err := verifyFile(t, s.model, s.statement.Inputs, changed); err == nil {
			t.Errorf("byte %d of %d changed: accepted", i, len(data))
		}
		if err := verifyFile(t, s.model, s.statement.Inputs, data[:i]); err == nil {
			t.Errorf("cut to %d of %d bytes: accepted", i, len(data))
		}
	}
	for _, tail := range [][]byte{{0}, {1}, make([]byte, 32), data} {
		if err := verifyFile(t, s.model, s.statement.Inputs, append(slices.Clone(data), tail...)); err == nil {
			t.Errorf("%d bytes appended: accepted", len(tail))
		}
	}
}

// TestOtherInputsThanTheFilesAreRejected guards that a file is about its inputs.
func TestOtherInputsThanTheFilesAreRejected(t *testing.T) {
	s := tiny(t)
	data := s.file()
	for _, inputs := range [][][]int32{nil, {{3, 1}}, {{3}}, {{3, 2}, {3, 2}}, {nil}} {
		wantCheck(t, verifyFile(t, s.model, inputs, data), verify.CheckInputs)
	}
}

// TestEveryByteOfAModelFileIsBound guards rule 3 at the level of bytes: a changed key is
// refused or has another digest. The report alone is not bound.
func TestEveryByteOfAModelFileIsBound(t *testing.T) {
	s := tiny(t)
	data := s.model.Encode()
	report := len(data) - len(s.model.Report) - 4
	for i := range data {
		changed := slices.Clone(data)
		changed[i] ^= 1 << (i % 8)
		m, err := verify.DecodeModel(changed)
		if err == nil && (m.Digest() == s.model.Digest()) != (i >= report) {
			t.Errorf("byte %d of %d: digest changed is %v", i, len(data), m.Digest() != s.model.Digest())
		}
		if _, err := verify.DecodeModel(data[:i]); err == nil {
			t.Errorf("cut to %d of %d bytes: accepted", i, len(data))
		}
	}
	if _, err := verify.DecodeModel(append(data, 0)); err == nil {
		t.Error("a byte appended: accepted")
	}
	again, err := verify.DecodeModel(s.model.Encode())
	if err != nil || again.Digest() != s.model.Digest() || !slices.Equal(again.Encode(), s.model.Encode()) {
		t.Errorf("encoding does not round-trip: %v", err)
	}
}

func ExampleRejection() {
	err := error(&verify.Rejection{Check: verify.CheckCells, Cause: fmt.Errorf("sumcheck ends in 1, the cells in 2")})
	fmt.Println(err)
	// Output: proof rejected: committed cells: sumcheck ends in 1, the cells in 2
}
