package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// vreg is a virtual vector register.
type vreg int

// half is the lower half of a register of AVX2.
type half vreg

// registerFile is the vector registers of a machine, with lanes of 64 bits.
type registerFile struct {
	prefix       string
	count, lanes int
}

func (r registerFile) bytes() int { return 8 * r.lanes }

// inst is one instruction in the operand order of Go's assembler. Its
// arguments are vregs and literal text. Lower case makes a label.
type inst struct {
	op   string
	args []any
}

// code is straight-line code over virtual registers. A register lives from its
// first mention to its last; those in pinned live throughout.
type code struct {
	registerFile
	insts  []inst
	vregs  int
	pinned map[vreg]bool
}

func newCode(r registerFile) *code { return &code{registerFile: r, pinned: map[vreg]bool{}} }

func (c *code) reg() vreg {
	c.vregs++
	return vreg(c.vregs - 1)
}

// pin returns a register that keeps its value across iterations of a loop.
func (c *code) pin() vreg {
	r := c.reg()
	c.pinned[r] = true
	return r
}

// emit appends an instruction; the last argument is the destination.
func (c *code) emit(op string, args ...any) {
	c.insts = append(c.insts, inst{op, args})
}

// def appends an instruction with a new register as destination.
func (c *code) def(op string, args ...any) vreg {
	r := c.reg()
	c.emit(op, append(args, r)...)
	return r
}

// register returns the register that an argument names, and how to write it.
func (c *code) register(argument any) (r vreg, prefix string, ok bool) {
	switch a := argument.(type) {
	case vreg:
		return a, c.prefix, true
	case half:
		return vreg(a), "X", true
	}
	return 0, "", false
}

// allocate gives out machine registers and writes the instructions. It panics
// when they do not suffice.
func (c *code) allocate(w io.Writer) {
	last := map[vreg]int{}
	for i, in := range c.insts {
		for _, a := range in.args {
			if r, _, ok := c.register(a); ok {
				last[r] = i
			}
		}
	}
	var free []int
	for z := range c.count {
		free = append(free, z)
	}
	home := map[vreg]int{}
	for _, r := range slices.Sorted(maps.Keys(c.pinned)) {
		home[r], free = free[0], free[1:]
	}
	for i, in := range c.insts {
		text := make([]string, len(in.args))
		for k, a := range in.args {
			r, prefix, ok := c.register(a)
			if !ok {
				text[k] = fmt.Sprint(a)
				continue
			}
			if _, ok := home[r]; !ok {
				if len(free) == 0 {
					panic(fmt.Sprintf("out of registers at %v", in))
				}
				// The register that has been free for longest.
				home[r], free = free[0], free[1:]
			}
			text[k] = fmt.Sprintf("%s%d", prefix, home[r])
		}
		for _, a := range in.args {
			if r, _, ok := c.register(a); ok && last[r] == i && !c.pinned[r] {
				if z, ok := home[r]; ok {
					free = append(free, z)
					delete(home, r)
				}
			}
		}
		if in.args == nil && strings.ToLower(in.op) == in.op {
			fmt.Fprintf(w, "\n%s:\n", in.op)
			continue
		}
		fmt.Fprintf(w, "\t%s %s\n", in.op, strings.Join(text, ", "))
	}
}

// pool is a table of read-only words and, after them, of rows of one length.
type pool struct {
	name   string
	rows   [][]uint64
	words  []uint64
	offset map[uint64]int
}

func newPool(name string) *pool { return &pool{name: name, offset: map[uint64]int{}} }

// base is the register that holds the address of the middle of a pool, so that
// most offsets are short.
const base = "R8"

// row returns the address of a row.
func (p *pool) row(v []uint64) string {
	i := slices.IndexFunc(p.rows, func(row []uint64) bool { return slices.Equal(row, v) })
	if i < 0 {
		i = len(p.rows)
		p.rows = append(p.rows, v)
	}
	return fmt.Sprintf("%d(%s)", 8*len(v)*i, base)
}

// word returns the address of one word.
func (p *pool) word(v uint64) string {
	i, ok := p.offset[v]
	if !ok {
		i = len(p.words)
		p.words = append(p.words, v)
		p.offset[v] = i
	}
	return fmt.Sprintf("%d(%s)", -8*(i+1), base)
}

// origin is the offset of the address that base holds. The words lie below it.
const origin = 1024

func (p *pool) print(w io.Writer) {
	if 8*len(p.words) > origin {
		panic("BUG: gen: too many constants")
	}
	at := func(offset int, v uint64) {
		fmt.Fprintf(w, "DATA %s<>+%d(SB)/8, $0x%016x\n", p.name, origin+offset, v)
	}
	for i, v := range slices.Backward(p.words) {
		at(-8*(i+1), v)
	}
	end := 0
	for _, row := range p.rows {
		for _, v := range row {
			at(end, v)
			end += 8
		}
	}
	fmt.Fprintf(w, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n\n", p.name, origin+end)
}
