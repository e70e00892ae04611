package chain

// demand sets the outputs that must follow the input, in order.
func (s *spending) demand(p payouts) { s.required = p }

// limit binds the outputs outside the segment to operations; code is of the rule that does.
func (s *spending) limit(o Operations, c Code) { s.allowed, s.limiter = o, c }

func (s *spending) exit() uint32 { return s.witness.Exit }

// noExits is of inputs that have none to choose from.
func (s *spending) noExits() *RuleError {
	if s.exit() != 0 {
		return noExit(s.exit())
	}
	return nil
}

// evaluate checks lock, exit and segment of the input.
func (s *spending) evaluate() *RuleError {
	next, err := s.unlock(s.spent.Lock)
	if err != nil {
		return err
	}
	if s.moved {
		if err := s.delegated(next); err != nil {
			return err
		}
	}
	if err := s.leave(); err != nil {
		return err
	}
	if len(s.choices)+len(s.data) > 0 {
		return broken(CodeWitness, "%d choices and %d items of data too many", len(s.choices), len(s.data))
	}
	return s.segment()
}

// leave evaluates the exit of a state.
func (s *spending) leave() *RuleError {
	body, ok := s.spent.Body.(*State)
	if !ok {
		return s.noExits()
	}
	rules, err := decodeState(body)
	if err != nil {
		panic("BUG: an unspent state does not decode: " + err.Error())
	}
	return rules.spend(s)
}

// delegated demands what the delegate has not moved, under the lock that remains.
func (s *spending) delegated(next Lock) *RuleError {
	rest, ok := s.spent.Value.Less(s.move.Token, s.move.Amount)
	if !ok {
		return broken(CodeDelegate, "moves %d of %d", s.move.Amount, s.spent.Value.Of(s.move.Token))
	}
	s.demand(payouts{{Lock: next, Value: rest}})
	return nil
}

// segment claims the outputs from OutBase on and compares them with those demanded.
func (s *spending) segment() *RuleError {
	base, n, outputs := int(s.witness.OutBase), len(s.required), s.c.tx.Outputs
	if n == 0 {
		if base != 0 {
			return broken(CodeWitness, "segment of an input that owns none")
		}
		return nil
	}
	if base+n > len(outputs) {
		return broken(CodeSegmentRange, "outputs %d to %d of %d", base, base+n-1, len(outputs))
	}
	if s.c.owned == nil {
		s.c.owned = make([]bool, len(outputs))
	}
	for i := range n {
		if s.c.owned[base+i] {
			return broken(CodeSegmentOverlap, "output %d", base+i)
		}
	}
	for i := range n {
		if !sameOutput(&s.required[i], &outputs[base+i]) {
			return broken(CodeSegmentOutput, "output %d is not output %d of the exit", base+i, i)
		}
		s.c.owned[base+i] = true
	}
	return s.checkOperations(base, n)
}

// checkOperations compares the outputs outside the segment with what is allowed.
func (s *spending) checkOperations(base, n int) *RuleError {
	for i := range s.c.tx.Outputs {
		o := &s.c.tx.Outputs[i]
		if (i < base || i >= base+n) && o.operation()&^s.allowed != 0 {
			return broken(s.limiter, "output %d is not allowed", i)
		}
	}
	return nil
}
