package node

import (
	"reflect"
	"testing"
)

func TestHotSettingsTakeEffectAndOthersAreNamed(t *testing.T) {
	c := DefaultConfig()
	c.Home = t.TempDir()
	if err := c.validate(); err != nil {
		t.Fatal(err)
	}
	n := &Node{cfg: c, log: c.Logger(t.Output())}
	c.PriceMinimum, c.Serve, c.PeersLow = 7, nil, 1
	later, err := n.Reload(c)
	if err != nil || !reflect.DeepEqual(later, []string{"peers_low"}) {
		t.Errorf("%v, %v", later, err)
	}
	if n.cfg.PriceMinimum != 7 || n.cfg.Serve != nil || n.cfg.PeersLow == 1 {
		t.Errorf("%+v", n.cfg)
	}
	c.Prices = []string{"nonsense"}
	if _, err := n.Reload(c); err == nil || len(n.cfg.Prices) > 0 {
		t.Errorf("bad prices: %v, %v", err, n.cfg.Prices)
	}
}
