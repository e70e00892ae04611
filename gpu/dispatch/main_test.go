package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/weisyn/wes/gpu/worker"
	"go.uber.org/goleak"
)

// The test program is its own child.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		if err := worker.Serve(context.Background(), os.Args[2], methods()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// onDeviceEnv is what a child on a device sees; on the CPU it is empty.
const onDeviceEnv = "CUDA_VISIBLE_DEVICES"

// scratch names the environment variable of a folder that the children of a test share.
const scratch = "WES_TEST_SCRATCH"

func methods() map[string]worker.Method {
	all := map[string]worker.Method{
		"test.echo": func(_ context.Context, r *worker.Request) ([][]byte, error) {
			b, err := io.ReadAll(r.Body)
			return [][]byte{[]byte(os.Getenv(onDeviceEnv)), []byte(" "), b}, err
		},
		"test.device": misbehave(func() error {
			return worker.Fail(worker.ReasonDevice, errors.New("no such device"))
		}),
		"test.refuse": func(context.Context, *worker.Request) ([][]byte, error) {
			return nil, worker.Fail("unsatisfied_witness", errors.New("constraint 7"))
		},
		"test.kill":  misbehave(func() error { return signalSelf(syscall.SIGKILL) }),
		"test.abort": misbehave(func() error { return signalSelf(syscall.SIGABRT) }),
		"test.panic": misbehave(func() error { panic("a test") }),
		"test.hang":  misbehave(func() error { select {} }),
		"test.memory": misbehave(func() error {
			hog := make([]byte, 1<<30)
			for i := 0; i < len(hog); i += 4096 {
				hog[i] = 1
			}
			runtime.KeepAlive(hog)
			select {}
		}),
		"test.once": func(_ context.Context, r *worker.Request) ([][]byte, error) {
			if err := os.Mkdir(filepath.Join(os.Getenv(scratch), "once"), 0o700); err == nil {
				return nil, signalSelf(syscall.SIGKILL)
			}
			return [][]byte{[]byte(os.Getenv(onDeviceEnv))}, nil
		},
		"test.wait": func(ctx context.Context, r *worker.Request) ([][]byte, error) {
			r.Progress("waiting", 1, 1)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}
	return all
}

func signalSelf(s syscall.Signal) error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := self.Signal(s); err != nil {
		return err
	}
	select {}
}

// misbehave does something on devices only; on the CPU the method works.
func misbehave(do func() error) worker.Method {
	return func(context.Context, *worker.Request) ([][]byte, error) {
		if os.Getenv(onDeviceEnv) != "" {
			return nil, do()
		}
		return [][]byte{[]byte("done")}, nil
	}
}
