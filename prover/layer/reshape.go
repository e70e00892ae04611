package layer

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// pullReshape keeps apart the axes that both shapes share, and those that an axis weighed by
// eq splits into at powers of two. It joins the others, as formula C7 allows: cells do not move,
// so a joint vector over merged axes is one over the axes they split into.
func pullReshape(t Term, in, out []int) ([]Term, error) {
	var groups []Group
	i, j := 0, 0 // axes of in and out handled so far
	for i < len(in) || j < len(out) {
		i2, j2 := matchingRun(t, in, out, i, j)
		if j2 == j+1 {
			k, _ := t.group(j)
			if parts, ok := t.Groups[k].split(in[i:i2]); ok {
				groups = append(groups, parts...)
				i, j = i2, j2
				continue
			}
		}
		vec, err := t.joint(j, j2)
		if err != nil {
			return nil, err
		}
		if i2 > i {
			groups = append(groups, Group{Axes: i2 - i, Vec: vec})
		} else {
			t.Coef.Mul(&t.Coef, &vec[0])
		}
		i, j = i2, j2
	}
	t.Groups = groups
	return []Term{t}, nil
}

// matchingRun finds the shortest runs in[i:i2] and out[j:j2] with as many cells, the
// latter not cutting a group of the term.
func matchingRun(t Term, in, out []int, i, j int) (i2, j2 int) {
	i2, j2 = i, j
	a, b := 1, 1
	if i < len(in) {
		a, i2 = in[i], i+1
	}
	if j < len(out) && (a > 1 || i == len(in) || out[j] == 1) {
		b, j2 = out[j], j+1
	}
	for {
		for j2 > j && j2 < len(out) && !t.boundary(j2) {
			b *= out[j2]
			j2++
		}
		switch {
		case a < b:
			a *= in[i2]
			i2++
		case b < a:
			b *= out[j2]
			j2++
		default:
			return i2, j2
		}
	}
}

// boundary tells whether a group starts at an axis.
func (t Term) boundary(axis int) bool {
	_, first := t.group(axis)
	return first == axis
}

// joint is the vector of axes [from, to), which cut no group; one when there are none.
func (t Term) joint(from, to int) ([]fr.Element, error) {
	if from == to {
		return []fr.Element{fr.One()}, nil
	}
	m, err := t.merge(from, to)
	if err != nil {
		return nil, err
	}
	i, _ := m.group(from)
	return m.Groups[i].Vec, nil
}
