package float

// Limits bound what an import may describe; they are checked before anything of
// that size is allocated. Zero fields take the value of DefaultLimits.
type Limits struct {
	MACs     int64 // of one evaluation of the graph
	Params   int64 // constants of all operators, folded constants included
	Elements int64 // of one tensor, constant or activation
	Total    int64 // of all activations together
	Nodes    int   // of the file, and of the graph
	Rank     int
}

// DefaultLimits returns limits that admit every network the program can prove.
func DefaultLimits() Limits {
	return Limits{
		MACs:     1 << 38,
		Params:   1 << 28,
		Elements: 1 << 28,
		Total:    1 << 29,
		Nodes:    1 << 14,
		Rank:     8,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ got, def *int64 }{
		{&l.MACs, &d.MACs}, {&l.Params, &d.Params}, {&l.Elements, &d.Elements}, {&l.Total, &d.Total},
	} {
		if *f.got == 0 {
			*f.got = *f.def
		}
	}
	if l.Nodes == 0 {
		l.Nodes = d.Nodes
	}
	if l.Rank == 0 {
		l.Rank = d.Rank
	}
	return l
}
