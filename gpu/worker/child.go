package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// bufferSize is asked for on both sides of the socket, so that reader and writer change
// places less often. The system may give less.
const bufferSize = 1 << 20

// maxSocket bounds the path of a socket, in bytes: sockaddr_un has room for 104 on macOS and
// for 108 on Linux, with the zero at the end.
const maxSocket = 103

// The private folder of a child holds the socket and the process's working directory.
const (
	socketName = "socket"
	homeName   = "home"
)

// Child is the parent's side of one process. It is safe for concurrent use; jobs wait for
// each other.
type Child struct {
	options Options
	cmd     *exec.Cmd
	words   *tail
	dir     string        // private
	kills   int64         // processes that the system killed for memory when this one started, see memoryKills
	exited  chan struct{} // closed when the process is reaped
	closing chan struct{} // closed by Close
	close   sync.Once
	all     sync.WaitGroup
	turn    chan struct{} // holds one token: the right to use what follows
	conn    net.Conn
	in      *bufio.Reader
	pulse   *pulse
	dead    error
	verdict struct {
		sync.Mutex
		failure *Failure // why the parent killed the process
	}
}

// Start starts a process and waits until it is ready; ctx bounds the start only. The error
// is a *Failure.
func Start(ctx context.Context, o Options) (*Child, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, notStarted(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, &Failure{Reason: reasonOf(err), Err: err}
	}
	c := &Child{
		options: o, words: &tail{}, kills: memoryKills(), turn: make(chan struct{}, 1),
		exited: make(chan struct{}), closing: make(chan struct{}), pulse: &pulse{period: o.beat, cpu: o.CPU},
	}
	listener, err := c.launch()
	if err != nil {
		return nil, notStarted(errors.Join(err, os.RemoveAll(c.dir)))
	}
	if err := c.connect(ctx, listener); err != nil {
		return nil, c.bury(err)
	}
	c.all.Go(c.watch)
	c.turn <- struct{}{}
	return c, nil
}

func notStarted(err error) *Failure {
	return &Failure{Reason: ReasonCrashed, Lost: true, Err: fmt.Errorf("start worker: %w", err)}
}

// reasonOf tells why a context ended.
func reasonOf(err error) Reason {
	if errors.Is(err, context.DeadlineExceeded) {
		return ReasonDeadline
	}
	return ReasonCanceled
}

// launch makes the folder and the socket and starts the process, which reap waits for.
func (c *Child) launch() (listener *net.UnixListener, err error) {
	if c.dir, err = privateFolder(); err != nil {
		return nil, err
	}
	home := filepath.Join(c.dir, homeName)
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	socket := filepath.Join(c.dir, socketName)
	if listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"}); err != nil {
		return nil, err
	}
	c.cmd = exec.Command(c.options.Command[0], append(c.options.Command[1:len(c.options.Command):len(c.options.Command)], socket)...)
	c.cmd.Dir, c.cmd.Env, c.cmd.WaitDelay = home, environment(home, c.options.Env), time.Second
	c.cmd.Stdout, c.cmd.Stderr = c.words, c.words
	if err := c.cmd.Start(); err != nil {
		listener.Close()
		return nil, err
	}
	c.all.Go(func() { c.reap(listener) })
	return listener, nil
}

// privateFolder is for this user alone, and its path is short enough for a socket.
func privateFolder() (string, error) {
	const room = len("wes-worker-4294967295/" + socketName)
	parent := os.TempDir()
	if len(parent)+1+room > maxSocket {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "wes-worker-")
}

func (c *Child) reap(listener *net.UnixListener) {
	// How it ended is read from ProcessState; an error of copying its words changes nothing.
	_ = c.cmd.Wait()
	close(c.exited)
	listener.Close()
}

// connect accepts one connection, after which the socket has no name, and greets the child.
func (c *Child) connect(ctx context.Context, listener *net.UnixListener) error {
	deadline := time.Now().Add(c.options.connect)
	if err := listener.SetDeadline(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { listener.SetDeadline(time.Unix(0, 0)) })
	conn, err := listener.AcceptUnix()
	stop()
	listener.Close()
	if err == nil {
		c.conn, c.in = conn, bufio.NewReaderSize(watched{conn, c.pulse}, 1<<16)
		err = c.greet(ctx, conn, deadline)
	}
	switch {
	case ctx.Err() != nil:
		return c.condemn(&Failure{Reason: reasonOf(ctx.Err()), Err: ctx.Err()})
	case errors.Is(err, os.ErrDeadlineExceeded):
		return c.condemn(&Failure{Reason: ReasonHung, Err: fmt.Errorf("not ready after %v", c.options.connect)})
	}
	return err
}

func (c *Child) greet(ctx context.Context, conn *net.UnixConn, deadline time.Time) error {
	err := errors.Join(conn.SetReadBuffer(bufferSize), conn.SetWriteBuffer(bufferSize), conn.SetDeadline(deadline))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(0, 0)) })
	defer stop()
	if err := writeFrame(conn, frameHello, encodeLimits(c.options.limits())); err != nil {
		return err
	}
	kind, length, err := readHead(c.in)
	if err != nil {
		return err
	}
	if kind != frameReady || length != 0 {
		return fmt.Errorf("%w: frame %d of %d bytes for ready", errProtocol, kind, length)
	}
	if !stop() {
		return ctx.Err()
	}
	return conn.SetDeadline(time.Time{})
}

// gone says whether the process has ended.
func (c *Child) gone() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// Close ends the job that runs, then the process, and waits for it.
func (c *Child) Close() error {
	c.close.Do(func() { close(c.closing) })
	select {
	case <-c.turn:
	default:
		c.condemn(&Failure{Reason: ReasonCanceled, Err: ErrClosed})
		<-c.turn
	}
	defer func() { c.turn <- struct{}{} }()
	if c.dead == nil {
		c.conn.Close()
		c.await(c.options.limits().Grace)
		c.cmd.Process.Kill()
		c.all.Wait()
		c.dead = &Failure{Reason: ReasonCanceled, Lost: true, Err: ErrClosed}
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("close worker: %w", err)
	}
	return nil
}

// await gives the process some time to end by itself and says whether it did.
func (c *Child) await(patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c.exited:
		return true
	case <-timer.C:
		return false
	}
}
