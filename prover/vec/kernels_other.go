//go:build !amd64 || purego

package vec

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func useGnark() bool { return false }

func useKernels() bool { return false }

func kernelRadix() radix { panic("BUG: vec: no kernels") }

func mulFr(_, _, _ *fr.Element, _ int) { panic("BUG: vec: no kernels") }

func mulFp(_, _, _ *fp.Element, _ int) { panic("BUG: vec: no kernels") }

func subMulFp(_, _, _, _ *fp.Element, _ int) { panic("BUG: vec: no kernels") }

func subMulSubFp(_, _, _, _, _ *fp.Element, _ int) { panic("BUG: vec: no kernels") }

func squareSubFp(_, _, _, _ *fp.Element, _ int) { panic("BUG: vec: no kernels") }

func crossFr(_, _, _, _, _ *fr.Element, _ int) { panic("BUG: vec: no kernels") }

func scaleFr(_, _ *fr.Element, _ *multiplier, _ int) { panic("BUG: vec: no kernels") }

func addScaledFr(_, _ *fr.Element, _ *multiplier, _ int) { panic("BUG: vec: no kernels") }

func foldFr(_, _, _ *fr.Element, _ *multiplier, _ int) { panic("BUG: vec: no kernels") }

func innerFr(_ *columns, _, _ *fr.Element, _ int) { panic("BUG: vec: no kernels") }

func innerDifferenceFr(_ *columns, _, _, _, _ *fr.Element, _ int) { panic("BUG: vec: no kernels") }
