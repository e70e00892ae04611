package main

import (
	"fmt"
	"io"
	"strings"
)

// function is a loop over CX > 0 batches in two stages: produce, which leaves
// vectors in the frame, and consume. An iteration consumes one batch and
// produces the next, with the instructions of the stages mixed so that neither
// waits for the other's latencies. Without consume there is one stage.
type function struct {
	name      string
	arguments []argument
	produce   func() []*column
	consume   func([]*column)
	prologue  func()
	epilogue  func()
}

// argument is a pointer and the register that holds it.
type argument struct{ name, register string }

// slot is the address of a vector in the frame.
func (k *kernel) slot(i int) string { return fmt.Sprintf("%d(R9)", k.bytes()*i) }

// advance moves pointers to the next batch.
func (k *kernel) advance(pointers ...string) {
	for _, p := range pointers {
		k.emit("ADDQ", fmt.Sprintf("$%d", 4*k.bytes()), p)
	}
}

func (k *kernel) print(w io.Writer, fn function) {
	fn.body(k)
	var names []string
	for _, a := range fn.arguments {
		names = append(names, a.name)
	}
	fmt.Fprintf(w, "// func %s(%s *%s, n int)\n", fn.name, strings.Join(names, ", "), k.f.elem)
	fmt.Fprintf(w, "TEXT ·%s(SB), 0, $%d-%d\n", fn.name, k.bytes()*(k.slots+1), 8*len(fn.arguments)+8)
	for i, a := range fn.arguments {
		fmt.Fprintf(w, "\tMOVQ %s+%d(FP), %s\n", a.name, 8*i, a.register)
	}
	fmt.Fprintf(w, "\tMOVQ n+%d(FP), CX\n", 8*len(fn.arguments))
	fmt.Fprintf(w, "\tLEAQ %d(SP), R9\n\tANDQ $~%d, R9\n\tLEAQ %s<>+%d(SB), %s\n", k.bytes()-1, k.bytes()-1, k.name, origin, base)
	k.allocate(w)
	fmt.Fprintln(w)
}

func (fn function) body(k *kernel) {
	if fn.prologue != nil {
		fn.prologue()
	}
	if fn.consume == nil {
		k.emit("loop")
		fn.produce()
		k.emit("DECQ", "CX")
		k.emit("JNZ", "loop")
	} else {
		fn.stages(k)
	}
	if fn.epilogue != nil {
		fn.epilogue()
	}
	k.emit("VZEROUPPER")
	k.emit("RET")
}

// stages emits the loop that mixes both stages.
func (fn function) stages(k *kernel) {
	produce := func() []*column {
		c := fn.produce()
		for i := range c {
			if !c[i].empty {
				c[i] = k.park(c[i], i)
			}
		}
		return c
	}
	c := produce()
	k.emit("DECQ", "CX")
	k.emit("JZ", "last")
	k.emit("loop")
	start := len(k.insts)
	fn.consume(c)
	middle := len(k.insts)
	c = produce()
	mixed := mix(k.insts[start:middle], k.insts[middle:])
	k.insts = append(k.insts[:start], mixed...)
	k.emit("DECQ", "CX")
	k.emit("JNZ", "loop")
	k.emit("last")
	fn.consume(c)
}

// mix merges two instruction sequences at rates that make them end together.
// It panics if produce overwrites a part of the frame before consume reads it.
func mix(consume, produce []inst) []inst {
	out := make([]inst, 0, len(consume)+len(produce))
	written := map[string]bool{}
	i, j := 0, 0
	for i < len(consume) || j < len(produce) {
		if j == len(produce) || i < len(consume) && i*len(produce) <= j*len(consume) {
			for _, a := range consume[i].args {
				if s, ok := a.(string); ok && written[s] {
					panic(fmt.Sprintf("BUG: gen: %v reads the next batch", consume[i]))
				}
			}
			out = append(out, consume[i])
			i++
			continue
		}
		in := produce[j]
		if s, ok := in.args[len(in.args)-1].(string); ok && strings.HasSuffix(s, "(R9)") {
			written[s] = true
		}
		out = append(out, in)
		j++
	}
	return out
}
