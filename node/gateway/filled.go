package gateway

// filled returns a list that JSON writes as [] and not as null.
func filled[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// filled returns the model with lists that JSON writes as such. The original stays as it is.
func (m *Model) filled() Model {
	c := *m
	c.Inputs, c.Outputs = filledInfo(m.Inputs), filledInfo(m.Outputs)
	return c
}

func filledInfo(all []TensorInfo) []TensorInfo {
	list := make([]TensorInfo, 0, len(all))
	for _, t := range all {
		t.Shape = filled(t.Shape)
		list = append(list, t)
	}
	return list
}

// filled returns the job with lists that JSON writes as such. The original stays as it is.
func (j *Job) filled() Job {
	c := *j
	c.Outputs = nil
	for _, t := range j.Outputs {
		t.Shape, t.Data = filled(t.Shape), filled(t.Data)
		c.Outputs = append(c.Outputs, t)
	}
	return c
}

// brief returns the job without its outputs.
func (j *Job) brief() Job {
	c := *j
	c.Outputs = nil
	return c
}
