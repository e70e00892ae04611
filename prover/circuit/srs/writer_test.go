package srs

import (
	"encoding/binary"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// secrets are what a ceremony must forget.
type secrets struct{ tau, alpha, beta int64 }

var honest = secrets{tau: 12345, alpha: 678, beta: 91011}

// sheet is a .ptau before it is written: points as bytes, by section.
type sheet struct {
	header   []byte
	sections [contributions + 1][]byte
	point    [contributions + 1]int // bytes of a point
}

func (s *sheet) bytes() []byte {
	le := binary.LittleEndian
	b := append([]byte("ptau"), 1, 0, 0, 0, 7, 0, 0, 0)
	for i := ceremonyHeader; i <= contributions; i++ {
		content := s.sections[i]
		if i == ceremonyHeader {
			content = s.header
		}
		b = le.AppendUint32(b, uint32(i))
		b = le.AppendUint64(b, uint64(len(content)))
		b = append(b, content...)
	}
	return b
}

// swap exchanges two points of a section.
func (s *sheet) swap(at section, i, j int) {
	n, b := s.point[at], s.sections[at]
	for k := range n {
		b[i*n+k], b[j*n+k] = b[j*n+k], b[i*n+k]
	}
}

// write makes the sheet of a ceremony of which all secrets are known.
func write(c ecc.ID, power int, k secrets) *sheet {
	le := binary.LittleEndian
	q := c.BaseField()
	n8 := (q.BitLen() + 63) / 64 * 8
	s := &sheet{}
	prime := q.FillBytes(make([]byte, n8))
	s.header = le.AppendUint32(nil, uint32(n8))
	for i := range prime {
		s.header = append(s.header, prime[n8-1-i])
	}
	s.header = le.AppendUint32(le.AppendUint32(s.header, uint32(power)), uint32(power))
	s.sections[contributions] = []byte{2, 0, 0, 0}
	powers := func(factor int64, n int) []*big.Int {
		list := make([]*big.Int, n)
		v := big.NewInt(factor)
		for i := range list {
			list[i] = new(big.Int).Set(v)
			v.Mul(v, big.NewInt(k.tau)).Mod(v, c.ScalarField())
		}
		return list
	}
	n := 1 << power
	for at, scalars := range map[section][]*big.Int{
		tauG1: powers(1, 2*n-1), tauG2: powers(1, n), alphaTauG1: powers(k.alpha, n), betaTauG1: powers(k.beta, n), betaG2: {big.NewInt(k.beta)},
	} {
		for _, v := range scalars {
			point := multiple(c, at == tauG2 || at == betaG2, v)
			s.point[at] = len(point)
			s.sections[at] = append(s.sections[at], point...)
		}
	}
	return s
}

// multiple returns the memory of v times the generator of G1 or G2.
func multiple(c ecc.ID, second bool, v *big.Int) []byte {
	if c == ecc.BN254 {
		_, _, g1, g2 := bn254.Generators()
		g1.ScalarMultiplication(&g1, v)
		g2.ScalarMultiplication(&g2, v)
		if second {
			return memory(g2.X.A0[:], g2.X.A1[:], g2.Y.A0[:], g2.Y.A1[:])
		}
		return memory(g1.X[:], g1.Y[:])
	}
	_, _, g1, g2 := bls12381.Generators()
	g1.ScalarMultiplication(&g1, v)
	g2.ScalarMultiplication(&g2, v)
	if second {
		return memory(g2.X.A0[:], g2.X.A1[:], g2.Y.A0[:], g2.Y.A1[:])
	}
	return memory(g1.X[:], g1.Y[:])
}

func memory(coordinates ...[]uint64) (b []byte) {
	for _, c := range coordinates {
		for _, v := range c {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	return b
}

// outsider is a point of BLS12-381's curve, but not of its subgroup.
func outsider() []byte {
	var p bls12381.G1Affine
	for x := uint64(1); ; x++ {
		p.X.SetUint64(x)
		p.Y.Square(&p.X).Mul(&p.Y, &p.X)
		p.Y.Add(&p.Y, new(bls12381.G1Affine).X.SetUint64(4))
		if p.Y.Sqrt(&p.Y) != nil && p.IsOnCurve() && !p.IsInSubGroup() {
			return memory(p.X[:], p.Y[:])
		}
	}
}

func store(t testing.TB, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "srs")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
