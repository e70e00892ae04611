package float

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// importTreeRegressor makes trees of it.
func importTreeRegressor(c *call) ([]*value, error) {
	op := &Trees{}
	var err error
	if op.Targets, err = c.attrInt("n_targets", 1); err != nil {
		return nil, err
	}
	if op.Targets < 1 || op.Targets > maxTargets {
		return nil, fmt.Errorf("%d targets, at most %d", op.Targets, maxTargets)
	}
	if post, err := c.attrString("post_transform", "NONE"); err != nil || post != "NONE" {
		return nil, cmp.Or(err, fmt.Errorf("post_transform %s is not supported", post))
	}
	switch f, err := c.attrString("aggregate_function", "SUM"); {
	case err != nil:
		return nil, err
	case f == "AVERAGE":
		op.Average = true
	case f != "SUM":
		return nil, fmt.Errorf("aggregate_function %s is not supported", f)
	}
	x, err := c.ensemble(op, "target")
	if err != nil {
		return nil, err
	}
	if n := len(op.Base); n != 0 && n != op.Targets {
		return nil, fmt.Errorf("%d base values for %d targets", n, op.Targets)
	}
	return c.one(op, x)
}

// maxTargets bounds the targets of trees.
const maxTargets = 1 << 16

// ensemble reads trees with their base values, and returns the input of the graph that they read.
func (c *call) ensemble(op *Trees, votes string) (*value, error) {
	x, scaled, err := c.treeInput()
	if err != nil {
		return nil, err
	}
	op.Features = x.shape[1]
	if op.Base, err = c.attrFloats("base_values"); err != nil {
		return nil, err
	}
	op.Trees, err = c.trees(votes, op.Features, op.Targets, scaled)
	return x, err
}

// importTreeClassifier makes trees of it, with one target for each class; the label is that of the largest.
func importTreeClassifier(c *call) ([]*value, error) {
	labels, err := c.classLabels("classlabels_int64s")
	if err != nil {
		return nil, err
	}
	if len(labels) < 2 || len(labels) > maxTargets {
		return nil, fmt.Errorf("%d classes, want 2 to %d", len(labels), maxTargets)
	}
	post, err := c.attrString("post_transform", "NONE")
	if err != nil {
		return nil, err
	}
	if post != "NONE" {
		if err := c.checkTail(); err != nil {
			return nil, err
		}
	}
	op := &Trees{Targets: len(labels)}
	x, err := c.ensemble(op, "class")
	if err != nil {
		return nil, err
	}
	if first, second := op.votesFor(0), op.votesFor(1); len(labels) == 2 && first != second {
		if second {
			return nil, errors.New("of two classes only the second has weights")
		}
		if post, err = op.pair(post); err != nil {
			return nil, err
		}
	}
	if n := len(op.Base); n != 0 && n != op.Targets {
		return nil, fmt.Errorf("%d base values for %d classes", n, op.Targets)
	}
	scores, err := c.emit(op, x)
	if err != nil {
		return nil, err
	}
	return c.classified(scores, labels, post)
}

// votesFor tells whether some leaf votes for a target.
func (op *Trees) votesFor(target int) bool {
	return slices.ContainsFunc(op.Trees, func(t Tree) bool {
		return slices.ContainsFunc(t, func(n TreeNode) bool {
			return slices.ContainsFunc(n.Votes, func(v Vote) bool { return v.Target == target })
		})
	})
}

// pair makes scores of both classes of votes for the first of two alone, which ONNX Runtime counts for the
// second (onnxruntime, tree_ensemble_aggregator.h and write_scores of ml_common.h). That of the first is
// 1−s where s is a probability, as it is without negative weights, and else −s, which the logistic function
// makes as likely as s is not. It returns what is left to do with the scores.
func (op *Trees) pair(post string) (string, error) {
	if len(op.Base) > 1 {
		return "", fmt.Errorf("%d base values for one score", len(op.Base))
	}
	probability := op.positive()
	switch {
	case probability && post != "NONE":
		return "", fmt.Errorf("one score without negative weights for two classes and post_transform %s", post)
	case !probability && post != "LOGISTIC":
		return "", fmt.Errorf("one score with negative weights for two classes and post_transform %s", post)
	}
	for _, t := range op.Trees {
		for i := range t {
			if len(t[i].Votes) > 0 {
				w := t[i].Votes[0].Weight
				t[i].Votes = []Vote{{0, -w}, {1, w}}
			}
		}
	}
	var base float32
	if len(op.Base) > 0 {
		base = op.Base[0]
	}
	op.Base = []float32{-base, base}
	if probability {
		op.Base[0] = 1 - base
	}
	return post, nil
}

// positive tells whether no vote is negative.
func (op *Trees) positive() bool {
	for _, t := range op.Trees {
		for i := range t {
			if slices.ContainsFunc(t[i].Votes, func(v Vote) bool { return v.Weight < 0 }) {
				return false
			}
		}
	}
	return true
}
