package wire

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark/backend"
	csolver "github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend/cs"
)

// commitmentHint identifies the hint that gnark's provers replace by the computation of a
// commitment.
func commitmentHint() csolver.HintID { return csolver.GetHintID(cs.Bsb22CommitmentComputePlaceholder) }

// checkCommitments checks the lists that Setup and Prove walk.
func (s *system) checkCommitments() *Error {
	check := s.checkPlonkCommitment
	if s.scheme == backend.GROTH16 {
		check = s.checkGroth16Commitment
	}
	for i := range s.commitments {
		if got, want := check(i); want != "" {
			return refuse(fmt.Sprintf("CommitmentInfo[%d]", i), -1, got, want)
		}
	}
	if s.scheme == backend.GROTH16 {
		return s.checkDisjoint()
	}
	return nil
}

// checkPlonkCommitment returns what is wrong with a PlonkCommitment: it is an ascending list of
// constraints.
func (s *system) checkPlonkCommitment(i int) (got, want string) {
	m := s.commitments[i]
	if m.index >= s.constraints {
		return fmt.Sprintf("constraint %d", m.index), fmt.Sprintf("below %d", s.constraints)
	}
	if !ascending(m.committed, 0, s.constraints) {
		return "committed constraints", fmt.Sprintf("ascending and below %d", s.constraints)
	}
	return "", ""
}

// checkGroth16Commitment returns what is wrong with a Groth16Commitment: wires of commitments
// ascend and are internal; committed wires ascend, first public ones, then those of earlier
// commitments; private ones in a list of their own.
func (s *system) checkGroth16Commitment(i int) (got, want string) {
	m, after := s.commitments[i], s.public+s.secret
	if i > 0 {
		after = s.commitments[i-1].index + 1
	}
	if m.index < after || m.index >= s.wires() {
		return fmt.Sprintf("wire %d", m.index), fmt.Sprintf("%d to %d", after, s.wires()-1)
	}
	if m.inputs > len(m.public) || !ascending(m.public[:min(m.inputs, len(m.public))], 1, s.public) {
		return "public committed wires", fmt.Sprintf("ascending, 1 to %d", s.public-1)
	}
	earlier := s.commitments[:i]
	for _, wire := range m.public[m.inputs:] {
		k, found := slices.BinarySearchFunc(earlier, wire, func(m commitment, wire int) int { return m.index - wire })
		if !found {
			return fmt.Sprintf("committed wire %d", wire), "ascending wires of earlier commitments"
		}
		earlier = earlier[k+1:]
	}
	if !ascending(m.committed, s.public, s.wires()) {
		return "private committed wires", fmt.Sprintf("ascending, %d to %d", s.public, s.wires()-1)
	}
	return "", ""
}

// checkDisjoint demands that a wire is the commitment or under the commitment of one at most.
func (s *system) checkDisjoint() *Error {
	var all []int
	for _, m := range s.commitments {
		all = append(append(all, m.index), m.committed...)
	}
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			return refuse("CommitmentInfo", -1, fmt.Sprintf("wire %d twice", all[i]), "each private wire in one commitment")
		}
	}
	return nil
}

// ascending reports whether list ascends strictly from first to before end.
func ascending(list []int, first, end int) bool {
	for _, v := range list {
		if v < first || v >= end {
			return false
		}
		first = v + 1
	}
	return true
}

// commitment checks the hint of a commitment, which has set the given number of wires: its first
// input is the constant index of the commitment, then follow the committed wires.
func (v *solver) commitment(outputs uint32) {
	w := v.words
	if outputs != 1 || w[2] == 0 {
		v.refuse("commitment", fmt.Sprintf("%d inputs and %d outputs", w[2], outputs), "an index and one output")
		return
	}
	i, ok := v.constant(w[3:])
	if !ok || v.seen[i] {
		v.refuse("commitment", "an unknown or repeated index", fmt.Sprintf("each of %d once", len(v.seen)))
		return
	}
	v.seen[i] = true
	m := v.commitments[i]
	if want := 1 + len(m.public) + len(m.committed); int64(w[2]) != int64(want) {
		v.refuse("commitment", fmt.Sprintf("%d inputs", w[2]), want)
	}
}

// constant returns the commitment whose index is the constant that a linear expression holds. An
// R1CS writes constants as multiples of wire 0.
func (v *solver) constant(expression []uint32) (i int, ok bool) {
	if expression[0] == 0 {
		return 0, len(v.seen) > 0
	}
	if wire := expression[2]; expression[0] != 1 || wire != constant && (wire != 0 || v.scheme != backend.GROTH16) {
		return 0, false
	}
	i, ok = v.index[string(v.coefficient(expression[1]))]
	return i, ok
}
