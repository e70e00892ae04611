package float

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// einsum is an equation of one or two operands: a letter an axis.
type einsum struct {
	in  []string
	out string
}

func parseEinsum(equation string) (einsum, error) {
	equation = strings.ReplaceAll(equation, " ", "")
	left, out, explicit := strings.Cut(equation, "->")
	e := einsum{strings.Split(left, ","), out}
	for i, term := range append(slices.Clone(e.in), out) {
		for k, r := range term {
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
				return e, fmt.Errorf("equation %q is not supported", equation)
			}
			if strings.ContainsRune(term[:k], r) {
				return e, fmt.Errorf("equation %q repeats an axis", equation)
			}
			if i == len(e.in) && !strings.ContainsRune(left, r) {
				return e, fmt.Errorf("equation %q has no axis %q", equation, r)
			}
		}
	}
	if explicit {
		return e, nil
	}
	var once []string
	for _, r := range strings.Join(e.in, "") {
		if strings.Count(left, string(r)) == 1 {
			once = append(once, string(r))
		}
	}
	slices.Sort(once)
	e.out = strings.Join(once, "")
	return e, nil
}

// importEinsum sums what the result lacks and makes one matrix product of the rest.
func importEinsum(c *call) ([]*value, error) {
	equation, err := c.attrString("equation", "")
	if err != nil {
		return nil, err
	}
	e, err := parseEinsum(equation)
	if err != nil {
		return nil, err
	}
	if len(e.in) != len(c.in) || len(c.in) > 2 {
		return nil, fmt.Errorf("equation %q for %d operands, one and two are supported", equation, len(c.in))
	}
	lengths := map[rune]int{}
	for i, term := range e.in {
		v, err := c.source(i)
		if err != nil {
			return nil, err
		}
		if len(v.shape) != len(term) {
			return nil, fmt.Errorf("axes %q for shape %v", term, v.shape)
		}
		for k, r := range term {
			if n, ok := lengths[r]; ok && n != v.shape[k] {
				return nil, fmt.Errorf("axis %q has lengths %d and %d", r, n, v.shape[k])
			}
			lengths[r] = v.shape[k]
		}
	}
	if len(c.in) == 1 {
		v, term, err := c.summed(c.in[0], e.in[0], e.out)
		if err != nil {
			return nil, err
		}
		v, err = c.permuted(v, term, e.out)
		return []*value{v}, err
	}
	v, err := c.contract(e, lengths)
	return []*value{v}, err
}

// summed sums the axes of a term that wanted lacks.
func (c *call) summed(v *value, term, wanted string) (*value, string, error) {
	var axes []int
	rest := ""
	for i, r := range term {
		if strings.ContainsRune(wanted, r) {
			rest += string(r)
		} else {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 {
		return v, term, nil
	}
	if v.fixed {
		return nil, "", errors.New("sum of a constant is not supported")
	}
	v, err := reduceSum(c, v, axes, false)
	return v, rest, err
}

// permuted brings the axes of a term into the order of another.
func (c *call) permuted(v *value, term, order string) (*value, error) {
	if term == order {
		return v, nil
	}
	perm := make([]int, len(order))
	for i, r := range order {
		perm[i] = strings.IndexRune(term, r)
	}
	return c.apply(&Transpose{perm}, v)
}

// contract brings both operands to [batches, rows, sums] and [batches, sums, columns].
func (c *call) contract(e einsum, lengths map[rune]int) (*value, error) {
	x, a, err := c.summed(c.in[0], e.in[0], e.in[1]+e.out)
	if err != nil {
		return nil, err
	}
	y, b, err := c.summed(c.in[1], e.in[1], e.in[0]+e.out)
	if err != nil {
		return nil, err
	}
	var batches, sums, rows, columns string
	for _, r := range a {
		switch other, out := strings.ContainsRune(b, r), strings.ContainsRune(e.out, r); {
		case other && out:
			batches += string(r)
		case other:
			sums += string(r)
		default:
			rows += string(r)
		}
	}
	for _, r := range b {
		if !strings.ContainsRune(a, r) {
			columns += string(r)
		}
	}
	dims := func(term string) []int {
		shape := []int{}
		for _, r := range term {
			shape = append(shape, lengths[r])
		}
		return shape
	}
	outer := dims(batches)
	m, k, n := size(dims(rows)), size(dims(sums)), size(dims(columns))
	if x, err = c.arranged(x, a, batches+rows+sums, append(slices.Clone(outer), m, k)); err != nil {
		return nil, err
	}
	if y, err = c.arranged(y, b, batches+sums+columns, append(slices.Clone(outer), k, n)); err != nil {
		return nil, err
	}
	v, err := c.times(x, y)
	if err != nil {
		return nil, err
	}
	term := batches + rows + columns
	out, err := c.reshaped(v, dims(term))
	if err != nil {
		return nil, err
	}
	return c.permuted(out[0], term, e.out)
}

func (c *call) arranged(v *value, term, order string, shape []int) (*value, error) {
	v, err := c.permuted(v, term, order)
	if err != nil {
		return nil, err
	}
	out, err := c.reshaped(v, shape)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}
