package onnx

// Limits bound what Parse reads and allocates. Zero fields take the value of
// DefaultLimits.
type Limits struct {
	Bytes        int // of the whole file
	Nodes        int
	Initializers int
	Values       int // graph inputs, and graph outputs
	Operands     int // inputs, outputs or attributes of one node
	NameLength   int // bytes of any string
	ListLength   int // entries of one floats, ints or strings attribute
	Rank         int // dimensions of a tensor
	Elements     int // of one tensor
}

// DefaultLimits returns limits that admit every network the program can prove.
func DefaultLimits() Limits {
	return Limits{
		Bytes:        1 << 30,
		Nodes:        1 << 16,
		Initializers: 1 << 16,
		Values:       1 << 8,
		Operands:     1 << 12,
		NameLength:   1 << 12,
		ListLength:   1 << 22,
		Rank:         8,
		Elements:     1 << 28,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ got, def *int }{
		{&l.Bytes, &d.Bytes},
		{&l.Nodes, &d.Nodes},
		{&l.Initializers, &d.Initializers},
		{&l.Values, &d.Values},
		{&l.Operands, &d.Operands},
		{&l.NameLength, &d.NameLength},
		{&l.ListLength, &d.ListLength},
		{&l.Rank, &d.Rank},
		{&l.Elements, &d.Elements},
	} {
		if *f.got == 0 {
			*f.got = *f.def
		}
	}
	return l
}
