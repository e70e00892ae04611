package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
)

// exampleNode starts a node of the market in memory, and returns its URL.
func exampleNode(f *fake) (url string, end func(), err error) {
	g, err := Open(Config{Market: f})
	if err != nil {
		return "", nil, err
	}
	server := httptest.NewServer(g.Handler())
	return server.URL, func() {
		_ = g.Close() // it returns nil
		server.CloseClientConnections()
		server.Close()
	}, nil
}

// The outputs of a model come back as soon as they are known, with the state of their proof.
func ExampleClient_Infer() {
	url, end, err := exampleNode(newFake())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	c := NewClient(url, "")
	answer, err := c.Infer(context.Background(), &Request{
		Model:    "echo",
		Inputs:   []Tensor{{Name: "x", Datatype: "INT32", Shape: []int64{2}, Data: []byte{1, 0, 0, 0, 2, 0, 0, 0}}},
		MaxPrice: "1000",
	}, Binary)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Outputs[0].Data, answer.Parameters.ProofStatus)
	// Output: [1 0 0 0 2 0 0 0] pending
}

// A job can be watched until it has ended.
func ExampleClient_Watch() {
	f := newFake()
	url, end, err := exampleNode(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	ctx, c := context.Background(), NewClient(url, "")
	job, err := c.Submit(ctx, &Request{Kind: KindProve, Model: "circuit", Witness: []byte("witness")})
	if err != nil {
		fmt.Println(err)
		return
	}
	go f.change(job.ID, func(j *Job) { j.ProofStatus, j.Ended = ProofVerified, true })
	for j, err := range c.Watch(ctx, job.ID) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if j.Ended {
			fmt.Println(j.ID, j.ProofStatus)
		}
	}
	// Output: job-1 verified
}

// What the market refuses is a Problem with a stable code.
func ExampleProblem() {
	f := newFake()
	f.refuse = &Problem{Status: 402, Reason: "price", Text: "the least price is 9"}
	url, end, err := exampleNode(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	_, err = NewClient(url, "").Submit(context.Background(), &Request{Kind: KindProve, Model: "circuit", Witness: []byte("witness")})
	var p *Problem
	if errors.As(err, &p) {
		fmt.Println(p.Status, p.Reason, p)
	}
	// Output: 402 price the least price is 9
}

// Operators and models are lists.
func ExampleClient_Models() {
	url, end, err := exampleNode(newFake())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer end()
	c := NewClient(url, "")
	models, err := c.Models(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range models {
		fmt.Println(m.Name, m.Kind, m.Ready)
	}
	// Output:
	// versioned infer true
	// mymodel infer true
	// echo infer true
	// half infer true
	// float infer true
	// circuit prove false
}
