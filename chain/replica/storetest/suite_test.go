package storetest

import (
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/replica"
)

type memory struct{}

func (memory) New(t *testing.T, genesis *chain.Block, a *chain.Applied) (replica.Store, replica.Source) {
	s, err := chaintest.NewStore(genesis, a)
	must(t, err)
	return s, s
}

func (memory) Reopen(_ *testing.T, s replica.Store) (replica.Store, replica.Source) {
	again := s.(*chaintest.Store).Reopen()
	return again, again
}

func TestStoreInMemory(t *testing.T) { Run(t, memory{}) }
