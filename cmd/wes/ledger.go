package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/store"
	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/keystore"
	"github.com/weisyn/wes/node/wallet"
)

// ledgerCode is the exit code of an error of the ledger's verbs.
func ledgerCode(err error) int {
	var answer *api.Error
	var transfer *api.TransferError
	var part *node.PartError
	var block *store.BlockError
	var problem *gateway.Problem
	switch {
	case errors.As(err, &problem):
		return problemCode(problem)
	case errors.As(err, &answer):
		return answerCode(answer)
	case errors.As(err, &transfer):
		return transferCode(transfer)
	case errors.Is(err, store.ErrPruned):
		return exitUsage
	case errors.As(err, &block), errors.Is(err, store.ErrCorrupt), errors.Is(err, errGone):
		return exitInvalid
	case errors.Is(err, node.ErrStopped), errors.Is(err, api.ErrUnreachable), errors.Is(err, errTimeout),
		errors.As(err, &part), errors.Is(err, store.ErrDiskFull):
		return exitFault
	}
	return exitUsage
}

func answerCode(e *api.Error) int {
	switch e.Code {
	case api.CodeRule, api.CodePolicy, api.CodeMissing:
		return exitInvalid
	case api.CodeNotFound, api.CodeNotHere, invalidParams:
		return exitUsage
	}
	return exitFault
}

// errorText is an error in the words of this program: those of a node come without the number
// that programs tell them apart by.
func errorText(err error) string {
	var answer *api.Error
	if !errors.As(err, &answer) {
		return err.Error()
	}
	said := "the node answers: "
	if answerCode(answer) == exitInvalid {
		said = "the node refuses the transaction: "
	}
	return strings.Replace(err.Error(), answer.Error(), said+answer.Message, 1)
}

// invalidParams is JSON-RPC's code of a parameter that cannot be used.
const invalidParams = -32602

// ledgerAdvice says what to do about an error of the ledger's verbs.
func ledgerAdvice(err error) string {
	var short *wallet.FundsError
	switch {
	case errors.As(err, &short):
		return fundsAdvice(short)
	case errors.Is(err, node.ErrStopped), errors.Is(err, api.ErrUnreachable):
		return "start a node with wes node (to try things out: wes node --dev), or name one with --node URL"
	case errors.Is(err, api.ErrToken):
		return "name the file that the node has it from with --token-file, or with the setting api_token"
	case errors.Is(err, keystore.ErrPassphrase):
		return "nothing was done; a key whose passphrase is lost can be imported anew from its backup"
	case errors.Is(err, keystore.ErrNotFound):
		return "wes wallet list shows the keys; wes wallet new NAME makes one"
	case errors.Is(err, keystore.ErrExists):
		return "keys are never overwritten: choose another name"
	case errors.Is(err, keystore.ErrEmpty):
		return "choose a passphrase, or say --unencrypted"
	case errors.Is(err, wallet.ErrFee):
		return "allow more with --max-fee, or say a lower --fee-rate"
	case errors.Is(err, store.ErrPruned):
		return "a ledger that began with a snapshot has no blocks up to there: verify the one it was taken from"
	case errors.Is(err, store.ErrNotEmpty):
		return "choose another folder with --home: a snapshot starts a ledger and adds to none"
	}
	if advice := problemAdvice(err); advice != "" {
		return advice
	}
	return transferAdvice(err)
}

// fundsAdvice puts what is missing in words, and says how it may come.
func fundsAdvice(e *wallet.FundsError) string {
	s := fmt.Sprintf("needed are %s, the fee included; spendable are %s", coinText(e.Token, e.Need), coinText(e.Token, e.Have))
	switch {
	case e.Need-e.Have <= e.Reserved:
		s += ": wait for the block of an earlier transaction"
	case e.Need-e.Have <= e.Immature:
		s += ": wait until mined coins are mature"
	case e.Token == chain.TokenID{}:
		s += ": ask for a payment to the address that wes wallet address prints; on a dev network, pay from wes wallet import dev --dev"
	}
	return s
}
