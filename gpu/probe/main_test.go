package probe

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/weisyn/wes/gpu/worker"
	"go.uber.org/goleak"
)

// The test program is its own child.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		if err := worker.Serve(context.Background(), os.Args[2], Methods()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
