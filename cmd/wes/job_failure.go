package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
)

// jobFailure is the error of a job that came to nothing.
func jobFailure(ctx context.Context, client *gateway.Client, j *gateway.Job) error {
	p := &gateway.Problem{Status: http.StatusBadGateway, Reason: j.Reason, Job: j.ID, Text: "the job came to nothing: " + meaning(j.Reason)}
	if j.Text != "" {
		p.Text += ": " + j.Text
	}
	switch market.Code(j.Reason) {
	case market.CodeNoBid:
		p.Status = http.StatusUnprocessableEntity
		if e, err := client.Explain(ctx, j.ID); err == nil {
			explain(p, e)
		}
	case market.CodeNoFunds, market.CodeBadInput, market.CodeWitness:
		p.Status = http.StatusUnprocessableEntity
	}
	return p
}

// meaning is what a reason of the market says, with the reason.
func meaning(reason string) string {
	all := market.Codes()
	i := slices.IndexFunc(all, func(c market.CodeInfo) bool { return string(c.Code) == reason })
	if i < 0 {
		return reason
	}
	return all[i].Meaning + " (" + reason + ")"
}

// explain says in the text of a problem why nobody made a bid.
func explain(p *gateway.Problem, e *gateway.Explanation) {
	p.Text = "the job came to nothing: " + e.Text
	least, most := lowest(e.Prices), e.MaxPrice
	if asked, err := strconv.ParseUint(most, 10, 64); err == nil && least > asked {
		p.Reason = string(market.CodePrice)
		p.Text = fmt.Sprintf("the job came to nothing: operators ask for %s or more, at most %s are allowed", wesText(least)+" WES", baseUnits(most))
	}
}

// lowest is the first of the prices that operators asked for; 0 if they named none.
func lowest(prices []string) uint64 {
	if len(prices) == 0 {
		return 0
	}
	n, err := strconv.ParseUint(prices[0], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// replicaPatience is how long it is waited for other replicas once one has come to nothing.
const replicaPatience = 5 * time.Second

// byOthers returns a job of several replicas as wanted, if the first has come to nothing and the others
// have not.
func byOthers(ctx context.Context, client *gateway.Client, first *gateway.Job, wanted func(*gateway.Job) bool) (j *gateway.Job, ok bool) {
	if !strings.HasPrefix(first.Level, "replicated") {
		return nil, false
	}
	ctx, stop := context.WithTimeout(ctx, replicaPatience)
	defer stop()
	err := poll(ctx, func() (done bool, err error) {
		j, err = client.Job(ctx, first.ID)
		return err == nil && wanted(j), err
	})
	return j, err == nil
}
