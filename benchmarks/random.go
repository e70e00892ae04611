package benchmarks

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// source is the random source of a case: what a case gets does not depend on which others
// run before it.
func source(seed uint64, name string) *rand.ChaCha8 {
	return rand.NewChaCha8(sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(name), seed)))
}

// randomScalars draws integers below 2^width, or field elements where width is that of the
// field.
func randomScalars(s *rand.ChaCha8, n, width int) []fr.Element {
	scalars := make([]fr.Element, n)
	for i := range scalars {
		if width >= fr.Bits {
			scalars[i] = randomElement(s)
			continue
		}
		scalars[i].SetUint64(s.Uint64() >> (64 - width))
	}
	return scalars
}

// randomElement draws limbs of 254 bits until they are below the modulus.
func randomElement(s *rand.ChaCha8) fr.Element {
	modulus := fr.Modulus().Bits()
	for {
		e := fr.Element{s.Uint64(), s.Uint64(), s.Uint64(), s.Uint64() >> 2}
		if e[3] < uint64(modulus[3]) { // less than 2^-60 of the field is never drawn
			return e
		}
	}
}

// randomPoints are (a + i·b)·G for random a and b: as good as any for an algorithm that adds
// them, and quick to make.
func randomPoints(s *rand.ChaCha8, n int) []bn254.G1Affine {
	_, _, g, _ := bn254.Generators()
	ends := bn254.BatchScalarMultiplicationG1(&g, randomScalars(s, 2, fr.Bits))
	points := make([]bn254.G1Jac, n)
	var sum bn254.G1Jac
	sum.FromAffine(&ends[0])
	for i := range points {
		points[i] = sum
		sum.AddMixed(&ends[1])
	}
	return bn254.BatchJacobianToAffineG1(points)
}

// digest hashes inputs; what it says of two reports is that they measured the same.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) scalars(list []fr.Element) digest {
	for i := range list {
		b := list[i].Bytes()
		d.Write(b[:])
	}
	return d
}

func (d digest) points(list []bn254.G1Affine) digest {
	for i := range list {
		b := list[i].RawBytes()
		d.Write(b[:])
	}
	return d
}

func (d digest) bytes(parts ...[]byte) digest {
	for _, p := range parts {
		d.Write(p)
	}
	return d
}

func (d digest) String() string { return hex.EncodeToString(d.Sum(nil)) }

// randomTensor is a file of float32 numbers in [0, 1).
func randomTensor(seed uint64, shape []int) []byte {
	return tensorFile(seed, shape, func(rng *rand.Rand) float32 { return rng.Float32() })
}

// randomInput is a file of cells for a model.
func (m model) randomInput(seed uint64) []byte { return m.randomInputs(seed, 1) }

// randomInputs is a file of n inputs of a model, one after the other.
func (m model) randomInputs(seed uint64, n int) []byte {
	shape := slices.Clone(m.input)
	shape[0] *= n
	if m.ids == 0 {
		return randomTensor(seed, shape)
	}
	return tensorFile(seed, shape, func(rng *rand.Rand) float32 { return float32(rng.Int64N(m.ids)) })
}

// tensorFile is a file in NumPy's format, version 1.0, of cells that draw makes.
func tensorFile(seed uint64, shape []int, draw func(*rand.Rand) float32) []byte {
	dims, n := "", 1
	for _, d := range shape {
		dims += fmt.Sprintf("%d,", d)
		n *= d
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", dims)
	for (10+len(header)+1)%64 != 0 {
		header += " "
	}
	header += "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), binary.LittleEndian.AppendUint16(nil, uint16(len(header)))...)
	b = append(b, header...)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(draw(rng)))
	}
	return b
}

// cells are the values of a randomTensor without its header.
func cells(file []byte, shape []int) []byte {
	n := 4
	for _, d := range shape {
		n *= d
	}
	return file[len(file)-n:]
}
