package main

// A product of two limbs, held as doubles, is split exactly into a high half,
// a multiple of 2^limbBits, and a low half: the high magic plus a·b has the
// high half in its mantissa, and a·b plus both magics minus that sum has the
// low half. The bit patterns are added up as integers, and the bits of the
// magics, which come along, are taken off together.
// See Emmart, Zheng, Weems: Faster modular exponentiation using double
// precision floating point arithmetic on the GPU (ARITH 2018).

// radix is how a machine holds elements in limbs and splits their products.
type radix struct {
	limbBits int
	// The magics and their sum, as bits of doubles.
	lowMagic, highMagic, bothMagic uint64
	// splitting is the instruction that rounds the high half.
	splitting string
}

func (r radix) limbMask() uint64 { return 1<<r.limbBits - 1 }

// column is a sum of halves together with the bits of magics that came along.
// An empty column has no register yet; it is 0 or the sum at an address.
type column struct {
	reg     vreg
	empty   bool
	address string
	bias    uint64
}

func columns(n int) []*column {
	c := make([]*column, n)
	for i := range c {
		c[i] = &column{empty: true}
	}
	return c
}

// kernel emits arithmetic of a field. Its constants lie in the pool.
type kernel struct {
	*code
	*pool
	radix
	f *field
	// constant returns a register that holds a word in every lane.
	constant func(v uint64) vreg
	move     string // an aligned vector
	slots    int    // vectors in the frame
	both     vreg   // the sum of both magics in every lane
	mask     vreg   // limbMask in every lane
}

// add adds a half with the bits of its magic to a column.
func (k *kernel) add(c *column, r vreg, magic uint64) {
	c.bias += magic
	if !c.empty {
		k.emit("VPADDQ", r, c.reg, c.reg)
		return
	}
	if c.address != "" {
		k.emit("VPADDQ", c.address, r, r)
	}
	c.reg, c.empty = r, false
}

// read brings a column to a register.
func (k *kernel) read(c *column) vreg {
	if c.empty {
		c.reg, c.empty = k.def(k.move, c.address), false
	}
	return c.reg
}

// product adds a·b to the columns of its halves. Only b may be an address.
func (k *kernel) product(a, b any, low, high *column) {
	h := k.constant(k.highMagic)
	k.emit(k.splitting, b, a, h)
	l := k.def("VSUBPD", h, k.both)
	k.emit("VFMADD231PD", b, a, l)
	k.add(high, h, k.highMagic)
	k.add(low, l, k.lowMagic)
}

// park moves a column to the frame.
func (k *kernel) park(c *column, at int) *column {
	k.emit(k.move, c.reg, k.slot(at))
	return &column{empty: true, address: k.slot(at), bias: c.bias}
}
