package wire

import (
	"fmt"
	"math"
	"strings"
)

// body is what the CBOR part of a constraint system says (type System in constraint/core.go of
// gnark).
type body struct {
	kind        uint64 // 1 for R1CS, 2 for SparseR1CS
	public      int    // with the constant wire of an R1CS
	secret      int
	internal    int
	constraints int
	field       string // modulus of the scalar field, hexadecimal
	version     string // of gnark
	blueprints  []blueprint
	commitments []commitment
	groth16     bool // the form of commitments
	hints       map[uint32]string

	terms     []term // of logs and debug information
	debug     int    // entries of debug information
	mapped    int    // one more than the largest of them that a constraint refers to
	stack     int    // one more than the largest location that a log or debug entry refers to
	locations int
	called    int // one more than the largest function that a location refers to
	functions int
}

// term is a coefficient times a wire, by index.
type term struct{ coefficient, wire uint32 }

// commitment is a Groth16Commitment or a PlonkCommitment of gnark (constraint/commitment.go).
type commitment struct {
	index     int   // of the wire (Groth16) or constraint (PLONK) of the commitment
	committed []int // wires (Groth16) or constraints (PLONK) that it hides
	public    []int // Groth16: public wires, then wires of earlier commitments
	inputs    int   // Groth16: how many of public are inputs
}

// firstTag is the tag of the first type in getTagSet of constraint/marshal.go.
const firstTag = 5309735

const (
	tagGroth16Commitments = firstTag + 2
	tagPlonkCommitments   = firstTag + 3
)

// read reads the fields of System in the order of the deterministic encoding.
func (b *body) read(c *cbor) {
	c.fields("",
		member{"Logs", func(f string) { c.array(f, func(int) { b.log(c, f) }) }},
		member{"Type", func(f string) { b.kind = c.number(f, math.MaxUint16) }},
		member{"MDebug", func(f string) {
			c.table(f, math.MaxInt32, func(uint64) { b.mapped = max(b.mapped, 1+c.count(f)) })
		}},
		member{"Public", func(f string) { b.public = c.array(f, func(int) { c.text(f) }) }},
		member{"Secret", func(f string) { b.secret = c.array(f, func(int) { c.text(f) }) }},
		member{"DebugInfo", func(f string) { b.debug = c.array(f, func(int) { b.log(c, f) }) }},
		member{"Blueprints", func(f string) { c.array(f, func(int) { b.blueprint(c, f) }) }},
		member{"ScalarField", func(f string) { b.field = c.text(f) }},
		member{"SymbolTable", func(f string) { b.symbols(c, f) }},
		member{"GnarkVersion", func(f string) { b.version = c.text(f) }},
		member{"NbConstraints", func(f string) { b.constraints = c.count(f) }},
		member{"CommitmentInfo", func(f string) { b.commitmentInfo(c, f) }},
		member{"MHintsDependencies", func(f string) { b.hint(c, f) }},
		member{"NbInternalVariables", func(f string) { b.internal = c.count(f) }},
	)
	c.check(c.pos == len(c.b), "body", c.pos, fmt.Sprintf("%d bytes more", len(c.b)-c.pos), "the end")
}

// log reads a LogEntry.
func (b *body) log(c *cbor, field string) {
	c.fields(field+".",
		member{"Stack", func(f string) {
			for _, location := range c.ints(f, math.MaxInt32) {
				b.stack = max(b.stack, 1+location)
			}
		}},
		member{"Caller", func(f string) { c.text(f) }},
		member{"Format", func(f string) {
			at := c.pos
			format := c.text(f)
			c.check(!widens(format), f, at, "a verb with a width", "verbs without")
		}},
		member{"ToResolve", func(f string) {
			c.array(f, func(int) { c.array(f, func(int) { b.term(c, f) }) })
		}},
	)
}

// widens reports whether a verb of a format has a width, a precision or an index, with which a
// short format makes a long text.
func widens(format string) bool {
	for i := strings.IndexByte(format, '%'); i >= 0; i = strings.IndexByte(format, '%') {
		format = strings.TrimLeft(format[i+1:], "+-# 0")
		if format != "" && strings.IndexByte("123456789.*[", format[0]) >= 0 {
			return true
		}
		if format != "" {
			format = format[1:]
		}
	}
	return false
}

func (b *body) term(c *cbor, field string) {
	var t term
	c.fields(field+".",
		member{"CID", func(f string) { t.coefficient = uint32(c.number(f, math.MaxUint32)) }},
		member{"VID", func(f string) { t.wire = uint32(c.number(f, math.MaxUint32)) }},
	)
	b.terms = append(b.terms, t)
}

// symbols reads a SymbolTable (debug/symbol_table.go).
func (b *body) symbols(c *cbor, field string) {
	c.fields(field+".",
		member{"Functions", func(f string) {
			b.functions = c.array(f, func(int) {
				text := func(f string) { c.text(f) }
				c.fields(f+".", member{"Name", text}, member{"Filename", text}, member{"SystemName", text})
			})
		}},
		member{"Locations", func(f string) {
			b.locations = c.array(f, func(int) {
				c.fields(f+".",
					member{"Line", func(f string) { c.count(f) }},
					member{"FunctionID", func(f string) { b.called = max(b.called, 1+c.count(f)) }},
				)
			})
		}},
	)
}

func (b *body) blueprint(c *cbor, field string) {
	at := c.pos
	tag := c.head(field, majorTag)
	kind, known := blueprintKinds[tag]
	c.check(known, field, at, fmt.Sprintf("type %d", tag), "a blueprint of the frontend over a large field")
	p := blueprint{kind: kind}
	if kind == lookup {
		c.fields(field+".", member{"EntriesCalldata", func(f string) {
			c.array(f, func(int) { p.entries = append(p.entries, uint32(c.number(f, math.MaxUint32))) })
		}})
	} else {
		c.fields(field + ".")
	}
	b.blueprints = append(b.blueprints, p)
}

func (b *body) commitmentInfo(c *cbor, field string) {
	at := c.pos
	tag := c.head(field, majorTag)
	c.check(tag == tagGroth16Commitments || tag == tagPlonkCommitments, field, at, fmt.Sprintf("type %d", tag), "commitments")
	b.groth16 = tag == tagGroth16Commitments
	c.array(field, func(int) {
		var m commitment
		if b.groth16 {
			m.readGroth16(c, field+".")
		} else {
			m.readPlonk(c, field+".")
		}
		b.commitments = append(b.commitments, m)
	})
}

func (m *commitment) readGroth16(c *cbor, field string) {
	c.fields(field,
		member{"CommitmentIndex", func(f string) { m.index = c.count(f) }},
		member{"PrivateCommitted", func(f string) { m.committed = c.ints(f, math.MaxInt32) }},
		member{"NbPublicCommitted", func(f string) { m.inputs = c.count(f) }},
		member{"PublicAndCommitmentCommitted", func(f string) { m.public = c.ints(f, math.MaxInt32) }},
	)
}

func (m *commitment) readPlonk(c *cbor, field string) {
	c.fields(field,
		member{"Width", func(f string) {
			at := c.pos
			width := c.count(f)
			c.check(width == 1, f, at, width, 1)
		}},
		member{"Committed", func(f string) { m.committed = c.ints(f, math.MaxInt32) }},
		member{"CommitmentIndex", func(f string) { m.index = c.count(f) }},
	)
}

// hint reads the hints that the system depends on, by ID.
func (b *body) hint(c *cbor, field string) {
	b.hints = map[uint32]string{}
	c.table(field, math.MaxUint32, func(id uint64) { b.hints[uint32(id)] = c.text(field) })
}
