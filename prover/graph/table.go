package graph

import "fmt"

// Table is a total function on the integers [Lo, Lo+Σ Len-1], as runs in arithmetic
// progression: row i of a segment has value Value + i·Slope.
type Table struct {
	Lo       int64
	Segments []Segment
}

// Segment is a run of rows of a table.
type Segment struct {
	Len   int
	Value int64
	Slope int64
}

// Size is the number of rows.
func (t *Table) Size() int {
	n := 0
	for _, s := range t.Segments {
		n += s.Len
	}
	return n
}

// Domain is the interval of arguments.
func (t *Table) Domain() Interval { return Interval{t.Lo, t.Lo + int64(t.Size()) - 1} }

// Range is the smallest interval that holds every value.
func (t *Table) Range() Interval {
	r := Interval{t.Segments[0].Value, t.Segments[0].Value}
	for _, s := range t.Segments {
		last := s.Value + int64(s.Len-1)*s.Slope
		r.Lo = min(r.Lo, s.Value, last)
		r.Hi = max(r.Hi, s.Value, last)
	}
	return r
}

// Values lists the values of all rows.
func (t *Table) Values() []int32 {
	values := make([]int32, 0, t.Size())
	for _, s := range t.Segments {
		for i := range s.Len {
			values = append(values, int32(s.Value+int64(i)*s.Slope))
		}
	}
	return values
}

// NewTable compresses the values of consecutive arguments from lo on.
func NewTable(lo int64, values []int32) Table {
	t := Table{Lo: lo}
	for i := 0; i < len(values); {
		s := Segment{Len: 1, Value: int64(values[i])}
		if i+1 < len(values) {
			s.Slope = int64(values[i+1]) - int64(values[i])
			for i+s.Len < len(values) && int64(values[i+s.Len])-int64(values[i+s.Len-1]) == s.Slope {
				s.Len++
			}
		}
		t.Segments = append(t.Segments, s)
		i += s.Len
	}
	return t
}

func (t *Table) check() error {
	if len(t.Segments) == 0 || t.Lo < -1<<31 || t.Lo >= 1<<31 {
		return fmt.Errorf("%d segments from %d", len(t.Segments), t.Lo)
	}
	n := 0
	for i, s := range t.Segments {
		if s.Len < 1 || s.Len > MaxDomain-n {
			return fmt.Errorf("more than %d rows", MaxDomain)
		}
		n += s.Len
		last := s.Value + int64(s.Len-1)*s.Slope
		if s.Value < -1<<30 || s.Value >= 1<<30 || s.Slope < -1<<31 || s.Slope > 1<<31 || last < -1<<30 || last >= 1<<30 {
			return fmt.Errorf("segment %d leaves 31 bits", i)
		}
	}
	return nil
}

func (t *Table) fields(c *codec) {
	c.int64(&t.Lo)
	n := len(t.Segments)
	c.length(&n, MaxDomain)
	if c.decoding {
		t.Segments = make([]Segment, n)
	}
	for i := range t.Segments {
		s := &t.Segments[i]
		c.int(&s.Len)
		c.int64(&s.Value)
		c.int64(&s.Slope)
	}
}
