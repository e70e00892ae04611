package machine

import (
	"context"
	"fmt"
	"maps"
	"os"
	"testing"

	"github.com/weisyn/wes/gpu/probe"
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

func methods() map[string]worker.Method {
	all := map[string]worker.Method{
		"test.wait": func(ctx context.Context, r *worker.Request) ([][]byte, error) {
			r.Progress("waiting", 1, 1)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}
	maps.Copy(all, probe.Methods())
	return all
}
