package wire_test

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	frontend "github.com/consensys/gnark/frontend/cs"

	"github.com/weisyn/wes/prover/circuit/wire"
)

// TestSystemsThatPassDoNotPanic changes one number of an honest system at a time. What the scan
// accepts all the same, gnark solves or refuses, and sets up, without a panic.
func TestSystemsThatPassDoNotPanic(t *testing.T) {
	for _, scheme := range schemes {
		for _, name := range []string{"cubic", "committed", "mixed"} {
			t.Run(scheme.String()+"/"+name, func(t *testing.T) {
				s := get(t, ecc.BN254, scheme, name)
				r := rand.New(rand.NewPCG(1, 2))
				passed := 0
				for round := range map[string]int{"cubic": 1000, "committed": 1000, "mixed": 150}[name] {
					changed := decode(t, s)
					what := mutate(r, &changed.System)
					b := encode(changed.WriteTo)
					if _, err := wire.ConstraintSystem(s.curve, scheme, b); err != nil {
						continue
					}
					passed++
					if p := run(s, b, passed%50 == 0); p != "" {
						t.Fatalf("round %d: %s: %s", round, what, p)
					}
				}
				t.Logf("%d pass", passed)
			})
		}
	}
}

func decode(t *testing.T, s *sample) *cs.R1CS {
	system := new(cs.R1CS)
	if _, err := system.ReadFrom(bytes.NewReader(s.bytes)); err != nil {
		t.Fatal(err)
	}
	return system
}

// mutate changes one number and says which.
func mutate(r *rand.Rand, s *constraint.System) string {
	value := func(old uint32) uint32 {
		switch r.IntN(4) {
		case 0:
			return old ^ 1<<r.IntN(32)
		case 1:
			return old + 1
		case 2:
			return old - 1
		}
		return uint32(r.IntN(40))
	}
	switch r.IntN(6) {
	case 0, 1, 2:
		i := r.IntN(len(s.CallData))
		old := s.CallData[i]
		s.CallData[i] = value(old)
		return fmt.Sprintf("calldata %d from %d to %d", i, old, s.CallData[i])
	case 3:
		i := r.IntN(len(s.Instructions))
		in := &s.Instructions[i]
		switch r.IntN(4) {
		case 0:
			in.BlueprintID = constraint.BlueprintID(value(uint32(in.BlueprintID)))
		case 1:
			in.ConstraintOffset = value(in.ConstraintOffset)
		case 2:
			in.WireOffset = value(in.WireOffset)
		case 3:
			in.StartCallData = uint64(value(uint32(in.StartCallData)))
		}
		return fmt.Sprintf("instruction %d: %+v", i, *in)
	case 4:
		l := s.Levels[r.IntN(len(s.Levels))]
		m := s.Levels[r.IntN(len(s.Levels))]
		i, j := r.IntN(len(l)), r.IntN(len(m))
		l[i], m[j] = m[j], l[i]
		return "order of instructions"
	}
	return mutateNumbers(r, s)
}

func mutateNumbers(r *rand.Rand, s *constraint.System) string {
	step := 2*r.IntN(2) - 1
	switch info := s.CommitmentInfo.(type) {
	case constraint.Groth16Commitments:
		if len(info) > 0 && r.IntN(2) == 0 {
			m := &info[r.IntN(len(info))]
			switch {
			case r.IntN(3) == 0:
				m.CommitmentIndex += step
			case len(m.PrivateCommitted) > 0 && r.IntN(2) == 0:
				m.PrivateCommitted[r.IntN(len(m.PrivateCommitted))] += step
			default:
				m.NbPublicCommitted += step
			}
			return fmt.Sprintf("commitment %+v", *m)
		}
	case constraint.PlonkCommitments:
		if len(info) > 0 && r.IntN(2) == 0 {
			m := &info[r.IntN(len(info))]
			m.CommitmentIndex += step
			m.Committed[r.IntN(len(m.Committed))] += r.IntN(2) * step
			return fmt.Sprintf("commitment %+v", *m)
		}
	}
	switch r.IntN(3) {
	case 0:
		s.NbConstraints += step
	case 1:
		s.NbInternalVariables += step
	default:
		s.Secret = s.Secret[:len(s.Secret)-1]
	}
	return fmt.Sprintf("%d constraints, %d wires, %d secrets", s.NbConstraints, s.NbInternalVariables, len(s.Secret))
}

// run solves a system, and sets it up if asked, and returns what panicked. One task makes gnark
// work in this goroutine, where a panic can be caught.
func run(s *sample, b []byte, setup bool) (panicked string) {
	defer func() {
		p := recover()
		stack := string(debug.Stack())
		// Hint functions may panic over inputs that the system made up.
		if p != nil && !strings.Contains(stack, "gnark/std/") && !strings.Contains(stack, "solveLogderivarg") {
			panicked = fmt.Sprintf("%v\n%s", p, stack)
		}
	}()
	system := new(cs.R1CS)
	if _, err := system.ReadFrom(bytes.NewReader(b)); err != nil {
		return err.Error()
	}
	_, _ = system.Solve(s.witness, solver.WithNbTasks(1), solver.OverrideHint(solver.GetHintID(frontend.Bsb22CommitmentComputePlaceholder), stand))
	if setup && s.scheme == backend.GROTH16 {
		_, _, _ = groth16.Setup(system)
	} else if setup {
		_, _, _ = plonk.Setup(system, s.canonical, s.lagrange)
	}
	return ""
}

// stand stands for the computation of a commitment.
func stand(_ *big.Int, _, out []*big.Int) error {
	out[0].SetInt64(12345)
	return nil
}
