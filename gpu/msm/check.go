package msm

import (
	"fmt"
	"math/bits"
	"strconv"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/commit"
)

// CheckLoad refuses what [Engine.Load] refuses.
func CheckLoad(points int) error {
	if points < 1 || points > MaxBases {
		return &commit.LengthError{What: "bases", Got: points, Want: "1.." + strconv.Itoa(MaxBases)}
	}
	return nil
}

// CheckMSM refuses the arguments that [Bases.MSM] of n bases refuses, but for scalars that
// are too wide.
func CheckMSM(n, scalars, width int) error {
	if width < 1 || width > MaxWidth {
		return &commit.LengthError{What: "scalar", Got: width, Want: fmt.Sprintf("1..%d bits", MaxWidth)}
	}
	if scalars%n != 0 {
		return &commit.LengthError{What: "scalars", Got: scalars, Want: fmt.Sprintf("a multiple of the %d bases", n)}
	}
	return nil
}

// CheckRows refuses the lengths that [Bases.Rows] of n bases refuses.
func CheckRows(n, cols int) error {
	if cols < 1 || cols > n {
		return &commit.LengthError{What: "row", Got: cols, Want: fmt.Sprintf("1..%d", n)}
	}
	return nil
}

// CheckNTT refuses the lengths that [Engine.NTT] refuses.
func CheckNTT(values int) error {
	if values < 1 || values > MaxNTT || values&(values-1) != 0 {
		return &commit.LengthError{What: "values", Got: values, Want: fmt.Sprintf("a power of two up to %d", MaxNTT)}
	}
	return nil
}

// CheckWidth refuses scalars of more than width bits.
func CheckWidth(scalars []fr.Element, width int) error {
	if width >= MaxWidth {
		return nil
	}
	return spread(len(scalars), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			if length(&scalars[i], width <= smallWidth) > width {
				return &WidthError{Index: i, Width: width}
			}
		}
		return nil
	})
}

// length is the number of bits of a scalar. If only small ones are of interest, others may
// count as MaxWidth.
func length(e *fr.Element, smallOnly bool) int {
	if smallOnly {
		if s, ok := small(e); ok {
			return bits.Len64(s)
		}
		return MaxWidth
	}
	words := e.Bits()
	for i := len(words) - 1; i >= 0; i-- {
		if words[i] != 0 {
			return 64*i + bits.Len64(words[i])
		}
	}
	return 0
}
