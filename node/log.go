package node

import (
	"io"
	"log/slog"
)

// Keys of log records.
const (
	keyBlock  = "block"
	keyError  = "error"
	keyHeight = "height"
	keyPart   = "part"
	keyPeer   = "peer"
	keyReason = "reason"
	keyTxs    = "transactions"
)

// Logger returns a logger to w of the level and format that the configuration says. A level
// that is none of the setting's words is info.
func (c *Config) Logger(w io.Writer) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "warn": slog.LevelWarn, "error": slog.LevelError}
	o := &slog.HandlerOptions{Level: levels[c.LogLevel]}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
