package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/store"
	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/keystore"
	"github.com/weisyn/wes/node/wallet"
)

func TestErrorsOfTheLedgerHaveCodesAndAdvice(t *testing.T) {
	for _, c := range []struct {
		err    error
		want   int
		advice string // part of it
	}{
		{&api.Error{Code: api.CodeRule}, exitInvalid, ""},
		{&api.Error{Code: api.CodePolicy}, exitInvalid, ""},
		{&api.Error{Code: api.CodeNotFound}, exitUsage, ""},
		{&api.Error{Code: -32603}, exitFault, ""},
		{node.ErrStopped, exitFault, "wes node --dev"},
		{api.ErrUnreachable, exitFault, "--node URL"},
		{api.ErrToken, exitUsage, "--token-file"},
		{&node.PartError{Part: "ledger", Err: errors.New("x")}, exitFault, ""},
		{&store.BlockError{Err: errors.New("x")}, exitInvalid, ""},
		{&store.BlockError{Err: store.ErrPruned}, exitUsage, "snapshot"},
		{&store.CorruptError{}, exitInvalid, ""},
		{store.ErrDiskFull, exitFault, ""},
		{keystore.ErrPassphrase, exitUsage, "backup"},
		{wallet.ErrFee, exitUsage, "--max-fee"},
		{&wallet.FundsError{Need: 10, Have: 5, Reserved: 5}, exitUsage, "wait for the block"},
		{&wallet.FundsError{Need: 10, Have: 5, Reserved: 4, Immature: 5}, exitUsage, "mature"},
		{&wallet.FundsError{Need: 3 * chain.Unit, Have: chain.Unit / 2}, exitUsage, "needed are 3 WES, the fee included; spendable are 0.5 WES: ask"},
		{&wallet.FundsError{Token: chain.TokenID{1}, Need: 3}, exitUsage, "needed are 3 01"},
	} {
		err := fmt.Errorf("verb: %w", c.err)
		if got := exitCode(err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", err, got, c.want)
		}
		if got := nextStep(err); !strings.Contains(got, c.advice) {
			t.Errorf("%v: advice %q, want %q in it", err, got, c.advice)
		}
	}
}

func TestAnswersOfANodeComeWithoutTheirNumbers(t *testing.T) {
	answer := &api.Error{Code: api.CodeRule, Message: "an input is spent"}
	got := errorText(errors.Join(answer, io.ErrUnexpectedEOF))
	if want := "the node refuses the transaction: an input is spent\nunexpected EOF"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestEveryVerbTeaches: each command has an example that begins with its own name, and no flag
// or command lacks a text.
func TestEveryVerbTeaches(t *testing.T) {
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		path := c.CommandPath()
		if c.Short == "" {
			t.Errorf("%s says nothing of itself", path)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s says nothing of itself", path, f.Name)
			}
		})
		for _, sub := range c.Commands() {
			visit(sub)
		}
		if c.HasSubCommands() && c.Name() != "node" {
			return
		}
		found := false
		for line := range strings.Lines(c.Example) {
			found = found || strings.HasPrefix(line, "  "+path)
		}
		if !found {
			t.Errorf("%s has no example", path)
		}
	}
	for _, c := range newRoot().Commands() {
		if c.GroupID == ledgerGroup {
			visit(c)
		}
	}
}
