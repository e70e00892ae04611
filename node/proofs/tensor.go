package proofs

import (
	"encoding/binary"
	"errors"
	"slices"
)

// ErrTensors is returned for bytes that are not the encoding of tensors.
var ErrTensors = errors.New("not the cells of tensors")

// Inputs and outputs are, for each tensor of the graph, the number of its cells and its cells, all
// as varints of the least length, cells zigzagged (as in encoding/binary).

// EncodeInput returns the attachment of a model's inputs.
func EncodeInput(all [][]int32) []byte { return encodeCells(all) }

// EncodeOutput returns the attachment of a model's outputs.
func EncodeOutput(all [][]int64) []byte { return encodeCells(all) }

func encodeCells[T int32 | int64](all [][]T) []byte {
	var b []byte
	for _, cells := range all {
		b = binary.AppendUvarint(b, uint64(len(cells)))
		for _, v := range cells {
			b = binary.AppendVarint(b, int64(v))
		}
	}
	return b
}

// DecodeInput is the inverse of EncodeInput. It returns ErrTensors for anything else.
func DecodeInput(b []byte) ([][]int32, error) {
	wide, err := decodeCells(b, 1<<31)
	if err != nil {
		return nil, err
	}
	var all [][]int32
	for _, cells := range wide {
		narrow := make([]int32, len(cells))
		for i, v := range cells {
			narrow[i] = int32(v)
		}
		all = append(all, narrow)
	}
	return all, nil
}

// DecodeOutput is the inverse of EncodeOutput. It returns ErrTensors for anything else.
func DecodeOutput(b []byte) ([][]int64, error) { return decodeCells(b, 0) }

// decodeCells reads cells within [-limit, limit); 0 is no limit. A cell takes at least a byte, so
// nothing is allocated beyond eight times what came.
func decodeCells(b []byte, limit int64) ([][]int64, error) {
	var all [][]int64
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || size != uvarintLen(n) || n > uint64(len(b)-size) {
			return nil, ErrTensors
		}
		b = b[size:]
		cells := make([]int64, n)
		for i := range cells {
			v, size := binary.Varint(b)
			if size <= 0 || size != varintLen(v) || limit > 0 && (v < -limit || v >= limit) {
				return nil, ErrTensors
			}
			cells[i], b = v, b[size:]
		}
		all = append(all, cells)
	}
	return all, nil
}

func uvarintLen(n uint64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutUvarint(b[:], n)
}

func varintLen(v int64) int {
	var b [binary.MaxVarintLen64]byte
	return binary.PutVarint(b[:], v)
}

func equalOutputs(a, b [][]int64) bool {
	return slices.EqualFunc(a, b, func(x, y []int64) bool { return slices.Equal(x, y) })
}
