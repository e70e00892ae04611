package store

import (
	"errors"
	"log/slog"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/weisyn/wes/chain"
)

// DefaultDepth is how many blocks can be undone, and for how many attachments are kept, unless
// the options say otherwise: a day of blocks.
const DefaultDepth = 8640

// Options say what a store holds and keeps.
type Options struct {
	Genesis *chain.Block   // of the chain
	Applied *chain.Applied // what [chain.Validator.Genesis] returns for it

	AttachmentDepth uint64       // blocks; 0 is DefaultDepth; at least UndoDepth
	UndoDepth       uint64       // blocks; 0 is DefaultDepth
	Archive         bool         // keep all attachments
	Reserve         uint64       // bytes of the disk that writes leave free; 0 is 256 MiB
	Log             *slog.Logger // of Badger's warnings and errors; nil drops them

	memTable int64 // bytes; 0 is memTableSize
	volatile bool  // sync nothing: the folder is thrown away unless it is synced whole
}

var errOptions = errors.New("options without a genesis block, or with a depth of attachments below that of undo data")

func (o Options) validate() (Options, error) {
	if o.AttachmentDepth == 0 {
		o.AttachmentDepth = DefaultDepth
	}
	if o.UndoDepth == 0 {
		o.UndoDepth = DefaultDepth
	}
	if o.Reserve == 0 {
		o.Reserve = 256 << 20
	}
	if o.memTable == 0 {
		o.memTable = memTableSize
	}
	if o.Genesis == nil || o.Applied == nil || o.AttachmentDepth < o.UndoDepth {
		return o, errOptions
	}
	return o, nil
}

// memTableSize is Badger's table of recent writes, in bytes. A transaction takes at most 15 % of
// it, and a 96th of that in entries: 10 MB and 104,857. Of what can't travel in the redo
// record, the worst block has 52,000 entries and 7 MB (an input or key takes at least 40 bytes
// of a block's 2 MiB and makes one entry; outputs are kept in groups).
const memTableSize = 64 << 20

// badger returns the options of the database. Values of 4 KiB and more (bodies, attachments,
// large groups) go to the value log, in files of 128 MiB: compactions do not copy them. What is stored is
// mostly hashes, so compression gains little; without it tables are read through the page
// cache, and no block cache is needed. One goroutine writes, so conflicts are not looked for.
func (o *Options) badger(dir string) badger.Options {
	return badger.DefaultOptions(dir).
		WithSyncWrites(!o.volatile).
		WithDetectConflicts(false).
		WithMetricsEnabled(false).
		WithMemTableSize(o.memTable).
		WithNumMemtables(1).
		WithNumCompactors(2).
		WithValueThreshold(min(4<<10, o.memTable/100)).
		WithValueLogFileSize(max(2*o.memTable, 2<<20)).
		WithVerifyValueChecksum(true).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithLogger(logger{o.Log})
}
