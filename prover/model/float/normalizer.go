package float

import (
	"errors"
	"fmt"
)

// importNormalizer accepts what makes probabilities of the scores of a classifier.
func importNormalizer(c *call) ([]*value, error) {
	norm, err := c.attrString("norm", "MAX")
	if err != nil {
		return nil, err
	}
	x, err := c.table()
	if err != nil {
		return nil, err
	}
	if norm != "L1" {
		return nil, fmt.Errorf("norm %s is not supported", norm)
	}
	switch x.tail.(type) {
	case *Logistic:
		v, err := c.endWith(&OneVsRest{1}, x)
		return []*value{v}, err
	case *OneVsRest, *Softmax: // they add up to one
		return []*value{x}, nil
	}
	return nil, errors.New("it is supported only behind the probabilities of a classifier")
}
