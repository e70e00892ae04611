package town

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/gateway"
)

// Node is a process.
type Node struct {
	Name, Home   string
	Key, Address string // of its key, in hexadecimal and as payments name it
	program, wes []string
	settings     []string
	peers        []string // that it dials
	cmd          *exec.Cmd
	ended        chan struct{}
	log          log
}

// log keeps the end of what a process has said.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// maxLog is in bytes; half of it is kept when it is full.
const maxLog = 1 << 20

// Write implements io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len()+len(p) > maxLog {
		l.b.Next(l.b.Len() - min(l.b.Len(), maxLog/2))
	}
	return l.b.Write(p)
}

// Log is the end of what the node has said.
func (n *Node) Log() string {
	n.log.mu.Lock()
	defer n.log.mu.Unlock()
	return n.log.b.String()
}

// Start starts the process on a network, and waits until its API answers.
func (n *Node) Start(ctx context.Context, network string) error {
	args := append(append([]string{}, n.program[1:]...), "node", "--home", n.Home, "--network", network,
		"--listen", "/ip4/127.0.0.1/tcp/0", "--api", "127.0.0.1:0", "--mdns=false", "--dht", "off", "--nat=false")
	args = append(args, n.settings...)
	if len(n.peers) > 0 {
		args = append(args, "--peers", strings.Join(n.peers, ","))
	}
	n.cmd = exec.Command(n.program[0], args...)
	n.cmd.Stdout, n.cmd.Stderr = &n.log, &n.log
	_ = os.Remove(filepath.Join(n.Home, "api.url")) // of a process that was killed
	if err := n.cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	n.ended = ended
	go func() {
		defer close(ended)
		_ = n.cmd.Wait() // its log says why
	}()
	return Await(ctx, "the API of "+n.Name, func() (bool, error) {
		if n.Ended() {
			return false, fmt.Errorf("node %s has ended:\n%s", n.Name, n.Log())
		}
		url := n.URL()
		if url == "" {
			return false, nil
		}
		_, err := api.NewClient(url, "").Status(ctx)
		if unreachable(err) {
			err = nil
			url = ""
		}
		return url != "", err
	})
}

// PID is the process's.
func (n *Node) PID() int { return n.cmd.Process.Pid }

// URL is where the API is; empty where no process runs.
func (n *Node) URL() string {
	url, err := node.RunningURL(n.Home)
	if err != nil {
		return ""
	}
	return url
}

// API is a client of the node's ledger.
func (n *Node) API() *api.Client { return api.NewClient(n.URL(), "") }

// Market is a client of its market.
func (n *Node) Market() *gateway.Client { return gateway.NewClient(n.URL(), "") }

// Run runs a command of wes in the node's home, and returns what it says.
func (n *Node) Run(ctx context.Context, args ...string) ([]byte, error) {
	return run(ctx, n.wes, append(args, "--home", n.Home)...)
}

// Ended reports whether the process has.
func (n *Node) Ended() bool {
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// stopTime is how long a node may take to end by itself.
const stopTime = 10 * time.Second

// Stop ends the process as Ctrl-C does, or if that takes too long, at once.
func (n *Node) Stop() {
	if n.ended == nil {
		return
	}
	if err := n.cmd.Process.Signal(os.Interrupt); errors.Is(err, os.ErrProcessDone) {
		return
	}
	t := time.NewTimer(stopTime)
	defer t.Stop()
	select {
	case <-n.ended:
	case <-t.C:
		n.Kill()
	}
}

// Kill ends the process at once.
func (n *Node) Kill() {
	_ = n.cmd.Process.Kill() // it may have ended
	<-n.ended
}
