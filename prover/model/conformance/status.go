package conformance

import (
	"fmt"
	"slices"
)

// Status is what became of a case.
type Status string

// The statuses, from the best to the worst.
const (
	// Passed: float and integer results are right, with all operands as inputs or with those
	// after the first as constants, as networks have them.
	Passed Status = "passed"
	// Partial: as Passed, but only the first output was asked for; the others are refused.
	Partial Status = "partial"
	// Folded: the operator is refused on activations, and right on constants.
	Folded Status = "folded"
	// Refused: the model is refused, with a reason.
	Refused Status = "refused"
	// Failed: a result is wrong, time ran out, or the case itself is broken.
	Failed Status = "failed"
)

// Operators that rows are about which are not about one.
const (
	Several  = "(several)"    // the model has more than one node
	Unparsed = "(not parsed)" // the file is refused before its nodes are looked at
)

// Case is the result of one case.
type Case struct {
	Name     string
	Operator string // with its domain, or one of the constants above
	Status   Status
	Reason   string // of Refused and Failed
}

// Report is the results of all cases, in the order of their names.
type Report struct{ Cases []Case }

// Row counts the cases of one operator.
type Row struct {
	Operator string `json:"operator"`
	Cases    int    `json:"cases"`
	Passed   int    `json:"passed"`
	Partial  int    `json:"partial"`
	Folded   int    `json:"folded"`
	Refused  int    `json:"refused"`
	Failed   int    `json:"failed"`
	Reason   string `json:"reason,omitempty"` // of the first failed case, else of the first refused one
}

// Rows are sorted by operator.
func (r *Report) Rows() []Row {
	byOperator := map[string]*Row{}
	for i := range r.Cases {
		c := &r.Cases[i]
		row := byOperator[c.Operator]
		if row == nil {
			row = &Row{Operator: c.Operator}
			byOperator[c.Operator] = row
		}
		row.add(c)
	}
	var rows []Row
	for _, row := range byOperator {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b Row) int { return compareNames(a.Operator, b.Operator) })
	return rows
}

// Total sums all cases up.
func (r *Report) Total() Row {
	t := Row{Operator: "all"}
	for i := range r.Cases {
		t.add(&r.Cases[i])
	}
	t.Reason = ""
	return t
}

func (r *Row) add(c *Case) {
	r.Cases++
	switch c.Status {
	case Passed:
		r.Passed++
	case Partial:
		r.Partial++
	case Folded:
		r.Folded++
	case Refused:
		if r.Refused++; r.Reason == "" {
			r.Reason = c.Reason
		}
	case Failed:
		if r.Failed++; r.Failed == 1 {
			r.Reason = c.Reason
		}
	}
}

// Worse lists what is worse in rows than it was: cases that fail, operators with fewer
// cases at one of the better statuses or above it, and fewer cases in all.
func Worse(was, now []Row) []string {
	var list []string
	found := map[string]Row{}
	cases := 0
	for _, r := range now {
		found[r.Operator] = r
		cases += r.Cases
		if r.Failed > 0 {
			list = append(list, fmt.Sprintf("%s: %d failed: %s", r.Operator, r.Failed, r.Reason))
		}
	}
	for _, w := range was {
		n := found[w.Operator]
		cases -= w.Cases
		for _, s := range []struct {
			what     string
			was, now int
		}{
			{"passed", w.Passed, n.Passed},
			{"passed in part", w.Passed + w.Partial, n.Passed + n.Partial},
			{"passed or folded", w.Passed + w.Partial + w.Folded, n.Passed + n.Partial + n.Folded},
		} {
			if s.now < s.was {
				list = append(list, fmt.Sprintf("%s: %d %s, was %d", w.Operator, s.now, s.what, s.was))
			}
		}
	}
	if cases < 0 {
		list = append(list, fmt.Sprintf("%d cases are missing", -cases))
	}
	return list
}
