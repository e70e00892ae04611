package main

import (
	"encoding/binary"
	"math/big"
	"os"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/rogpeppe/go-internal/testscript"
)

// ptau writes a snarkjs file over BN254 from secrets that everyone knows: ptau FILE POWER.
func ptau(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), encodePtau(number(ts, args[1])), 0o600))
}

// encodePtau gives sections 1 to 7: header, τ in G1 and G2, ατ and βτ in G1, β in G2,
// contributions. Numbers have the lowest byte first, coordinates are in Montgomery form.
func encodePtau(power int) []byte {
	le := binary.LittleEndian
	n := 1 << power
	modulus := fp.Modulus().FillBytes(make([]byte, fp.Bytes))
	header := le.AppendUint32(nil, fp.Bytes)
	for i := range modulus {
		header = append(header, modulus[len(modulus)-1-i])
	}
	header = le.AppendUint32(le.AppendUint32(header, uint32(power)), uint32(power))

	_, _, g1, g2 := bn254.Generators()
	const alpha, beta = 678, 91011
	var inG2 []byte
	for _, p := range bn254.BatchScalarMultiplicationG2(&g2, geometric(1, n)) {
		inG2 = pointG2(inG2, p)
	}
	var betaG2 bn254.G2Affine
	betaG2.ScalarMultiplication(&g2, big.NewInt(beta))
	out := append([]byte("ptau"), 1, 0, 0, 0, 7, 0, 0, 0)
	for i, section := range [][]byte{
		header, listG1(g1, geometric(1, 2*n-1)), inG2, listG1(g1, geometric(alpha, n)), listG1(g1, geometric(beta, n)),
		pointG2(nil, betaG2),
		{0, 0, 0, 0},
	} {
		out = le.AppendUint32(out, uint32(i+1))
		out = append(le.AppendUint64(out, uint64(len(section))), section...)
	}
	return out
}

// geometric is first, first·τ, first·τ², …
func geometric(first uint64, n int) []fr.Element {
	tau := fr.NewElement(12345)
	all := make([]fr.Element, n)
	all[0].SetUint64(first)
	for i := 1; i < n; i++ {
		all[i].Mul(&all[i-1], &tau)
	}
	return all
}

func listG1(g bn254.G1Affine, scalars []fr.Element) (b []byte) {
	for _, p := range bn254.BatchScalarMultiplicationG1(&g, scalars) {
		b = coordinate(coordinate(b, p.X), p.Y)
	}
	return b
}

func pointG2(b []byte, p bn254.G2Affine) []byte {
	return coordinate(coordinate(coordinate(coordinate(b, p.X.A0), p.X.A1), p.Y.A0), p.Y.A1)
}

func coordinate(b []byte, e fp.Element) []byte {
	for _, limb := range e {
		b = binary.LittleEndian.AppendUint64(b, limb)
	}
	return b
}
