package wire

import (
	"fmt"
	"math"
)

// unset is the level of a wire that no instruction has set. Inputs have level 0, the levels of
// instructions count from 1.
const unset = math.MaxUint32

// solver follows gnark's solver (constraint/<curve>/solver.go) with the levels at which wires are
// set in the place of their values. gnark runs the instructions of one level side by side, so
// none may read or set what another of its level sets.
type solver struct {
	*system
	level uint32
	set   []uint32 // level of each wire
	err   *Error
	at    int      // the instruction, for errors
	words []uint32 // of the instruction

	index map[string]int // commitments by index as a coefficient
	seen  []bool         // commitments whose hint was met
}

// solve demands that the solver can set every wire once.
func (s *system) solve() *Error {
	v := solver{system: s, set: make([]uint32, s.wires()), index: map[string]int{}, seen: make([]bool, len(s.commitments))}
	for i := range s.commitments {
		v.index[string(s.montgomery(int64(i)))] = i
	}
	for i := s.public + s.secret; i < len(v.set); i++ {
		v.set[i] = unset
	}
	start := 0
	for level, end := range s.levels {
		v.level = uint32(level + 1)
		for _, i := range s.order[start:end] {
			v.instruction(int(i))
			if v.err != nil {
				return v.err
			}
		}
		start = end
	}
	for wire, level := range v.set {
		if level == unset {
			return refuse("levels", -1, fmt.Sprintf("wire %d is never set", wire), "an instruction for each wire")
		}
	}
	for i, seen := range v.seen {
		if !seen {
			return refuse("CommitmentInfo", -1, fmt.Sprintf("commitment %d without its hint", i), "one hint each")
		}
	}
	return nil
}

func (v *solver) refuse(field string, got, want any) {
	if v.err == nil {
		v.err = v.refuseInstruction(v.at, field, got, want)
	}
}

func (v *solver) instruction(i int) {
	in := v.instructions[i]
	p := &v.blueprints[in.blueprint]
	rest := v.calldata[in.start:]
	size, _ := v.size(i, p.kind, rest) // tile has checked it
	v.at, v.words = i, rest[:size]
	switch p.kind {
	case hint:
		v.hint()
	case r1c:
		v.r1c()
	case sparse:
		v.sparse()
	case add:
		v.operands(3, 4, 5)
		v.reads(v.words[3], v.words[0])
		v.reads(v.words[4], v.words[1])
		v.sets(v.words[2])
	case mul:
		v.operands(3)
		v.reads(v.words[3], v.words[0])
		v.reads(1, v.words[1])
		v.sets(v.words[2])
	case boolean:
		v.coefficients(1, 2)
		v.reads(1, v.words[0])
	case lookup:
		v.lookup(p, in.wire)
	case inverse:
		end := v.expressions(2, v.words[1])
		v.outputs(uint64(in.wire), uint64(in.wire)+uint64(v.words[1]))
		v.ends(end)
	}
}

// operands checks that the wires in words 0 to 2 exist, and the coefficients in the given words.
func (v *solver) operands(coefficients ...int) {
	for _, wire := range v.words[:3] {
		if int64(wire) >= int64(len(v.set)) {
			v.refuse("wire", wire, fmt.Sprintf("below %d", len(v.set)))
		}
	}
	v.coefficients(coefficients...)
}

func (v *solver) coefficients(words ...int) {
	for _, i := range words {
		if c := v.words[i]; int64(c) >= int64(v.count()) {
			v.refuse("coefficient", c, fmt.Sprintf("below %d", v.count()))
		}
	}
}

// reads demands that a wire exists and, unless its coefficient is the constant 0, was set before
// this level.
func (v *solver) reads(coefficient, wire uint32) {
	switch {
	case v.err != nil:
	case int64(wire) >= int64(len(v.set)):
		v.refuse("wire", wire, fmt.Sprintf("below %d", len(v.set)))
	case coefficient != 0 && v.set[wire] >= v.level:
		v.refuse("wire", fmt.Sprintf("%d, not set before level %d", wire, v.level), "wires of earlier levels")
	}
}

// sets marks a wire as set by this instruction.
func (v *solver) sets(wire uint32) {
	switch {
	case v.err != nil:
	case int64(wire) >= int64(len(v.set)):
		v.refuse("output", wire, fmt.Sprintf("below %d", len(v.set)))
	case v.set[wire] != unset:
		v.refuse("output", fmt.Sprintf("wire %d, set before", wire), "a wire that is set once")
	default:
		v.set[wire] = v.level
	}
}

// outputs sets the wires from first to before end.
func (v *solver) outputs(first, end uint64) {
	if v.err == nil && (end <= first || end > uint64(len(v.set))) {
		v.refuse("outputs", fmt.Sprintf("%d to before %d", first, end), fmt.Sprintf("a range below %d", len(v.set)))
	}
	for wire := first; wire < end && v.err == nil; wire++ {
		v.sets(uint32(wire))
	}
}

// expressions checks n linear expressions from word at on, and returns where they end.
func (v *solver) expressions(at int, n uint32) int {
	for ; n > 0 && v.err == nil; n-- {
		at = v.expression(v.words, at)
	}
	return at
}

// expression checks the linear expression at list[at:], and returns where it ends.
func (v *solver) expression(list []uint32, at int) int {
	if at >= len(list) || uint64(list[at]) > uint64(len(list)-at-1)/2 {
		v.refuse("linear expression", fmt.Sprintf("beyond the %d words", len(list)), "one that ends within")
		return len(list)
	}
	end := at + 1 + 2*int(list[at])
	for i := at + 1; i < end && v.err == nil; i += 2 {
		t := term{list[i], list[i+1]}
		if !v.exists(t) {
			v.refuse("term", fmt.Sprintf("coefficient %d of wire %d", t.coefficient, t.wire), fmt.Sprintf("below %d and %d", v.count(), len(v.set)))
		} else if t.wire != constant {
			v.reads(t.coefficient, t.wire)
		}
	}
	return end
}

// ends demands that an instruction ends at word at.
func (v *solver) ends(at int) {
	if at != len(v.words) {
		v.refuse("calldata", fmt.Sprintf("%d words", len(v.words)), fmt.Sprintf("%d that are read", at))
	}
}

func (v *solver) hint() {
	w := v.words
	if _, declared := v.hints[w[1]]; !declared {
		v.refuse("hint", w[1], "one of MHintsDependencies")
	}
	end := v.expressions(3, w[2])
	if len(w)-end != 2 {
		v.ends(end + 2)
		return
	}
	v.outputs(uint64(w[end]), uint64(w[end+1]))
	if w[1] == uint32(commitmentHint()) {
		v.commitment(w[end+1] - w[end])
	}
}

// r1c follows solveR1C: of all terms at most one has a wire that is not set, and it is set to
// what the constraint says.
func (v *solver) r1c() {
	w := v.words
	terms := uint64(w[1]) + uint64(w[2]) + uint64(w[3])
	if uint64(len(w)) != 4+2*terms {
		v.refuse("calldata", fmt.Sprintf("%d words", len(w)), fmt.Sprintf("4 and 2 for each of %d terms", terms))
	}
	solved := term{wire: constant}
	for i := 4; i < len(w) && v.err == nil; i += 2 {
		t := term{w[i], w[i+1]}
		switch {
		case !v.exists(t) || t.wire == constant:
			v.refuse("term", fmt.Sprintf("coefficient %d of wire %d", t.coefficient, t.wire), fmt.Sprintf("below %d and %d", v.count(), len(v.set)))
		case v.set[t.wire] < v.level:
		case v.set[t.wire] != unset || solved.wire != constant || t.coefficient == 0:
			v.refuse("wire", fmt.Sprintf("%d, not set before level %d", t.wire, v.level), "one such wire at most")
		default:
			solved = t
		}
	}
	if solved.wire != constant {
		v.sets(solved.wire)
	}
}

// sparse follows solveGenericSparseR1C: the first of xa, xb and xc that is not set is set to what
// the constraint says. Constraints of commitments set nothing.
func (v *solver) sparse() {
	w := v.words
	v.operands(3, 4, 5, 6, 7)
	if w[8] > 2 {
		v.refuse("commitment", w[8], "0, 1 or 2")
	}
	if v.err != nil || w[8] != 0 {
		return
	}
	solved := uint32(constant)
	qm := w[6]
	for i, q := range []uint32{w[3] | qm, w[4] | qm, w[5]} { // zero if no coefficient of the wire is the constant 0
		wire := w[i]
		switch level := v.set[wire]; {
		case level < v.level:
		case level != unset:
			v.refuse("wire", fmt.Sprintf("%d, set in the same level", wire), "wires of earlier levels")
		case solved == constant:
			solved = wire
		case q != 0:
			v.refuse("wire", fmt.Sprintf("%d, not set before level %d", wire, v.level), "one such wire at most")
		}
	}
	if solved != constant {
		v.sets(solved)
	}
}

// lookup checks an instruction of BlueprintLookupHint: the entries that it may read exist and
// their wires are set.
func (v *solver) lookup(p *blueprint, first uint32) {
	entries, inputs := v.words[1], v.words[2]
	v.entries(p)
	if int64(entries) > int64(len(p.starts)) {
		v.refuse("entries", entries, fmt.Sprintf("at most %d", len(p.starts)))
	}
	for ; v.err == nil && p.checked < int(entries); p.checked++ {
		v.read(p.entries, p.starts[p.checked])
	}
	at := 3
	for i := uint32(0); i < inputs && v.err == nil; i++ {
		at = v.read(v.words, at)
	}
	v.outputs(uint64(first), uint64(first)+uint64(inputs))
	v.ends(at)
}

// read checks an expression that gnark reads with Solver.Read: a single term in a SparseR1CS.
func (v *solver) read(list []uint32, at int) int {
	if v.err == nil && v.kind == 2 && at < len(list) && list[at] != 1 {
		v.refuse("linear expression", fmt.Sprintf("%d terms", list[at]), "1 in a SparseR1CS")
	}
	return v.expression(list, at)
}

// entries finds where the entries of a table begin, once.
func (v *solver) entries(p *blueprint) {
	if p.starts != nil {
		return
	}
	for at := 0; at < len(p.entries) && v.err == nil; {
		p.starts = append(p.starts, at)
		if uint64(p.entries[at]) > uint64(len(p.entries)-at-1)/2 {
			v.refuse("EntriesCalldata", fmt.Sprintf("entry %d beyond the end", len(p.starts)-1), "entries that end within")
			return
		}
		at += 1 + 2*int(p.entries[at])
	}
}
