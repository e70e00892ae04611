package remote

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/bits"
	"unsafe"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The methods.
const (
	methodLoad      = "msm.load"
	methodDrop      = "msm.drop"
	methodMultiply  = "msm.multiply"
	methodRows      = "msm.rows"
	methodTransform = "msm.transform"
)

// errReply marks a reply that no engine makes.
var errReply = errors.New("impossible reply")

// head is what every request begins with.
type head struct {
	engine   string // at most 255 bytes
	bases    uint64 // number of the bases, 0 for none
	argument uint64
}

func (h *head) encode() []byte {
	b := append([]byte{byte(len(h.engine))}, h.engine...)
	b = binary.LittleEndian.AppendUint64(b, h.bases)
	return binary.LittleEndian.AppendUint64(b, h.argument)
}

// readHead reads the head of a request of size bytes and returns how many follow.
func readHead(r io.Reader, size uint64) (h head, left uint64, err error) {
	var length [1]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return h, 0, err
	}
	b := make([]byte, int(length[0])+16)
	if _, err := io.ReadFull(r, b); err != nil {
		return h, 0, err
	}
	name := len(b) - 16
	h = head{string(b[:name]), binary.LittleEndian.Uint64(b[name:]), binary.LittleEndian.Uint64(b[name+8:])}
	return h, size - 1 - uint64(len(b)), nil
}

// memory is the memory of elements.
func memory[T bn254.G1Affine | fr.Element | int32](elements []T) []byte {
	if len(elements) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&elements[0])), len(elements)*int(unsafe.Sizeof(elements[0])))
}

// readElements reads what size bytes hold, at most most elements.
func readElements[T bn254.G1Affine | fr.Element | int32](r io.Reader, size uint64, most int) ([]T, error) {
	var one T
	each := uint64(unsafe.Sizeof(one))
	if size%each != 0 || size/each > uint64(most) {
		return nil, fmt.Errorf("%d bytes for at most %d elements of %d", size, most, each)
	}
	elements := make([]T, size/each)
	_, err := io.ReadFull(r, memory(elements))
	return elements, err
}

// receivePoints reads a reply of exactly n points.
func receivePoints(n int, points *[]bn254.G1Affine) func(io.Reader, uint64) error {
	modulus := words(fp.Modulus())
	return func(r io.Reader, size uint64) error {
		all, err := receive[bn254.G1Affine](r, size, n)
		if err != nil {
			return err
		}
		for i := range all {
			p := &all[i]
			if !below((*[4]uint64)(&p.X), &modulus) || !below((*[4]uint64)(&p.Y), &modulus) || !p.IsOnCurve() {
				return fmt.Errorf("%w: point %d is none", errReply, i)
			}
		}
		*points = all
		return nil
	}
}

// receiveScalars reads a reply of exactly n scalars.
func receiveScalars(n int, scalars *[]fr.Element) func(io.Reader, uint64) error {
	modulus := words(fr.Modulus())
	return func(r io.Reader, size uint64) error {
		all, err := receive[fr.Element](r, size, n)
		if err != nil {
			return err
		}
		for i := range all {
			if !below((*[4]uint64)(&all[i]), &modulus) {
				return fmt.Errorf("%w: scalar %d is not reduced", errReply, i)
			}
		}
		*scalars = all
		return nil
	}
}

func receive[T bn254.G1Affine | fr.Element | int32](r io.Reader, size uint64, n int) ([]T, error) {
	all, err := readElements[T](r, size, n)
	if err != nil {
		return nil, err
	}
	if len(all) != n {
		return nil, fmt.Errorf("%w: %d elements, want %d", errReply, len(all), n)
	}
	return all, nil
}

// words writes a modulus, lowest word first.
func words(m *big.Int) (w [4]uint64) {
	var b [32]byte
	m.FillBytes(b[:])
	for i := range w {
		w[i] = binary.BigEndian.Uint64(b[24-8*i:])
	}
	return w
}

// below says whether v is less than m.
func below(v, m *[4]uint64) bool {
	var borrow uint64
	for i := range v {
		_, borrow = bits.Sub64(v[i], m[i], borrow)
	}
	return borrow == 1
}
