package node

import (
	"fmt"
	"reflect"
)

// Reload takes over the settings that can change while the node runs: those of prices and of what is
// sold. It returns the names of others that differ; they hold after a restart. An error is a
// SettingError, and then nothing has changed.
func (n *Node) Reload(c Config) (later []string, err error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	n.reloading.Lock()
	defer n.reloading.Unlock()
	changed := false
	was, is := reflect.ValueOf(&n.cfg).Elem(), reflect.ValueOf(c)
	for i := range was.NumField() {
		f := was.Type().Field(i)
		if fmt.Sprint(was.Field(i)) == fmt.Sprint(is.Field(i)) {
			continue
		}
		if f.Tag.Get("hot") == "" {
			later = append(later, settingName(f))
			continue
		}
		was.Field(i).Set(is.Field(i))
		changed = true
	}
	if m := n.market; changed && m != nil && m.works != nil {
		m.works.Serves(c.served())
		err = m.pricing.set(&c)
	}
	n.log.Info("settings reloaded", "changed", changed, "after_restart", later)
	return later, err
}
