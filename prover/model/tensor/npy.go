package tensor

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/weisyn/wes/prover/graph"
)

const (
	npyMagic     = "\x93NUMPY"
	npyMaxHeader = 1 << 16
)

// ParseNPY reads an array in NumPy's .npy format, version 1 or 2, in C order, of
// little-endian f4, f8, i4, i8 or of i1, u1. It has no name.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
func ParseNPY(data []byte) (Tensor, error) {
	header, body, err := npyHeader(data)
	if err != nil {
		return Tensor{}, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	t, kind, err := npyLayout(header)
	if err != nil {
		return Tensor{}, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	n, err := elements(t.Shape)
	if err != nil {
		return Tensor{}, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	if len(body) != n*kind.size {
		return Tensor{}, fmt.Errorf("%w: %d bytes of data, %d values of %d bytes wanted", ErrFormat, len(body), n, kind.size)
	}
	t.Datatype = kind.datatype
	t.Data = make([]float64, n)
	for i := range t.Data {
		t.Data[i] = kind.read(body[i*kind.size:])
	}
	if err := t.check(); err != nil {
		return Tensor{}, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	return t, nil
}

// npyHeader splits a file into its header dictionary and the array's bytes.
func npyHeader(data []byte) (header string, body []byte, err error) {
	if len(data) < 12 || string(data[:6]) != npyMagic {
		return "", nil, fmt.Errorf("not an .npy file")
	}
	at, n := 10, int(binary.LittleEndian.Uint16(data[8:]))
	switch data[6] {
	case 1:
	case 2:
		at, n = 12, int(min(binary.LittleEndian.Uint32(data[8:]), npyMaxHeader+1))
	default:
		return "", nil, fmt.Errorf(".npy version %d, want 1 or 2", data[6])
	}
	if n > npyMaxHeader || n > len(data)-at {
		return "", nil, fmt.Errorf("header of %d bytes", n)
	}
	return string(data[at : at+n]), data[at+n:], nil
}

type npyKind struct {
	datatype string
	size     int
	read     func([]byte) float64
}

func npyKinds() map[string]npyKind {
	le := binary.LittleEndian
	return map[string]npyKind{
		"<f4": {"FP32", 4, func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }},
		"<f8": {"FP64", 8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }},
		"<i4": {"INT32", 4, func(b []byte) float64 { return float64(int32(le.Uint32(b))) }},
		"<i8": {"INT64", 8, func(b []byte) float64 { return float64(int64(le.Uint64(b))) }},
		"|i1": {"INT8", 1, func(b []byte) float64 { return float64(int8(b[0])) }},
		"|u1": {"UINT8", 1, func(b []byte) float64 { return float64(b[0]) }},
	}
}

// npyLayout reads the header dictionary, which NumPy writes with these three keys.
func npyLayout(header string) (Tensor, npyKind, error) {
	var t Tensor
	m := regexp.MustCompile(`^\{'descr': '([^']{1,8})', 'fortran_order': (False|True), 'shape': \(([0-9, ]*)\),? *\} *\n?$`).FindStringSubmatch(header)
	if m == nil {
		return t, npyKind{}, fmt.Errorf("header is not that of a plain array")
	}
	kind, ok := npyKinds()[m[1]]
	if !ok {
		return t, kind, fmt.Errorf("dtype %q, want <f4, <f8, <i4, <i8, |i1 or |u1", m[1])
	}
	if m[2] == "True" {
		return t, kind, fmt.Errorf("array in Fortran order, want C order")
	}
	t.Shape = []int{}
	for _, field := range strings.Split(m[3], ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		d, err := strconv.Atoi(field)
		if err != nil || len(t.Shape) == graph.MaxRank {
			return t, kind, fmt.Errorf("shape (%.40s)", m[3])
		}
		t.Shape = append(t.Shape, d)
	}
	return t, kind, nil
}
