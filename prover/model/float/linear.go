package float

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// importLinearRegressor makes a product of it.
func importLinearRegressor(c *call) ([]*value, error) {
	targets, err := c.attrInt("targets", 1)
	if err != nil {
		return nil, err
	}
	if post, err := c.attrString("post_transform", "NONE"); err != nil || post != "NONE" {
		return nil, cmp.Or(err, fmt.Errorf("post_transform %s is not supported", post))
	}
	x, err := c.table()
	if err != nil {
		return nil, err
	}
	op, err := c.scores(x.shape[1])
	if err == nil && op.N != targets {
		err = fmt.Errorf("coefficients of %d targets, not %d", op.N, targets)
	}
	if err != nil {
		return nil, err
	}
	return c.one(op, x)
}

// importLinearClassifier makes a product of it, whose largest score has the label; the probabilities are
// what the client computes from the scores.
func importLinearClassifier(c *call) ([]*value, error) {
	labels, err := c.classLabels("classlabels_ints")
	if err != nil {
		return nil, err
	}
	post, err := c.attrString("post_transform", "NONE")
	if err != nil {
		return nil, err
	}
	if _, err := c.attrInt("multi_class", 0); err != nil { // how it was trained
		return nil, err
	}
	if err := c.checkTail(); err != nil {
		return nil, err
	}
	x, err := c.table()
	if err != nil {
		return nil, err
	}
	op, err := c.scores(x.shape[1])
	if err != nil {
		return nil, err
	}
	if op.N == 1 && len(labels) == 2 {
		if post != "LOGISTIC" {
			return nil, fmt.Errorf("one score for two classes and post_transform %s", post)
		}
		op = op.both()
	}
	if op.N != len(labels) {
		return nil, fmt.Errorf("%d scores for %d classes", op.N, len(labels))
	}
	scores, err := c.emit(op, x)
	if err != nil {
		return nil, err
	}
	return c.classified(scores, labels, post)
}

// classified returns the label and the probabilities of scores.
func (c *call) classified(scores *value, labels []int64, post string) ([]*value, error) {
	label, err := c.endWith(&ArgMax{Axis: 1, Labels: labels}, scores)
	if err != nil {
		return nil, err
	}
	label.typ, scores.typ = onnx.Int64, onnx.Float32
	var tail Op
	switch post {
	case "NONE":
		return []*value{label, scores}, nil
	case "LOGISTIC":
		tail = &Logistic{}
	case "SOFTMAX":
		tail = &Softmax{Axis: 1}
	default:
		return nil, fmt.Errorf("post_transform %s is not supported", post)
	}
	p, err := c.endWith(tail, scores)
	return []*value{label, p}, err
}

// table returns operand 0, a matrix with a row for each sample.
func (c *call) table() (*value, error) {
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	return x, wantRank(x.shape, 2)
}

// scores is the product of a linear model of so many features, by its coefficients [scores][features].
func (c *call) scores(features int) (*MatMul, error) {
	w, err := c.attrFloats("coefficients")
	if err != nil {
		return nil, err
	}
	b, err := c.attrFloats("intercepts")
	if err != nil {
		return nil, err
	}
	n := len(w) / features
	if n == 0 || n*features != len(w) {
		return nil, fmt.Errorf("%d coefficients for %d features", len(w), features)
	}
	if b == nil {
		b = make([]float32, n)
	}
	if len(b) != n {
		return nil, fmt.Errorf("%d intercepts for %d scores", len(b), n)
	}
	if err := c.countParams(int64(len(w) + len(b))); err != nil {
		return nil, err
	}
	op := &MatMul{K: features, N: n, W: make([]float32, len(w)), B: slices.Clone(b)}
	for k := range features {
		for i := range n {
			op.W[k*n+i] = w[i*features+k]
		}
	}
	return op, nil
}

// both adds the score of the other class: one that is as likely as this one is not.
func (m *MatMul) both() *MatMul {
	out := &MatMul{K: m.K, N: 2, B: []float32{-m.B[0], m.B[0]}}
	for _, v := range m.W {
		out.W = append(out.W, -v, v)
	}
	return out
}

// classLabels returns the labels of the classes, all different, from the attribute of that name.
func (c *call) classLabels(name string) ([]int64, error) {
	if a, err := c.attr("classlabels_strings", onnx.AttrStrings); err != nil || a != nil && len(a.Strings) > 0 {
		return nil, cmp.Or(err, errors.New("labels are strings: number the classes"))
	}
	a, err := c.attr(name, onnx.AttrInts)
	if err != nil {
		return nil, err
	}
	if a == nil || len(a.Ints) == 0 {
		return nil, errors.New("it has no labels")
	}
	for i, v := range a.Ints {
		if v < -1<<24 || v > 1<<24 {
			return nil, fmt.Errorf("label %d exceeds 24 bits", v)
		}
		if slices.Contains(a.Ints[:i], v) {
			return nil, fmt.Errorf("label %d occurs twice", v)
		}
	}
	return a.Ints, nil
}
