package main

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/gateway"
)

// openMarket returns a client of the node's market.
func (c *connection) openMarket() (*gateway.Client, error) {
	_, url, token, err := c.target()
	if err != nil {
		return nil, err
	}
	return gateway.NewClient(url, token), nil
}

// problemCode is the exit code of a refusal of the market.
func problemCode(p *gateway.Problem) int {
	switch {
	case p.Status >= http.StatusInternalServerError, p.Status == http.StatusTooManyRequests:
		return exitFault
	}
	return exitUsage
}

// problemAdvice says what to do about a refusal of the market.
func problemAdvice(err error) string {
	var p *gateway.Problem
	if !errors.As(err, &p) {
		return ""
	}
	switch p.Reason {
	case gateway.ReasonModel:
		return "wes ai list shows the models that this node knows; wes ai deploy announces one"
	case "no_funds":
		return "wes wallet balance --from KEY shows what the market's key holds"
	case "price":
		if p.Job == "" {
			return "name a lower --max-price, or start the node with a higher one"
		}
		return "allow more with --max-price; wes job explain " + p.Job + " says what operators asked for"
	case gateway.ReasonNoMarket:
		return "start it with --market-key NAME, a key of its home folder: wes wallet new NAME makes one"
	case gateway.ReasonToken:
		return "name the file that the node has it from with --token-file, or with the setting api_token"
	}
	if p.Job != "" {
		return "wes job explain " + p.Job + " says what operators answered"
	}
	return ""
}

// baseUnits writes an amount of a job for people.
func baseUnits(text string) string {
	if text == "" {
		return "—"
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return text
	}
	return coinText(chain.TokenID{}, n)
}
