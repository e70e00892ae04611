package store_test

import (
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/replica"
	"github.com/weisyn/wes/chain/replica/storetest"
	"github.com/weisyn/wes/chain/store"
)

// disk opens stores in folders of a test.
type disk struct{ opened map[replica.Store]folder }

type folder struct {
	dir string
	o   store.Options
}

func (d disk) New(t *testing.T, genesis *chain.Block, a *chain.Applied) (replica.Store, replica.Source) {
	return d.open(t, folder{t.TempDir(), store.Options{Genesis: genesis, Applied: a}})
}

func (d disk) open(t *testing.T, f folder) (replica.Store, replica.Source) {
	t.Helper()
	s, err := store.Open(f.dir, f.o)
	must(t, err)
	d.opened[s] = f
	t.Cleanup(func() {
		if _, open := d.opened[s]; open {
			must(t, s.Close())
		}
	})
	return s, s.Published()
}

// Reopen closes the store in the middle of whatever it does: that processes killed there leave the
// same is what the crash tests show.
func (d disk) Reopen(t *testing.T, s replica.Store) (replica.Store, replica.Source) {
	f := d.opened[s]
	delete(d.opened, s)
	must(t, s.(*store.Store).Close())
	return d.open(t, f)
}

func TestStoreKeepsTheContract(t *testing.T) { storetest.Run(t, disk{map[replica.Store]folder{}}) }
