package market

// takeOn queues a job that a channel owes the price of.
func (s *Seller) takeOn(now uint64, x *Sale) {
	x.Until, x.Settlement = x.escrow().Late, InChannel
	x.enter(queued, Queued)
	s.capacity.Ready(now, x.ID)
}

// vouched ends a job that is paid.
func (s *Seller) vouched(now uint64, x *Sale) {
	if !x.inChannel() || x.phase() != ready {
		return
	}
	x.Settlement = Paid
	s.end(now, x, CodeVoucher)
}

// forgoAt is when a result that nobody takes is given up; 0: never.
func (s *Seller) forgoAt(x *Sale) uint64 {
	if x.phase() != ready || x.Delivered != 0 {
		return 0
	}
	return saturated(x.Until, clockSkew)
}

// pushChannel gives up what will not be paid. What was delivered may be, as long as the channel is
// open.
func (s *Seller) pushChannel(now uint64, x *Sale) {
	at := s.forgoAt(x)
	switch {
	case x.phase() == failing:
		s.forgo(now, x, x.Code)
	case at != 0 && now >= at:
		s.forgo(now, x, CodeUnpaid)
	}
}

func (s *Seller) forgo(now uint64, x *Sale, c Code) {
	x.Settlement = Refunded
	s.out.emit(Disengage{x.ID, x.Channel})
	s.end(now, x, c)
}

// channelClosed ends the jobs that a channel has not paid for.
func (s *Seller) channelClosed(now uint64, e ChannelClosed) {
	s.each(func(x *Sale) {
		if x.Channel != e.Channel || !x.inChannel() || x.phase() == signing {
			return
		}
		if x.phase() == running {
			s.out.emit(Halt{x.ID})
		}
		x.Settlement = Refunded
		s.end(now, x, CodeUnpaid)
	})
}
