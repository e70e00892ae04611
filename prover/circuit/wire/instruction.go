package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// kind is a type of instruction (constraint/blueprint_*.go of gnark).
type kind int

// The layout of an instruction's words follows each kind. LE is a linear expression: the number
// of its terms, then coefficient and wire of each.
const (
	hint    kind = iota // words, hint, inputs, LE of each input, first output, end of outputs
	r1c                 // words, terms of L, of R, of O; coefficient and wire of each
	sparse              // xa, xb, xc, qL, qR, qO, qM, qC, commitment
	add                 // xa, xb, xc, qL, qR, qC
	mul                 // xa, xb, xc, qM
	boolean             // xa, qL, qM
	lookup              // words, entries that exist, inputs, LE of each input; outputs at WireOffset
	inverse             // words, inputs, LE of each input; outputs at WireOffset
)

// blueprintKinds are the types of getTagSet in constraint/marshal.go that the frontend makes for
// fields of more than 32 bits.
var blueprintKinds = map[uint64]kind{
	firstTag:      hint,
	firstTag + 1:  r1c,
	firstTag + 9:  sparse,
	firstTag + 10: add,
	firstTag + 11: mul,
	firstTag + 12: boolean,
	firstTag + 13: lookup,
	firstTag + 15: inverse,
}

// fixedWords is the length of an instruction of a kind; 0 where its first word says.
var fixedWords = [...]int{sparse: 9, add: 6, mul: 4, boolean: 3, inverse: 0}

// leastWords is the least length of an instruction that says its length.
var leastWords = [...]int{hint: 5, r1c: 4, lookup: 3, inverse: 2}

// fits reports whether a kind belongs to a type of system: 1 is R1CS, 2 SparseR1CS.
func (k kind) fits(system uint64) bool {
	switch k {
	case r1c:
		return system == 1
	case sparse, add, mul, boolean:
		return system == 2
	}
	return true
}

// constrains reports whether an instruction of the kind is a constraint.
func (k kind) constrains() bool { return r1c <= k && k <= boolean }

// blueprint is what instructions of one type share.
type blueprint struct {
	kind    kind
	entries []uint32 // lookup: the LEs of the table
	starts  []int    // lookup: where each entry begins in entries
	checked int      // lookup: entries whose wires are known to be set
}

// instruction is a PackedInstruction of gnark (constraint/core.go).
type instruction struct {
	blueprint  uint32
	constraint uint32 // index of its constraint, if it is one
	wire       uint32 // index of its first output, for lookup and inverse
	start      uint64 // of its words in the calldata
}

// words32 reads a list of 32-bit words, with its length in 8 bytes in front, into buffer.
func (p *section) words32(at int, buffer []uint32) (list []uint32, end int, err *Error) {
	end, err = p.extent(at, 4)
	if err != nil {
		return nil, 0, err
	}
	for i := at + 8; i < end; i += 4 {
		buffer = append(buffer, binary.LittleEndian.Uint32(p.b[i:]))
	}
	return buffer, end, nil
}

// extent returns the end of a list of words of the given size, whose number precedes it in 8 bytes.
func (p *section) extent(at, size int) (end int, err *Error) {
	if len(p.b)-at < 8 {
		return 0, p.refuse(at, fmt.Sprintf("%d bytes left", len(p.b)-at), "a length of 8 bytes")
	}
	n, most := binary.LittleEndian.Uint64(p.b[at:]), uint64(len(p.b)-at-8)/uint64(size)
	if n > most {
		return 0, p.refuse(at, fmt.Sprintf("%d words", n), fmt.Sprintf("at most %d", most))
	}
	return at + 8 + int(n)*size, nil
}

// readInstructions decodes four packed lists: blueprint, constraint, wire and start of all
// instructions.
func (s *system) readInstructions(p section) *Error {
	// An instruction has at least two words of calldata to itself, which tile checks.
	limit := len(s.calldata) / 2
	var lists [3][]uint32
	var buffer []uint32
	at := 0
	for i := range lists {
		var end int
		var err *Error
		if buffer, end, err = p.words32(at, buffer[:0]); err != nil {
			return err
		}
		var wrong string
		if lists[i], wrong = unpack(buffer, nil, limit); wrong != "" {
			return p.refuse(at, wrong, "a packed list")
		}
		at = end
	}
	end, err := p.extent(at, 8)
	if err != nil {
		return err
	}
	var long []uint64
	for i := at + 8; i < end; i += 8 {
		long = append(long, binary.LittleEndian.Uint64(p.b[i:]))
	}
	starts, wrong := unpack(long, nil, limit)
	if wrong != "" {
		return p.refuse(at, wrong, "a packed list")
	}
	n := len(starts)
	if len(lists[0]) != n || len(lists[1]) != n || len(lists[2]) != n {
		return p.refuse(at, fmt.Sprintf("lists of %d, %d, %d and %d instructions", len(lists[0]), len(lists[1]), len(lists[2]), n), "one length")
	}
	if end != len(p.b) {
		return p.refuse(end, fmt.Sprintf("%d bytes more", len(p.b)-end), "the end")
	}
	s.instructions = make([]instruction, n)
	for i := range s.instructions {
		s.instructions[i] = instruction{lists[0][i], lists[1][i], lists[2][i], starts[i]}
	}
	return nil
}

// readLevels decodes the levels: a packed list of instructions each, every instruction in one.
func (s *system) readLevels(p section) *Error {
	n, err := p.count(8)
	if err != nil {
		return err
	}
	at := 8
	var buffer []uint32
	for range n {
		var end int
		if buffer, end, err = p.words32(at, buffer[:0]); err != nil {
			return err
		}
		var wrong string
		if s.order, wrong = unpack(buffer, s.order, len(s.instructions)); wrong != "" {
			return p.refuse(at, wrong, "a packed list")
		}
		s.levels = append(s.levels, len(s.order))
		at = end
	}
	if at != len(p.b) {
		return p.refuse(at, fmt.Sprintf("%d bytes more", len(p.b)-at), "the end")
	}
	seen := make([]bool, len(s.instructions))
	for _, i := range s.order {
		if int64(i) >= int64(len(seen)) || seen[i] {
			return p.refuse(0, fmt.Sprintf("instruction %d", i), fmt.Sprintf("each below %d once", len(seen)))
		}
		seen[i] = true
	}
	if len(s.order) != len(seen) {
		return p.refuse(0, fmt.Sprintf("%d instructions", len(s.order)), len(seen))
	}
	return nil
}

// maxRun bounds consecutive instructions that are not constraints: gnark's iterators over
// constraints call themselves for each.
const maxRun = 1 << 20

// tile checks that the instructions cover the calldata one after the other, number the
// constraints, and can set as many wires as there are.
func (s *system) tile() *Error {
	at, constraints, run := 0, 0, 0
	outputs := int64(0) // at most so many wires are set
	for i, in := range s.instructions {
		if int64(in.blueprint) >= int64(len(s.blueprints)) {
			return s.refuseInstruction(i, "BlueprintID", in.blueprint, fmt.Sprintf("below %d", len(s.blueprints)))
		}
		k := s.blueprints[in.blueprint].kind
		if !k.fits(s.kind) {
			return s.refuseInstruction(i, "BlueprintID", "a constraint of the other scheme", s.scheme)
		}
		if in.start != uint64(at) {
			return s.refuseInstruction(i, "StartCallData", in.start, at)
		}
		size, err := s.size(i, k, s.calldata[at:])
		if err != nil {
			return err
		}
		at += size
		run++
		outputs++
		if k.constrains() {
			if in.constraint != uint32(constraints) {
				return s.refuseInstruction(i, "ConstraintOffset", in.constraint, constraints)
			}
			constraints++
			run = 0
		} else {
			outputs += int64(size) * outputsPerWord
		}
		if run > maxRun {
			return s.refuseInstruction(i, "BlueprintID", "no constraint", fmt.Sprintf("one in %d instructions", maxRun))
		}
	}
	switch {
	case at != len(s.calldata):
		return refuse("calldata", -1, fmt.Sprintf("%d words", len(s.calldata)), fmt.Sprintf("%d that instructions read", at))
	case constraints != s.constraints:
		return refuse("NbConstraints", -1, s.constraints, constraints)
	case int64(s.internal) > outputs:
		return refuse("NbInternalVariables", -1, s.internal, fmt.Sprintf("at most %d that instructions set", outputs))
	}
	return nil
}

// outputsPerWord bounds the outputs of a hint by its words. The largest of gnark's own that are
// not also proportional to its inputs are the bits of a field element, 377 for 8 words.
const outputsPerWord = 1024

// size returns the number of words of instruction i, which begins where rest does.
func (s *system) size(i int, k kind, rest []uint32) (int, *Error) {
	if size := fixedWords[k]; size != 0 {
		if size > len(rest) {
			return 0, s.refuseInstruction(i, "calldata", fmt.Sprintf("%d words left", len(rest)), size)
		}
		return size, nil
	}
	if len(rest) == 0 || uint64(rest[0]) > uint64(len(rest)) || rest[0] < uint32(leastWords[k]) {
		return 0, s.refuseInstruction(i, "calldata", "a length beyond the calldata or too short", fmt.Sprintf("%d to %d words", leastWords[k], len(rest)))
	}
	return int(rest[0]), nil
}

func (s *system) refuseInstruction(i int, field string, got, want any) *Error {
	return refuse(fmt.Sprintf("instruction %d: %s", i, field), -1, got, want)
}

// constant is the wire of a term that is a constant.
const constant = math.MaxUint32

// exists reports whether a term's coefficient exists, and its wire, if it has one.
func (s *system) exists(t term) bool {
	return int64(t.coefficient) < int64(s.count()) && (t.wire == constant || int64(t.wire) < int64(s.wires()))
}
