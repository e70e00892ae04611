package store

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

// logger passes on what Badger says of trouble.
type logger struct{ to *slog.Logger }

var _ badger.Logger = logger{}

func (l logger) Errorf(format string, args ...any) {
	if l.to != nil {
		l.to.Error("badger", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

func (l logger) Warningf(format string, args ...any) {
	if l.to != nil {
		l.to.Warn("badger", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
	}
}

// Infof drops what Badger says of its daily work.
func (logger) Infof(string, ...any) {}

// Debugf drops it too.
func (logger) Debugf(string, ...any) {}
